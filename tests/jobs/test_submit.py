"""A submit that meets the world: lost answers, other processes, people who change their minds."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from emulated import Account, write_chats
from jobs.conftest import Cli

import ftbridge as library
from ftbridge.jobs.states import State
from ftbridge.testing.faults import Answers, Delay, DropAfter, DropBefore, replaced
from ftbridge_openai.adapter import OpenAIProvider


@pytest.fixture
def unsearchable(monkeypatch: pytest.MonkeyPatch) -> None:
    lacks = {"find": "no search", "find_upload": "no search"}
    monkeypatch.setattr(OpenAIProvider, "absent", {**OpenAIProvider.absent, **lacks})


def _rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    ledger = sqlite3.connect(folder / "home" / "ledger.db")
    try:
        return ledger.execute(query).fetchall()
    finally:
        ledger.close()


# -- uncertain ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("unsearchable")
def test_a_person_names_the_remote_job(ftbridge: Cli, openai: Account) -> None:
    openai.injector.on("POST", r"/jobs$", DropAfter())
    said = ftbridge.submit()
    assert (said.code, said.json["error"]["code"]) == (1, "uncertain")
    assert "ftbridge resolve" in said.json["error"]["hint"]
    job = ftbridge("jobs").json["jobs"][0]
    assert job["state"] == "uncertain"
    assert ftbridge.submit().code == 1, "the same plan attaches, and is as uncertain"
    remote = next(iter(openai.store.jobs))
    assert ftbridge("resolve", job["job"]).code == 2
    found = ftbridge("resolve", job["job"], "--remote-id", remote)
    assert (found.json["remote_id"], found.json["state"]) == (remote, "validating")
    assert ftbridge("resolve", job["job"], "--none").json["error"]["code"] == "not_uncertain"
    assert len(openai.store.jobs) == 1


@pytest.mark.usefixtures("unsearchable")
def test_a_person_sees_none(ftbridge: Cli, openai: Account) -> None:
    openai.injector.on("POST", r"/jobs$", DropBefore())
    assert ftbridge.submit().code == 1
    job = ftbridge("jobs").json["jobs"][0]["job"]
    assert ftbridge("cancel", job).json["error"]["code"] == "uncertain"
    assert ftbridge("resolve", job, "--none").json["state"] == "preparing"
    # the cancel that could not be carried out has stayed in force
    assert ftbridge("resume", job).json["state"] == "cancelled"
    assert not openai.store.jobs


@pytest.mark.usefixtures("unsearchable")
def test_a_remote_job_is_ours_once(ftbridge: Cli, openai: Account) -> None:
    ftbridge.job("first")
    openai.injector.on("POST", r"/jobs$", DropBefore())
    ftbridge.submit("second")
    second = ftbridge("jobs", "--state", "uncertain").json["jobs"][0]["job"]
    said = ftbridge("resolve", second, "--remote-id", next(iter(openai.store.jobs)))
    assert said.json["error"]["code"] == "already_adopted"
    assert ftbridge("resolve", second, "--remote-id", "ftjob-nobody").code == 4
    assert ftbridge("status", second).json["state"] == "uncertain"


def test_lists_that_lag(ftbridge: Cli, openai: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_OPENAI_SETTLE_SECONDS", "1.5")
    openai.store.list_lag = 0.4
    openai.injector.on("POST", r"/files$", DropAfter())
    openai.injector.on("POST", r"/jobs$", Answers(500, delivered=True))
    assert ftbridge.submit().code == 0
    assert len(openai.store.jobs) == 1 and len(openai.uploaded()) == 1


# -- attach and again --------------------------------------------------------------------------


def test_same_plan_attaches_until_it_has_ended(ftbridge: Cli, openai: Account) -> None:
    job = ftbridge.job()
    assert ftbridge.job() == job
    openai.ahead = 30
    ftbridge("watch", job)
    assert ftbridge.submit().json["error"]["code"] == "already_ended"
    second = ftbridge.job("train", "--again")
    assert second != job and len(openai.store.jobs) == 2
    keys = {(one.metadata or {})["ftbridge_key"] for one in openai.store.jobs.values()}
    assert len(keys) == 2


def _process(folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ftbridge", *args, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"FTBRIDGE_HOME": str(folder / "home")},
    )


def test_two_processes_submit_the_same_plan(openai: Account, tmp_path: Path) -> None:
    data = str(write_chats(tmp_path / "train.jsonl"))
    openai.injector.on("POST", r"/files$", Delay(0.3))
    openai.injector.on("POST", r"/jobs$", Delay(0.3))
    args = ("submit", data, "--provider", "openai", "--yes")
    both = [_process(tmp_path, *args) for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(openai.store.jobs) == 1 and len(openai.uploaded()) == 1
    remote = next(iter(openai.store.jobs))
    assert all(f'"remote_id": "{remote}"' in out for out, _ in said)
    assert _rows(tmp_path, "select count(*) from jobs") == [(1,)]


# -- cancel before paying ----------------------------------------------------------------------


def test_cancel_of_an_unfinished_submit_asks_nobody(ftbridge: Cli, openai: Account) -> None:
    openai.injector.on("POST", r"/files$", Answers(403), times=None)
    assert ftbridge.submit().code == 4
    job = ftbridge("jobs").json["jobs"][0]
    assert job["state"] == "preparing" and job["error"]["status"] == 403
    before = len(openai.injector.requests)
    assert ftbridge("cancel", job["job"]).json["state"] == "cancelled"
    assert len(openai.injector.requests) == before
    openai.injector.heal()
    assert ftbridge.submit("train", "--again").code == 0


@pytest.mark.parametrize(("path", "jobs"), [(r"/files$", 0), (r"/files/[^/]+$", 0), (r"/jobs$", 1)])
def test_cancel_while_another_process_submits(
    ftbridge: Cli, openai: Account, tmp_path: Path, path: str, jobs: int
) -> None:
    method = "GET" if "[^/]" in path else "POST"
    openai.injector.on(method, path, Delay(0.7))
    bridge = library.Bridge(tmp_path / "home")
    plan = bridge.plan(write_chats(tmp_path / "train.jsonl"), provider="openai")
    worker = threading.Thread(target=bridge.submit, args=(plan,))
    worker.start()
    while not any(how == method and re.search(path, where)
                  for how, where in openai.injector.requests):  # fmt: skip
        threading.Event().wait(0.01)
    job = bridge.jobs()[0].id
    said = ftbridge("cancel", job)
    worker.join()
    assert said.code == 0, said
    assert ftbridge("status", job).json["state"] == "cancelled"
    assert len(openai.store.jobs) == jobs
    assert all(one.cancelled_at for one in openai.store.jobs.values())
    bridge.ledger.close()


# -- files -------------------------------------------------------------------------------------


def test_a_file_is_waited_for(ftbridge: Cli, openai: Account) -> None:
    openai.injector.on("GET", r"/files/[^/]+$", replaced("status", "uploaded"), times=2)
    assert ftbridge.submit().code == 0
    assert sum("/files/" in path for _, path in openai.injector.requests) == 3


def test_a_file_that_the_vendor_cannot_use_fails_the_job(ftbridge: Cli, openai: Account) -> None:
    openai.injector.on("GET", r"/files/[^/]+$", replaced("status", "error"))
    assert ftbridge.submit().code == 4
    assert ftbridge("jobs").json["jobs"][0]["state"] == "failed"


def test_a_file_is_sent_once_until_it_is_gone(
    ftbridge: Cli, openai: Account, tmp_path: Path
) -> None:
    ftbridge.job("train", "--suffix", "one")
    ftbridge.job("train", "--suffix", "two")
    assert len(openai.uploaded()) == 1
    assert _rows(tmp_path, "select count(*) from egress where action = 'sent'") == [(1,)]
    openai.store.files.clear()  # it expired at the vendor
    ftbridge.job("train", "--suffix", "three")
    assert len(openai.uploaded()) == 1
    assert _rows(tmp_path, "select count(*) from egress where action = 'sent'") == [(2,)]
    assert _rows(tmp_path, "select count(*) from files where purged_at is not null") == [(1,)]


def test_purge_leaves_what_another_job_needs(ftbridge: Cli, openai: Account) -> None:
    first = ftbridge.job("train", "--suffix", "one")
    assert ftbridge("purge", first).json["error"]["code"] == "not_ended"
    openai.ahead = 30
    ftbridge("watch", first)
    second = ftbridge.job("train", "--suffix", "two")
    kept = ftbridge("purge", first).json
    assert kept["purged"] == [] and kept["kept"][0]["needed_by"] == [second]
    openai.ahead = 60
    ftbridge("watch", second)
    openai.injector.on("DELETE", r"/files/", Answers(500), times=None)
    failed = ftbridge("purge", second)
    assert (failed.code, failed.json["error"]["code"]) == (1, "not_deleted")
    assert failed.json["purged"] == [] and failed.json["not_deleted"][0]["reason"]
    openai.injector.heal()
    assert [item["verified"] for item in ftbridge("purge", second).json["purged"]] == [True]
    assert openai.uploaded() == []
    assert ftbridge("purge", second).json == {
        "job": second, "purged": [], "kept": [], "not_deleted": [], "model": None, "replies": 0,
    }  # fmt: skip


# -- refusals ----------------------------------------------------------------------------------


def test_no_balance_is_not_retried_and_can_be_resumed(ftbridge: Cli, openai: Account) -> None:
    body = b'{"error": {"message": "You exceeded", "code": "insufficient_quota", "type": "x"}}'
    openai.injector.on("POST", r"/jobs$", Answers(429, 0, body))
    said = ftbridge.submit()
    assert (said.code, said.json["error"]["vendor_code"]) == (4, "insufficient_quota")
    assert sum(method == "POST" for method, _ in openai.injector.requests) == 2
    job = ftbridge("jobs").json["jobs"][0]["job"]
    assert ftbridge("resume", job).json["error"] is None
    assert len(openai.store.jobs) == 1


def test_a_refused_create_fails_the_job(ftbridge: Cli, openai: Account) -> None:
    said = ftbridge.submit("train", "--suffix", "x" * 18, "--n-epochs", "3")
    assert said.code == 0
    body = b'{"error": {"message": "no such model", "code": "model_not_available"}}'
    openai.injector.on("POST", r"/jobs$", Answers(400, body=body))
    said = ftbridge.submit("other")
    assert said.code == 4 and "no such model" in said.json["error"]["message"]
    job = ftbridge("jobs").json["jobs"][0]
    assert job["state"] == "failed" and job["error"]["vendor_code"] == "model_not_available"
    assert len(openai.store.jobs) == 1


# -- money -------------------------------------------------------------------------------------


def test_a_job_over_its_limit_sends_nothing(ftbridge: Cli, openai: Account) -> None:
    said = ftbridge.submit("train", "--max-usd", "0.0001")
    assert (said.code, said.json["error"]["code"]) == (5, "budget")
    assert openai.injector.requests == []


def test_two_processes_race_for_the_months_cap(
    ftbridge: Cli, openai: Account, tmp_path: Path
) -> None:
    files = [str(write_chats(tmp_path / f"{name}.jsonl")) for name in ("one", "two")]
    usd = ftbridge("plan", files[0], "--provider", "openai").json["usd"]["high"]
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "config.toml").write_text(f"[budget]\nmonthly_usd = {usd * 1.5:.6f}\n")
    both = [_process(tmp_path, "submit", data, "--provider", "openai", "--yes") for data in files]
    said = [process.communicate(timeout=60) for process in both]
    assert sorted(process.returncode for process in both) == [0, 5], said
    assert len(openai.store.jobs) == 1 and len(openai.uploaded()) == 1
    # a job that ends without a model gives its money back
    job = ftbridge("jobs").json["jobs"][0]["job"]
    assert ftbridge("cancel", job).code == 0
    assert {ftbridge("submit", data, "--provider", "openai", "--yes", "--again").code
            for data in files} == {0, 5}  # fmt: skip


def test_the_bill_takes_the_reservations_place(
    ftbridge: Cli, openai: Account, tmp_path: Path
) -> None:
    job = ftbridge.job()
    openai.ahead = 30
    done = ftbridge("watch", job).json
    assert done["billed_tokens"] > 0 and done["billed_usd"] > 0
    held = _rows(tmp_path, "select micro_usd from reservations")
    assert held == [(round(done["billed_usd"] * 1e6),)]


def test_a_run_that_will_cost_more_is_said_once(
    ftbridge: Cli, openai: Account, tmp_path: Path
) -> None:
    job = ftbridge.job("train", "--n-epochs", "2")
    openai.ahead = 10
    openai.injector.on("GET", r"/jobs/[^/]+$", replaced("n_epochs", 9), times=None)
    bridge = library.Bridge(tmp_path / "home")
    found = bridge.job(job).refresh()
    assert len(found.warnings) == 1 and "instead of" in found.warnings[0]
    assert bridge.job(job).refresh().warnings == []
    assert bridge.job(job).warnings() == found.warnings
    bridge.ledger.close()


# -- odd states --------------------------------------------------------------------------------


def test_an_unknown_word_is_warned_of_once_and_watched_on(
    openai: Account, ftbridge: Cli, tmp_path: Path
) -> None:
    job = ftbridge.job()
    bridge = library.Bridge(tmp_path / "home")
    openai.store.force_status(next(iter(openai.store.jobs)), "reticulating")
    seen = bridge.job(job).refresh()
    assert (seen.job.state, seen.job.raw_state) == (State.UNKNOWN, "reticulating")
    assert len(seen.warnings) == 1 and "reticulating" in seen.warnings[0]
    assert bridge.job(job).refresh().warnings == []
    openai.store.force_status(next(iter(openai.store.jobs)), None)
    assert bridge.job(job).refresh().job.state is State.VALIDATING
    bridge.ledger.close()


def test_a_standstill_is_warned_of_once(
    openai: Account, ftbridge: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ftbridge.job()
    monkeypatch.setenv("FTBRIDGE_OPENAI_STALL_SECONDS", "0.05")
    bridge = library.Bridge(tmp_path / "home")
    bridge.job(job).refresh()  # its first events are news
    threading.Event().wait(0.1)
    assert "no news" in bridge.job(job).refresh().warnings[0]
    assert bridge.job(job).refresh().warnings == []
    bridge.ledger.close()
