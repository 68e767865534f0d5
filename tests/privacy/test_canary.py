"""Nothing that ftbridge says or keeps repeats the data, a key or a token: planted and looked for.

Every command is run, in good ways and in failing ones, as JSON and for people, over data and an
environment that hold canaries. They may be where the data itself belongs (converted copies, kept
replies), and nowhere else: no output, no page, no log, no line of the ledger. Answers are texts of
their own here: where few answers return again and again they are labels, whose names are shown.
"""

from __future__ import annotations

import json
import sqlite3
import string
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from emulated import Account
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ftbridge import registry
from ftbridge.cli import COMMANDS, run
from ftbridge.errors import ProviderError
from ftbridge.testing.faults import Answers, CutBody, DropAfter, Fault
from ftbridge_local import models

KEY = "sk-canary-Zx81kQ0pLm55vVw7"
TOKEN = "eyJcanary.eyJpayload9988.signature77665544"
CREDENTIALS = {
    "OPENAI_API_KEY": KEY, "AZURE_OPENAI_API_KEY": KEY, "AZURE_OPENAI_AD_TOKEN": TOKEN,
    "MISTRAL_API_KEY": KEY, "TOGETHER_API_KEY": KEY, "FIREWORKS_API_KEY": KEY,
    "FTBRIDGE_SERVE_KEY": TOKEN, "HF_TOKEN": TOKEN, "ANTHROPIC_API_KEY": KEY,
    "GOOGLE_OAUTH_ACCESS_TOKEN": TOKEN,
}  # fmt: skip
DATA_PLACES = ("payloads", "splits", "eval", "local")
"""Where the data itself is kept under the home."""

OPENAI = ["--provider", "openai"]
GENERIC = [[], ["DATA"], ["JOB"], ["BAD"], ["none"]]
WAYS: dict[str, list[list[str]]] = {
    "check": [["DATA"], ["DATA", "--html", "OUT"], ["BAD"], ["DATA", *OPENAI], ["ODD", *OPENAI],
              ["DATA", "--validation", "DATA"], ["none.jsonl"], ["ODD"]],
    "convert": [["DATA", "--to", "gemini", "-o", "OUT"], ["BAD", "--to", "trl", "-o", "OUT"],
                ["ODD", "--to", "bedrock-nova", "-o", "OUT"], ["DATA", "--to", "x", "-o", "OUT"]],
    "split": [["DATA", "-o", "OUT"], ["BAD", "-o", "OUT"], ["DATA", "--validation", "7"]],
    "redact": [["DATA", "-o", "OUT"], ["BAD", "-o", "OUT"], ["DATA", "-o", "DATA"]],
    "tokens": [["DATA"], ["BAD"], ["DATA", *OPENAI]],
    "compare": [["DATA"], ["BAD"], ["DATA", "--privacy", "restricted"], ["ODD"]],
    "plan": [["DATA", *OPENAI], ["DATA", *OPENAI, "--validation", "0.5"], ["BAD", *OPENAI],
             ["DATA", "--provider", "local"], ["ODD", *OPENAI], ["DATA", "--provider", "mistral"]],
    "submit": [["DATA", *OPENAI, "--yes"], ["DATA", *OPENAI], ["BAD", *OPENAI, "--yes"],
               ["DATA", *OPENAI, "--yes", "--privacy", "restricted"],
               ["DATA", "--provider", "auto", "--yes"],
               ["ODD", *OPENAI, "--yes", "--allow-lossy", "--watch"]],
    "advise": [["DATA"], ["BAD"], ["DATA", "--baseline", "JOB"]],
    "report": [["JOB", "-o", "OUT"], ["none", "-o", "OUT"], ["JOB"]],
    "rerun": [["JOB", "--data", "DATA"], ["JOB", "--data", "BAD"]],
    "jobs": [[], ["--limit", "1"], ["--html", "OUT"]],
    "status": [["JOB"], ["none"], ["JOB", "--plot"]],
    "watch": [["JOB"], []],
    "events": [["JOB"], ["none"]],
    "eval": [["HELD", "--model", "JOB", "--baseline", "base"], ["DATA", "--model", "JOB"],
             ["HELD", "--model", "JOB", "--baseline", "base", "--few-shot", "DATA"],
             ["BAD", "--model", "JOB"]],
    "chat": [["JOB", "hello"], ["none", "hello"]],
    "download": [["JOB", "-o", "OUT"]],
    "move": [["JOB", "--to", "mistral"], ["JOB", "--to", "openai"], ["JOB", "--to", "local"]],
    "policy": [["show"], ["check", "DATA", *OPENAI], ["explain", "JOB"],
               ["check", "DATA", *OPENAI, "--privacy", "restricted"]],
    "egress": [["list"], ["verify"], ["export", "-o", "OUT"]],
    "purge": [["JOB", "--model"], ["JOB"]],
    "resolve": [["JOB", "--none"]],
    "alias": [["set", "it", "JOB"], []],
    "models": [[], ["--provider", "openai"]],
    "sandbox": [["none"]],
    "serve": [["none"], ["JOB", "--host", "256.1.1.1"]],
}  # fmt: skip


class World:
    """A folder of data that holds one text in every place where data can hold text."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder, self.text, self.made = folder, text, 0
        folder.mkdir(exist_ok=True)
        chat = [self._chat(f"{text} {n}", f"{text} {n}") for n in range(12)]
        self.data = self._write("train.jsonl", chat)
        self.held = self._write("held.jsonl", [self._chat(f"held {text} {n}") for n in range(3)])
        self.odd = self._write("odd.jsonl", self._odd())
        self.bad = folder / "bad.jsonl"
        self.bad.write_text("\n".join([*chat[:2], *self._broken()]) + "\n")

    def _chat(self, question: str, answer: str = "yes") -> str:
        turns = [{"role": "system", "content": self.text}, {"role": "user", "content": question},
                 {"role": "assistant", "content": answer}]  # fmt: skip
        return json.dumps({"messages": turns, "metadata": {"note": self.text}})

    def _odd(self) -> list[str]:
        """Fine for us; every vendor loses or refuses something of it."""
        look = {"name": "look", "arguments": json.dumps({"for": self.text})}
        call = {"id": "1", "type": "function", "function": look}
        turns = [{"role": "user", "content": self.text, "name": "bob"},
                 {"role": "assistant", "tool_calls": [call]},
                 {"role": "tool", "tool_call_id": "1", "content": self.text},
                 {"role": "assistant", "content": self.text, "weight": 0},
                 {"role": "user", "content": self.text},
                 {"role": "assistant", "content": f"a@example.com {KEY} {self.text}"}]  # fmt: skip
        tool = {"name": "look", "description": self.text, "parameters": {"type": "object"}}
        line = {"messages": turns, "tools": [{"type": "function", "function": tool}]}
        return [json.dumps(line)] * 12

    def _broken(self) -> list[str]:
        text = json.dumps(self.text)
        return [
            f'{{"messages": [{{"role": "user", "content": {text}',
            f'{{"messages": [{{"role": "user", "content": {text}}}]}}',
            f'{{"messages": {text}}}',
            f"{text}",
            f'{{"messages": [{{"role": "user", "content": {{"a": {text}}}}}]}}',
            f'{{"messages": [{{"role": "tool", "content": {text}}}]}}',
            f'{{"messages": [{{"role": "assistant", "content": {text}, "weight": {text}}}]}}',
            f'{{"prompt": {text}, "other": {text}}}',
            f"{self.text}",
        ]

    def _write(self, name: str, lines: list[str]) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def words(self, template: list[str], job: str) -> list[str]:
        self.made += 1
        named = {"DATA": self.data, "HELD": self.held, "ODD": self.odd, "BAD": self.bad,
                 "JOB": job, "OUT": self.folder / f"out{self.made}"}  # fmt: skip
        return [str(named.get(word, word)) for word in template]


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Iterator[list[tuple[str, str]]]:
    yield []


def _say(
    capfd: pytest.CaptureFixture[str], told: list[tuple[str, str]], args: list[str]
) -> dict[str, object]:
    capfd.readouterr()
    run(args)
    out, err = capfd.readouterr()
    told.append((" ".join(args), out + err))
    assert "fault in ftbridge" not in out + err, args
    try:
        found: dict[str, object] = json.loads(out)
    except ValueError:
        return {}
    return found


def _kept(home: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """What lies in the home besides the data itself, the ledger as text, and pages written."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.relative_to(home).parts[0] not in DATA_PLACES:
            yield str(path), path.read_bytes().decode("utf-8", "replace")
    for path in sorted(home.rglob("*.log")) + sorted(home.rglob("log.txt")):
        yield str(path), path.read_text()
    with closing(sqlite3.connect(home / "ledger.db")) as connection:
        yield "ledger", "\n".join(connection.iterdump())
    for path in sorted(folder.glob("out*")):
        if path.is_file() and path.read_bytes()[:9].lower().startswith((b"<!doctype", b"<html")):
            yield str(path), path.read_text()


def _forms(text: str) -> list[str]:
    """A text as it is, as JSON writes it, as HTML does, and the beginning of it."""
    from html import escape

    forms = [text, json.dumps(text)[1:-1], escape(text), repr(text)[1:-1], text[:12]]
    return [form for form in dict.fromkeys(forms) if len(form) >= 12]


WORDS = st.text(string.ascii_letters + string.digits + " '\"<&\\é漢", min_size=16, max_size=40)


@pytest.mark.long
@settings(max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate],
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(text=WORDS.map(lambda text: f"canary {text.strip()} end"))
def test_nothing_repeats_the_data_or_a_key(
    text: str, served: Account, tmp_path_factory: pytest.TempPathFactory,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("canary")
    served.reset(speed=200)
    told: list[tuple[str, str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(models, "fetch", _nothing_is_fetched)
        for name, value in served.env(folder / "home").items():
            patch.setenv(name, value)
        for name in registry.names():
            patch.setenv(f"FTBRIDGE_{name.upper()}_SETTLE_SECONDS", "0")
            patch.setenv(f"FTBRIDGE_{name.upper()}_PATIENCE_SECONDS", "0")
            if name != "openai":  # nobody listens there
                patch.setenv(f"FTBRIDGE_{name.upper()}_BASE_URL", "http://127.0.0.1:9/v1")
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value if name != "OPENAI_API_KEY" else "sk-sandbox")
        world = World(folder / "data", text)
        job = str(_say(capfd, told, ["submit", str(world.data), *OPENAI, "--yes", "--watch",
                                     "--json"])["job"])  # fmt: skip
        for command in COMMANDS:
            for way in WAYS.get(command, GENERIC):
                for more in ([], ["--json"]):
                    _say(capfd, told, [command, *world.words(way, job), *more])
        _failing_vendor(served, world, capfd, told, patch)
    found = [*told, *_kept(folder / "home", folder / "data")]
    for where, said in found:
        for canary in [*_forms(text), KEY, TOKEN]:
            assert canary not in said, f"{where}: {canary!r} in {said[:2000]}"


@pytest.mark.parametrize("text", ["canary 'a' \"b\" <c> & \\ é end", "canary 漢字 abc def ghi end"])
def test_a_repetition_would_be_found(text: str) -> None:
    from html import escape

    for said in (text, json.dumps({"a": text}), escape(text), repr([text]), f"line: {text[:14]}"):
        assert any(form in said for form in _forms(text)), said


def _nothing_is_fetched(*_: object, **__: object) -> Path:
    raise ProviderError("no model can be fetched in this test")


def _failing_vendor(
    served: Account, world: World, capfd: pytest.CaptureFixture[str],
    told: list[tuple[str, str]], patch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The same under faults, and with a key that the vendor refuses and quotes."""
    faults: list[Fault] = [Answers(500), DropAfter(), CutBody(), Answers(429, 0)]
    quoting = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}."}}).encode()
    faults += [Answers(401, body=quoting), Answers(400, body=quoting)]
    for number, fault in enumerate(faults):
        if number >= 4:
            patch.setenv("OPENAI_API_KEY", KEY)
        for method in ("GET", "POST"):
            served.injector.heal()
            served.injector.on(method, "", fault, times=None)
            args = ["submit", str(world.data), *OPENAI, "--yes", "--suffix", f"s{number}{method}"]
            _say(capfd, told, [*args, "--json"])
            _say(capfd, told, ["doctor", "openai"])
            _say(capfd, told, ["resume", "job_"])
    served.injector.heal()
