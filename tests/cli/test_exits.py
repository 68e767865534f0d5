"""Every exit code, in the one shape of an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulated import Account

from ftbridge.cli import COMMANDS

from .conftest import Ask

WRONG = [
    (),
    ("no-such",),
    ("plan",),
    ("plan", "x.jsonl"),
    ("plan", "x.jsonl", "--provider", "opnai"),
    ("status", "job_none"),
    ("status",),
    ("jobs", "--limit", "0"),
    ("jobs", "--state", "odd"),
    ("jobs", "--since", "yesterday"),
    ("jobs", "--tag", "x"),
    ("eval", "x.jsonl", "--model", "job_none"),
    ("eval", "x.jsonl", "--model", "m", "--limit", "0"),
    ("chat", "job_none", "hello"),
    ("providers", "none"),
    ("models", "--provider", "none"),
    ("doctor", "none"),
    ("doctor", "openai", "--option", "x"),
    ("sandbox", "none"),
    ("sandbox", "openai", "--speed", "0"),
    ("sandbox", "openai", "--port", "70000"),
    ("sandbox", "openai", "--latency", "-1"),
    ("resolve", "job_none"),
    ("watch", "--interval", "-1"),
    ("download", "job_none", "-o", "x"),
]


@pytest.mark.parametrize("args", WRONG, ids=" ".join)
def test_wrong_usage(args: tuple[str, ...], ask: Ask, vendor: Account) -> None:
    assert ask(*args).code == 2
    if not args:
        return
    answer = ask(*args, "--json")
    assert (answer.code, answer.err) == (2, "")
    assert answer.error["hint"] or answer.error["message"].endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_flag_that_nobody_knows(name: str, ask: Ask) -> None:
    answer = ask(name, "--no-such-flag", "--json")
    assert answer.code == 2
    assert "--no-such-flag" in answer.error["message"]


def test_spending_needs_a_yes(ask: Ask, data: Path, vendor: Account) -> None:
    answer = ask("submit", data, "--provider", "openai", "--json")
    assert (answer.code, answer.error["where"]) == (2, "--yes")
    assert vendor.store.requests == []


def test_a_refusal_is_5_and_says_by_which_rule(ask: Ask, data: Path, vendor: Account) -> None:
    args = (data, "--provider", "openai", "--privacy", "restricted", "--json")
    for answer in (ask("submit", *args, "--yes"), ask("plan", *args)):
        assert (answer.code, answer.error["code"]) == (5, "policy")
        assert answer.error["where"] == "default.restricted-stays-here"
    assert ask("plan", *args).json["allowed"] is False


def test_a_closed_or_missing_way_is_4(
    ask: Ask, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask("submit", data, "--provider", "openai", "--yes", "--json")
    assert (answer.code, answer.error["code"]) == (4, "credentials")
    assert ask("doctor", "openai", "--json").code == 4
    monkeypatch.setenv("FTBRIDGE_NOW", "2027-02-01")
    answer = ask("submit", data, "--provider", "openai", "--yes", "--json")
    assert (answer.code, answer.error["code"]) == (4, "closed")
    answer = ask("plan", data, "--provider", "openai", "--model", "gpt-9", "--json")
    assert (answer.code, answer.error["code"]) == (4, "unsupported")
    assert ask("sandbox", "local", "--json").code == 4


def test_our_own_fault_is_1_without_a_traceback(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftbridge.bridge import Bridge
    from ftbridge.cli import run

    def broken(self: Bridge, **filters: object) -> None:
        raise ZeroDivisionError("private text")

    monkeypatch.setattr(Bridge, "jobs", broken)
    assert run(["jobs", "--json"]) == 1
    out, err = capfd.readouterr()
    assert '"code": "internal"' in out
    assert "private" not in out + err and "Traceback" not in out + err


def test_base_url_is_kept_with_the_job(
    ask: Ask, data: Path, vendor: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    url = f"{vendor.url}/v1"
    made = ask("submit", data, "--provider", "openai", "--yes", "--base-url", url, "--json")
    assert made.code == 0, made.out
    assert ask("watch", made.json["job"], "--json").json["state"] == "succeeded"


def test_no_colour_when_it_is_not_wanted(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    import sys

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    answer = ask("providers")
    assert answer.code == 0
    assert "\x1b[3" not in answer.out + answer.err
    wrong = ask("status", "job_none")
    assert wrong.code == 2
    assert "\x1b[3" not in wrong.err
