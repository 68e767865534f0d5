"""What every command answers with --json: the keys that others build on, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from emulated import Account, write_chats

from .conftest import Ask

JOB = {"job", "provider", "state", "raw_state", "remote_id", "model", "error", "created_at",
       "updated_at"}  # fmt: skip
DATA = "DATA"
ON_DATA = {
    "check": (
        ("check", DATA),
        {"kind", "examples", "bytes", "errors", "warnings", "tokens"},
    ),
    "compare": (("compare", DATA), {"offers", "excluded"}),
    "plan": (
        ("plan", DATA, "--provider", "openai"),
        {"provider", "model", "payload", "tokens", "usd", "losses", "warnings", "allowed", "key"},
    ),
    "submit": (
        ("submit", DATA, "--provider", "openai", "--yes"),
        {"job", "provider", "state", "remote_id", "usd"},
    ),
    "jobs": (("jobs",), {"jobs"}),
    "providers": (("providers",), {"providers"}),
    "models": (("models",), {"models"}),
    "doctor": (("doctor", "openai"), {"checks"}),
    "split": (("split", DATA, "--validation", "0.2", "-o", "OUT"), {"train", "validation"}),
}


@pytest.mark.parametrize("name", ON_DATA)
def test_keys_of_commands(name: str, ask: Ask, data: Path, tmp_path: Path, vendor: Account) -> None:
    args, keys = ON_DATA[name]
    real = [{DATA: str(data), "OUT": str(tmp_path / "out")}.get(arg, arg) for arg in args]
    answer = ask(*real, "--json")
    assert answer.code == 0, answer.out
    assert answer.json.keys() >= keys
    assert answer.err == ""
    assert answer.out.count("\n") == 1


def test_rows_inside(ask: Ask, data: Path, vendor: Account) -> None:
    offer = ask("compare", data, "--json").json["offers"][0]
    assert offer.keys() >= {"provider", "model", "method", "adapter", "usd", "tokens", "basis",
                            "notes", "allowed"}  # fmt: skip
    assert offer["usd"].keys() >= {"low", "high", "lines", "unknown"}
    provider = ask("providers", "openai", "--json").json["providers"][0]
    assert provider.keys() >= {"provider", "kind", "methods", "adapters", "installed",
                               "install_hint", "as_of", "closes"}  # fmt: skip
    model = ask("models", "--provider", "openai", "--json").json["models"][0]
    assert model.keys() >= {"provider", "model", "family", "methods", "adapters", "context",
                            "as_of", "closes"}  # fmt: skip
    check = ask("doctor", "openai", "--json").json["checks"][0]
    assert check.keys() >= {"provider", "name", "ok", "message", "hint"}


@pytest.mark.parametrize("name", ["status", "watch", "resume"])
def test_keys_of_a_job(name: str, ask: Ask, ended: str) -> None:
    answer = ask(name, ended, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.json.keys() >= JOB
    assert answer.json["state"] == "succeeded"
    assert answer.json["created_at"].endswith("Z")
    assert isinstance(answer.json["usd"]["high"], float)


def test_events_chat_and_purge(ask: Ask, ended: str) -> None:
    assert ask("events", ended, "--json").json["events"]
    reply = ask("chat", ended, "colour 3", "--json")
    assert reply.json["text"] == "yes"
    assert len(ask("purge", ended, "--json").json["purged"]) == 1


def test_jobs_gives_all_in_json(ask: Ask, tmp_path: Path, vendor: Account) -> None:
    for number in range(22):
        path = write_chats(tmp_path / f"d{number}.jsonl")
        assert ask("submit", path, "--provider", "openai", "--yes", "--json").code == 0
    assert len(ask("jobs", "--json").json["jobs"]) == 22
    assert len(ask("jobs", "--limit", 3, "--json").json["jobs"]) == 3
    assert len(ask("jobs").out.splitlines()) == 20


def test_pause_resume_cancel(ask: Ask, data: Path, vendor: Account) -> None:
    vendor.reset(speed=0.2)
    job = ask("submit", data, "--provider", "openai", "--yes", "--json").json["job"]
    vendor.ahead = 50
    paused = ask("pause", job, "--json")
    assert (paused.code, paused.json["state"]) == (0, "paused")
    assert ask("watch", job, "--json").error["code"] == "paused"
    assert ask("resume", job, "--json").json["state"] in ("queued", "running")
    cancelled = ask("cancel", job, "--json")
    assert (cancelled.code, cancelled.json["state"]) == (0, "cancelled")
    again = ask("cancel", job, "--json")
    assert (again.code, again.error["code"]) == (1, "already_ended")


def test_eval(ask: Ask, ended: str, tmp_path: Path) -> None:
    held = write_chats(tmp_path / "held.jsonl", "number", count=20)
    answer = ask("eval", held, "--model", ended, "--json")
    assert (answer.code, answer.err) == (0, "")
    found = answer.json
    assert found.keys() >= {"n", "baseline", "tuned", "difference", "verdict"}
    assert found["n"] == 20
    for side in ("baseline", "tuned"):
        assert found[side].keys() >= {"metric", "value", "ci"}
    assert found["difference"].keys() >= {"value", "ci", "p"}
    low, high = found["tuned"]["ci"]
    assert 0 <= low <= found["tuned"]["value"] <= high <= 1
    assert (found["baseline"]["value"], found["tuned"]["value"]) == (0.0, 1.0)
    assert found["verdict"] == "better"


def test_a_plain_pipe_is_silent_on_stderr(ask: Ask, data: Path, vendor: Account) -> None:
    for args in (("check", data), ("compare", data), ("providers",), ("models",)):
        answer = ask(*args)
        assert (answer.code, answer.err) == (0, "")
        assert answer.out and "\x1b" not in answer.out


def test_a_failed_job_says_so_in_the_shape_of_an_error(
    ask: Ask, data: Path, vendor: Account
) -> None:
    vendor.reset(speed=0.2)
    job = ask("submit", data, "--provider", "openai", "--yes", "--json").json
    vendor.store.force_status(job["remote_id"], "failed")
    answer = ask("watch", job["job"], "--json")
    assert (answer.code, answer.json["state"]) == (1, "failed")
    assert answer.error["code"]
    assert ask("watch", job["job"]).code == 1


def test_a_cancelled_job_is_no_success(ask: Ask, data: Path, vendor: Account) -> None:
    vendor.reset(speed=0.2)
    job = ask("submit", data, "--provider", "openai", "--yes", "--json").json["job"]
    ask("cancel", job)
    answer = ask("watch", job, "--json")
    assert answer.code == 1
    assert answer.error["message"]


def test_download_of_what_the_vendor_keeps(ask: Ask, ended: str, tmp_path: Path) -> None:
    answer = ask("download", ended, "-o", tmp_path / "w", "--json")
    assert (answer.code, answer.error["code"]) == (4, "unsupported")


def test_plan_is_one_document_and_sends_nothing(ask: Ask, data: Path, vendor: Account) -> None:
    answer = ask("plan", data, "--provider", "openai", "--n-epochs", 2, "--json")
    assert answer.json["tokens"]["n_epochs"] == 2
    assert json.dumps(answer.json["payload"])
    assert vendor.store.requests == []
