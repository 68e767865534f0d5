"""Watching one job and many, by one process and by two."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from emulated import Account
from jobs.conftest import Cli

import ftbridge as library
import ftbridge.jobs.ledger.database as database
from ftbridge.jobs.watch import Rhythm
from ftbridge.jobs.watcher import Pace
from ftbridge.testing.faults import Answers


def _events(cli: Cli, job: str) -> list[tuple[str, str]]:
    return [(one["time"], one["message"]) for one in cli("events", job).json["events"]]


def _process(folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ftbridge", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"FTBRIDGE_HOME": str(folder / "home")},
    )


def test_two_watchers_see_each_event_once(ftbridge: Cli, openai: Account, tmp_path: Path) -> None:
    openai.reset(speed=20)  # a second from its creation to its end
    job = ftbridge.job()
    seen: list[tuple[str, str]] = []

    def follow() -> None:
        bridge = library.Bridge(tmp_path / "home")
        for update in bridge.job(job).watch(0.01):
            seen.extend((event.time, event.message) for event in update.new_events)
        bridge.ledger.close()

    threads = [threading.Thread(target=follow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(seen) == Counter(_events(ftbridge, job))
    assert max(Counter(seen).values()) == 1 and len(seen) > 30


def test_two_watching_processes_keep_each_event_once(
    ftbridge: Cli, openai: Account, tmp_path: Path
) -> None:
    openai.reset(speed=5)
    job = ftbridge.job()
    both = [_process(tmp_path, "watch", job, "--interval", "0.02") for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    events = _events(ftbridge, job)
    assert max(Counter(events).values()) == 1 and len(events) > 30


def test_one_process_follows_all_by_the_list(ftbridge: Cli, openai: Account) -> None:
    jobs = {ftbridge.job(f"data{number}") for number in range(6)}
    openai.injector.requests.clear()
    end = threading.Timer(1.0, lambda: setattr(openai, "ahead", 30))
    end.start()
    said = ftbridge("watch")
    end.join()
    assert said.code == 0
    assert {job["job"] for job in said.json["jobs"]} == jobs
    assert {job["state"] for job in said.json["jobs"]} == {"succeeded"}
    paths = Counter(path.split("?")[0].split("/")[-1] for _, path in openai.injector.requests)
    singles = [path for path in paths if path.startswith("ftjob")]
    assert paths["jobs"] > 2, "one list call for many jobs"
    assert sum(paths[path] for path in singles) <= 6 * 3, "only the last few, one by one"
    for job in jobs:
        assert "The job has successfully completed" in _events(ftbridge, job)[-1][1]


def test_a_job_that_is_lost_does_not_stop_the_others(ftbridge: Cli, openai: Account) -> None:
    jobs = [ftbridge.job(f"data{number}") for number in range(5)]
    lost = ftbridge("status", jobs[0]).json["remote_id"]
    del openai.store.jobs[lost]
    openai.ahead = 30
    said = ftbridge("watch")
    assert said.code == 4 and jobs[0] in said.err
    states = Counter(job["state"] for job in said.json["jobs"])
    assert states["succeeded"] == 4 and states.total() == 5


def test_trouble_that_passes_is_told_and_waited_out(ftbridge: Cli, openai: Account) -> None:
    for number in range(4):
        ftbridge.job(f"data{number}")
    openai.ahead = 30
    openai.injector.on("GET", r"/jobs$", Answers(503, 900), times=2)
    said = ftbridge("watch")
    assert said.code == 0 and "503" in said.err


def test_a_ledger_that_is_held_for_a_while_loses_nobody(
    ftbridge: Cli, openai: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = {ftbridge.job(f"data{number}") for number in range(4)}
    openai.ahead = 30
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(
        tmp_path / "home" / "ledger.db", isolation_level=None, check_same_thread=False
    )
    holder.execute("begin immediate")
    end = threading.Timer(0.7, lambda: holder.execute("rollback"))
    end.start()
    said = ftbridge("watch")
    end.join()
    holder.close()
    assert said.code == 0 and "locked" in said.err
    assert {job["job"] for job in said.json["jobs"]} == jobs


def test_jobs_submitted_meanwhile_are_followed_too(
    ftbridge: Cli, openai: Account, tmp_path: Path
) -> None:
    openai.reset(speed=10)
    first = ftbridge.job("one")
    bridge = library.Bridge(tmp_path / "home")
    seen = set()
    with_second = ""
    for update in bridge.watch(interval=0.1):
        seen.add(update.job.id)
        if not with_second:
            with_second = ftbridge.job("two")
    assert seen == {first, with_second}
    assert bridge.job(with_second).state == "succeeded"
    bridge.ledger.close()


def test_interrupted_the_job_goes_on(ftbridge: Cli, openai: Account, tmp_path: Path) -> None:
    openai.reset(speed=0.01)
    job = ftbridge.job()
    for args in (["watch", job], ["watch"]):
        before = len(openai.injector.requests)
        watching = _process(tmp_path, *args)
        while len(openai.injector.requests) < before + 3:
            time.sleep(0.02)
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=30)
        assert watching.returncode == 130
        assert "ftbridge watch" in err and "Traceback" not in err
    assert ftbridge("status", job).json["state"] == "validating"


# -- notify ------------------------------------------------------------------------------------


def test_a_command_is_told_once(ftbridge: Cli, openai: Account, tmp_path: Path) -> None:
    job = ftbridge.job()
    openai.ahead = 30
    script = tmp_path / "tell.py"
    script.write_text(
        "import os, sys\n"
        f"with open({str(tmp_path / 'told')!r}, 'a') as told:\n"
        "    told.write(os.environ['FTBRIDGE_STATE'] + ' ' + sys.stdin.read() + '\\n')\n"
    )
    command = f"{sys.executable} {script} '; rm -rf ignored'"
    assert ftbridge("watch", job, "--notify", command).code == 0
    assert ftbridge("watch", job, "--notify", command).code == 0
    state, _, document = (tmp_path / "told").read_text().rstrip("\n").partition(" ")
    assert state == "succeeded" and json.loads(document)["job"] == job


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        refused = self.server.refusals  # type: ignore[attr-defined]
        self.send_response(refused.pop() if refused else 204)
        self.send_header("content-length", "0")
        self.end_headers()
        self.server.told.append(json.loads(body))  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Hook) as server:
        server.told, server.refusals = [], []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_webhook_is_told_of_each(ftbridge: Cli, openai: Account, hook: HTTPServer) -> None:
    jobs = {ftbridge.job(f"data{number}") for number in range(3)}
    openai.ahead = 30
    hook.refusals.append(500)  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{hook.server_port}/hook"
    said = ftbridge("watch", *jobs, "--notify", url)
    assert said.code == 0 and said.err.count("nobody was notified") == 1
    assert ftbridge("watch", *jobs, "--notify", url).code == 0
    told = Counter(document["job"] for document in hook.told)  # type: ignore[attr-defined]
    assert set(told) == jobs and sorted(told.values()) == [1, 1, 2]


def test_a_target_that_is_none(ftbridge: Cli) -> None:
    assert ftbridge("watch", "--notify", "'").code == 2


# -- when to look ------------------------------------------------------------------------------


def test_quiet_jobs_are_looked_at_less_but_within_two_intervals() -> None:
    random.seed(3)
    rhythm = Rhythm(10.0)
    assert 9 <= rhythm.next(news=True) <= 10
    pauses = [rhythm.next(news=False) for _ in range(50)]
    assert 13 < max(pauses) <= 15 and len(set(pauses)) == 50
    assert rhythm.next(news=True) <= 10
    assert max(rhythm.next(news=False, trouble=True) for _ in range(9)) > 80


def test_no_more_calls_a_second_than_allowed() -> None:
    pace, stop, began = Pace(100), threading.Event(), time.monotonic()
    for _ in range(21):
        pace.wait(stop)
    assert 0.2 <= time.monotonic() - began < 1
