"""Secrets and personal data: found by kind, replaced consistently, shown by nothing."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ftbridge.cli import cli
from ftbridge.dataset import Dataset, check, scan
from ftbridge.dataset.quality.page import page
from ftbridge.dataset.quality.suspects import suspects
from ftbridge.dataset.redact import redact
from ftbridge.dataset.scan import scan_text
from ftbridge.errors import UsageError

from .rows import chat, clean, write

# Put together here, so that no scanner of repositories takes them for real ones.
VALUES = {
    "jane.doe@example.com": "email",
    "+49 30 1234567": "phone",
    "(555) 123-4567": "phone",
    "0171 1234567": "phone",
    "DE89 3704 0044 0532 0130 00": "iban",
    "GB29NWBK60161331926819": "iban",
    "4111 1111 1111 1111": "card",
    "378282246310005": "card",
    "123-45-6789": "ssn",
    "AKIA" + "IOSFODNN7EXAMPLE": "aws_key",
    "sk-" + "proj-abcdefghijklmnop1234": "api_key",
    "sk_" + "live_abcdefghijklmnop1234": "stripe_key",
    "ghp_" + "a1B2" * 9: "github_token",
    "glpat-" + "a1B2" * 5: "gitlab_token",
    "xoxb-" + "123456789012-abcdefghij": "slack_token",
    "AIza" + "a1B2c" * 7: "google_key",
    "hf_" + "a1B2c" * 7: "huggingface_token",
    "npm_" + "a1B2" * 9: "npm_token",
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0.abcDEF123456": "jwt",
    "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END PRIVATE KEY-----": (
        "private_key"
    ),
}
CANARIES = sorted(VALUES)


@pytest.mark.parametrize(("value", "kind"), VALUES.items(), ids=VALUES.values())
def test_each_kind_is_found_where_it_stands(value: str, kind: str) -> None:
    text = f"Here it is: {value} and so on."
    assert [(span.kind, text[span.start : span.end]) for span in scan_text(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "order 1234567890 of 2024-05-29 13:46, 3.14159265358979",
        "4111 1111 1111 1112 and DE89 3704 0044 0532 0130 01",
        "000-12-3456, 0x1234567890ab, version 10.20.30.40",
        "the password is required; choose a secret key",
        "<EMAIL_1> password: <PASSWORD_1>",
        "commit 3f2a9c81d0e4b7a6c5d4e3f2a1b0c9d8e7f6a5b4",
    ],
)
def test_numbers_and_prose_that_only_look_like_it_are_left_alone(text: str) -> None:
    assert scan_text(text) == []


NAMED = [
    "password: hunter2", "DB_PASSWORD=abc123", '{"api_key": "a1b2c3d4e5"}', "pwd = 'x9y8z7'",
    "my secret key: a1b2c3", "Refresh-Token\u00a0:\u3000a1b2c3d4", "\u0130\u0130 PASSWD=abc123",
    "the password is hunter22", "passphrase = c0rrect", 'accountKey\\": \\"a1b2c3d4\\"',
]  # fmt: skip


@pytest.mark.parametrize("text", NAMED)
def test_a_value_that_a_name_gives_away(text: str) -> None:
    (span,) = scan_text(text)
    assert span.kind == "password"
    assert any(char.isdigit() for char in text[span.start : span.end])


@pytest.mark.parametrize("text", [*NAMED, *(f"it is {value}." for value in CANARIES)])
def test_the_quick_look_misses_nothing_that_the_scan_finds(text: str) -> None:
    quiet = b"A quiet sentence about a password, a token and a key.\n"
    found = text.encode() + b"\n"
    for texts in ([quiet, found, quiet], [found], [quiet, quiet, found]):
        ((index, looks),) = suspects(texts).items()
        assert index == texts.index(found)
        assert scan_text(text, looks) == scan_text(text) != []


def test_a_url_keeps_all_but_its_password() -> None:
    text = "postgres://app:pa55w0rd@db.example.com/x"
    assert [text[s.start : s.end] for s in scan_text(text)] == ["pa55w0rd"]


def _planted() -> list[object]:
    rows = clean(5)
    for value in CANARIES:
        arguments = json.dumps({"to": value, "n": 4111111111111111, "password": "tr0ub4dor"})
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
        tool = {"name": "f", "description": f"asks {value}", "parameters": {"x": value}}
        rows.append(
            {
                "messages": [
                    {"role": "system", "content": f"You know {value}"},
                    {"role": "user", "content": [{"type": "text", "text": f"It is {value} now"}]},
                    {"role": "assistant", "tool_calls": [call]},
                    {"role": "tool", "tool_call_id": "c", "content": json.dumps({"was": value})},
                    {"role": "assistant", "content": f"I see {value}"},
                ],
                "tools": [{"type": "function", "function": tool}],
                "metadata": {"group": value},
            }
        )
    return rows


def _leaked(text: str) -> list[str]:
    short = [value.splitlines()[-2] if "\n" in value else value for value in CANARIES]
    return [value for value in [*short, "tr0ub4dor", "4111111111111111"] if value in text]


def test_findings_name_kind_and_line_and_no_output_shows_a_value(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", _planted())
    report = check(Dataset(path))
    found = {w.code.partition(".")[2]: w.lines for w in report.warnings if "." in w.code}
    assert set(found) >= set(VALUES.values()) and found["email"] == [
        6 + CANARIES.index("jane.doe@example.com")
    ]
    runner = CliRunner()
    outputs = [page(report, "a.jsonl"), repr(report)]
    for args in (["check", str(path)], ["check", str(path), "--json"]):
        outputs.append(runner.invoke(cli, args).output)
    for args in ([], ["--json"]):
        out = tmp_path / "o.jsonl"
        outputs.append(runner.invoke(cli, ["redact", str(path), "-o", str(out), *args]).output)
    assert all(outputs) and not [value for text in outputs for value in _leaked(text)]


def test_redaction_leaves_nothing_and_stays_valid(tmp_path: Path) -> None:
    data = Dataset(write(tmp_path / "a.jsonl", _planted()))
    done = redact(data, tmp_path / "b.jsonl")
    text = done.path.read_text("utf-8")
    assert not _leaked(text) and done.rows == len(CANARIES) + 5 and done.changed == len(CANARIES)
    assert not [w for w in check(Dataset(done.path)).warnings if "." in w.code]
    last = json.loads(text.splitlines()[5])
    arguments = json.loads(last["messages"][2]["tool_calls"][0]["function"]["arguments"])
    assert arguments["n"] == "<CARD_1>" or arguments["n"].startswith("<CARD_")
    assert arguments["password"] == "<PASSWORD_1>" and arguments["to"] == last["metadata"]["group"]
    again = redact(Dataset(done.path), tmp_path / "c.jsonl")
    assert again.changed == 0 and again.findings == [] and again.path.read_text("utf-8") == text


def test_placeholders_in_the_file_are_not_used_again(tmp_path: Path) -> None:
    rows = [chat("Write to <EMAIL_3>", "Yes."), chat("or a@b.org or a@b.org or c@b.org", "No.")]
    done = redact(Dataset(write(tmp_path / "a.jsonl", rows)), tmp_path / "b.jsonl")
    assert "<EMAIL_4> or <EMAIL_4> or <EMAIL_5>" in done.path.read_text("utf-8")
    assert [(f.kind, f.count, f.placeholders) for f in done.findings] == [("email", 3, 2)]


def test_the_original_is_never_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", clean(2))
    with pytest.raises(UsageError, match="replace the original"):
        redact(Dataset(path), path)


_TEXTS = st.lists(
    st.sampled_from([*CANARIES, "password: hunter2", " ", "\n", '"', "{", "[1]", "\\", "é", "字"])
    | st.text(max_size=8),
    max_size=8,
).map("".join)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(_TEXTS, _TEXTS), min_size=1, max_size=4))
def test_redaction_is_idempotent_and_changes_nothing_else(texts: list[tuple[str, str]]) -> None:
    rows = [chat(user + "?", json.dumps({"a": answer})) for user, answer in texts]
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "b.jsonl", Path(folder) / "c.jsonl"
        data = Dataset(write(Path(folder) / "a.jsonl", rows))
        done = redact(data, first)
        assert redact(Dataset(first), second).changed == 0
        assert first.read_bytes() == second.read_bytes()
        for line, (user, answer) in zip(first.read_text("utf-8").split("\n"), texts, strict=False):
            clean_row = json.loads(line)["messages"]
            if not scan_text(user + "?") and not scan_text(json.dumps(answer)):
                assert clean_row[0]["content"] == user + "?"
            json.loads(clean_row[1]["content"])
        assert done.rows == len(rows)


NUMBERS = [value for value, kind in VALUES.items() if kind in ("phone", "iban", "card", "ssn")]
PIECES = st.sampled_from([
    *NUMBERS, "call me", "order 1234567", "2024-05-29 13:46", " ", ", ", "\n", "word ", "x" * 70,
    "12 ", "345-", "MT84MALT011000012345MTLCAST001S", "0" * 30,
])  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
@settings(max_examples=300, deadline=None)
def test_looking_around_digits_finds_what_looking_everywhere_finds(text: str) -> None:
    near = scan_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "_REACH", 10**6)
        assert scan_text(text) == near
