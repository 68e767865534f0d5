"""Texts and chats to count: many scripts, code, tools, and strings that are built to be nasty."""

from __future__ import annotations

import importlib.util
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from ftbridge.dataset.types import Chat

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"

NASTY = [
    "",
    " ",
    "\n",
    "\r\n\r\n",
    "\t\t x",
    "   trailing   ",
    "a" * 400,
    "ab" * 300,
    "0" * 64,
    "1234567890",
    "don't you'LL I'm we've",
    "DON'T",
    "<|endoftext|>",
    "<|im_start|>user",
    "[INST] x [/INST]",
    "</s>",
    "<|begin_of_text|><|eot_id|>",
    "x\u00a0y\u2003z",
    "\u200bzero\u200dwidth",
    "e\u0301 e\u0301",
    "\ufeffbom",
    "नमस्ते दुनिया",
    "สวัสดีชาวโลก",
    "你好，世界！",
    "こんにちは世界",
    "안녕하세요 세계",
    "Привет, мир",
    "مرحبا بالعالم",
    "שלום עולם",
    "Γειά σου Κόσμε",
    "გამარჯობა",
    "Բարեւ աշխարհ",
    "ہیلو دنیا",
    "ਸਤ ਸ੍ਰੀ ਅਕਾਲ",
    "ሰላም ልዑል",
    "ᏣᎳᎩ",
    "👩🏽‍🚀 family 👨‍👩‍👧‍👦 🇩🇪",
    "ﬁ ligature Ⅷ ①",
    "ǅ ǆ Ǆ",
    "ÀÉÎõü ß ẞ",
    "İstanbul ı",
    "\U0001d573\U0001d58a\U0001d591\U0001d591\U0001d594",
    "\u088f\u0c5c\u1acf",
    "\U00010940 \U00033479",
    "\ue000 private \uf8ff",
    "\x00\x01\x7f",
    "a\u0300\u0301\u0302b",
    "if (x) {\n\treturn y;\n}\n\n\n",
    "SELECT * FROM t WHERE a>=1--",
    "https://a.example/b?c=d&e=f#g",
    "....!!!???",
    "camelCaseWORDAndMIXEDcase",
    "snake_case__with___runs",
    "1.5e-10,3.14",
    "\\n\\t\\u1234",
    "%s %d {0!r}",
]


def generated() -> Any:
    """The generator of the benchmarks."""
    spec = importlib.util.spec_from_file_location("gen_chat", ROOT / "benchmarks" / "gen_chat.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def chats(n: int, seed: int = 3, tools: float = 0.4) -> Iterator[dict[str, Any]]:
    """Generated conversations; ids of calls as short as Mistral wants them."""
    for line in generated().lines(n, seed, tools):
        yield json.loads(line.replace('"call_', '"'), object_hook=_short)


def _short(value: dict[str, Any]) -> dict[str, Any]:
    for key in ("id", "tool_call_id"):
        if key in value:
            value[key] = value[key][:9]
    return value


def chat(row: dict[str, Any]) -> Chat:
    """A row as an example."""
    return msgspec.json.decode(json.dumps(row), type=Chat)


def multilingual() -> list[str]:
    """Grade-school problems in German, English, Swahili, Telugu, Thai and Chinese."""
    files = sorted((DATA / "mgsm").glob("*.tsv"))
    return [line for path in files for line in path.read_text("utf-8").splitlines()[:25]]


def tools() -> list[str]:
    """Questions with the functions that may answer them, as JSON."""
    lines = (DATA / "bfcl" / "BFCL_v4_multiple.json").read_text("utf-8").splitlines()
    return lines[:60]


def code() -> list[str]:
    """Our own source."""
    return [path.read_text("utf-8") for path in sorted((ROOT / "ftbridge" / "jobs").glob("*.py"))]


def random_unicode(n: int = 300) -> list[str]:
    """Strings of any assigned or unassigned code point, letters and blanks among them."""
    r = Random(11)
    points = [c for c in range(0x20, 0x33500) if not 0xD800 <= c < 0xE000]
    return [
        "".join(chr(r.choice((r.choice(points), r.randrange(32, 127), 10))) for _ in range(24))
        for _ in range(n)
    ]


def all_texts() -> list[str]:
    """Everything, and in NFD what NFC would change."""
    plain = [*NASTY, *multilingual(), *tools(), *code(), *random_unicode()]
    return [*plain, *(unicodedata.normalize("NFD", text) for text in NASTY + multilingual()[:40])]
