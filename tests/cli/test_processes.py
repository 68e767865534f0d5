"""What only a real process shows: Ctrl-C, a pipe that closes, a sandbox in the foreground."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from emulated import Account

from .conftest import Ask

FTBRIDGE = (sys.executable, "-m", "ftbridge")


def _until(holds: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def _start(*args: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*FTBRIDGE, *args], stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("command", ["watch", "submit"])
def test_interrupted_the_job_goes_on(command: str, ask: Ask, data: Path, vendor: Account) -> None:
    vendor.reset(speed=0.01)
    submit = ["submit", str(data), "--provider", "openai", "--yes", "--json"]
    if command == "watch":
        args = ["watch", str(ask(*submit).json["job"]), "--json"]
    else:
        args = [*submit, "--watch"]
    process = _start(*args)
    _until(lambda: any(r.path.endswith("/events") for r in vendor.store.requests))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    (job,) = ask("jobs", "--json").json["jobs"]
    assert f"ftbridge watch {job['job']}" in err
    assert (out, "Traceback" in err) == ("", False)
    vendor.ahead = 10_000
    assert ask("watch", job["job"], "--json").json["state"] == "succeeded"


def test_a_closed_pipe_is_no_error(data: Path, tmp_path: Path) -> None:
    for args in (("models", "--json"), ("plan", str(data), "--provider", "openai"), ("--help",)):
        process = _start(*args)
        assert process.stdout and process.stderr
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
        assert (process.wait(20), said) == (0, "")


def test_sandbox(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "sandbox.env"
    began = time.monotonic()
    process = _start("sandbox", "openai", "--speed", "50", "--env-file", str(file), "--json")
    try:
        _until(file.exists, 15)
        assert time.monotonic() - began < 15
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert process.stdout
        document = json.loads(process.stdout.readline())
        lines = file.read_text().splitlines()
        assert dict(shlex.split(line)[0].split("=", 1) for line in lines) == document["env"]
        sourced = subprocess.run(
            ["sh", "-c", f". {shlex.quote(str(file))}; echo $OPENAI_BASE_URL"],
            capture_output=True,
            text=True,
        )
        assert sourced.stdout.strip() == document["env"]["OPENAI_BASE_URL"]
        url = f"{document['env']['OPENAI_BASE_URL']}/models"
        key = {"Authorization": f"Bearer {document['env']['OPENAI_API_KEY']}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=key)) as answer:
            assert answer.status == 200
        busy = subprocess.run(
            [*FTBRIDGE, "sandbox", "openai", "--json", "--port", document["url"].split(":")[-1]],
            capture_output=True,
            text=True,
        )
        assert (busy.returncode, json.loads(busy.stdout)["error"]["where"]) == (2, "--port")
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode in (0, 130)
    assert "Traceback" not in err


def test_values_of_the_env_file_are_always_quoted(tmp_path: Path) -> None:
    file = tmp_path / "s.env"
    process = _start("sandbox", "openai", "--env-file", str(file))
    try:
        _until(file.exists, 15)
        assert all(line.endswith("'") and "='" in line for line in file.read_text().splitlines())
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_the_guard_stops_a_test_that_goes_outside() -> None:
    with socket.socket() as outward, pytest.raises(AssertionError, match="tried to reach"):
        outward.connect(("192.0.2.1", 80))
    assert not [name for name in os.environ if name.startswith("OPENAI_")]
