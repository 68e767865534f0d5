"""Restricted data is trained on here and nowhere else: no connection is even attempted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ftbridge
from ftbridge_local import models, runs

from .conftest import Ask, rows

RECORDER = """
import os, sys

def _seen(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        where = args[1]
        host = where[0] if isinstance(where, tuple) else ""
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and not str(host).startswith(("127.", "::1", "localhost")):
        with open(os.environ["ATTEMPTS"], "a") as stream:
            stream.write(f"{os.getpid()} {event} {host}\\n")

sys.addaudithook(_seen)
with open(os.environ["ATTEMPTS"] + ".watched", "a") as stream:
    stream.write(f"{os.getpid()} {' '.join(sys.orig_argv[1:4])}\\n")
"""
"""Started in every Python process by its name, before anything else is."""

LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
with socket.socket() as lo:
    fcntl.ioctl(lo, 0x8914, struct.pack("16sh", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
MINUTES = 240
"""Seconds that a busy machine may take for a training of a few steps."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ftbridge.testing.tiny_model import build

    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def watched(tmp_path: Path, closed_world: Path) -> dict[str, str]:
    """An environment in which every Python process writes down what it tries to reach."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(RECORDER)
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_OFFLINE")}
    return environment | {
        "PYTHONPATH": str(tmp_path / "hook"),
        "ATTEMPTS": str(tmp_path / "attempts"),
        "FTBRIDGE_HOME": str(closed_world),
    }


def _submit(data: Path, model: Path) -> list[str]:
    options = {"compute_dtype": "fp32", "threads": "1", "checkpoint_steps": "2"}
    given = [word for name, value in options.items() for word in ("--option", f"{name}={value}")]
    return [
        "-m", "ftbridge", "submit", str(data), "--provider", "local", "--model", str(model),
        "--adapter", "lora", "--privacy", "restricted", "--n-epochs", "1", "--batch-size", "4",
        *given, "--watch", "--json",
    ]  # fmt: skip


def _attempts(environment: dict[str, str]) -> list[str]:
    watched = Path(environment["ATTEMPTS"] + ".watched").read_text()
    assert "ftbridge_trainer" in watched, "the trainer was not watched"
    path = Path(environment["ATTEMPTS"])
    return path.read_text().splitlines() if path.exists() else []


def _can_unshare() -> str:
    """Why no network namespace can be had here; empty where it can."""
    if shutil.which("unshare") is None:
        return "there is no unshare"
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", LOOPBACK_UP, "-c", "pass"],
        capture_output=True,
        text=True,
    )
    return done.stderr.strip()[-200:] if done.returncode else ""


@pytest.mark.training
def test_a_restricted_run_attempts_no_connection(
    data: Path, model: Path, watched: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, *_submit(data, model)],
        env=watched, capture_output=True, text=True, timeout=MINUTES,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["state"] == "succeeded"
    assert _attempts(watched) == []


@pytest.mark.training
def test_a_restricted_run_without_any_network(
    data: Path, model: Path, watched: dict[str, str]
) -> None:
    """In a network namespace that has nothing but loopback."""
    if why := _can_unshare():
        pytest.skip(f"no network namespace here: {why}")
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", LOOPBACK_UP, *_submit(data, model)],
        env=watched, capture_output=True, text=True, timeout=MINUTES,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["state"] == "succeeded"
    assert _attempts(watched) == []


def test_the_watch_sees_an_attempt(tmp_path: Path, watched: dict[str, str]) -> None:
    """The recorder is no wall: it sees what is tried, before the name is looked up."""
    code = (
        "import socket; from ftbridge_trainer import guard; guard.install()\n"
        "datagram = socket.socket(type=socket.SOCK_DGRAM)\n"
        "for call in (lambda: socket.create_connection(('example.com', 80), 1),\n"
        "             lambda: socket.socket().connect(('192.0.2.1', 80)),\n"
        "             lambda: datagram.sendto(b'x', ('192.0.2.1', 9)),\n"
        "             lambda: datagram.sendmsg([b'x'], [], 0, ('192.0.2.1', 9))):\n"
        "    try: call()\n"
        "    except guard.NetworkRefused: continue\n"
        "    raise SystemExit('let through')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=watched, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    seen = Path(watched["ATTEMPTS"]).read_text()
    assert all(name in seen for name in ("getaddrinfo", "connect", "sendto", "sendmsg"))


def test_the_guard_stands_before_the_model_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    huggingface = pytest.importorskip("huggingface_hub")
    pytest.importorskip("torch")
    from ftbridge_trainer import guard
    from ftbridge_trainer.__main__ import main

    asked = []

    def download(*_: object, local_files_only: bool, **__: object) -> str:
        asked.append((guard._state["active"], local_files_only))
        raise OSError("not here")

    monkeypatch.setattr(huggingface, "snapshot_download", download)
    (tmp_path / "train.jsonl").write_text(rows("x"))
    recipe = {"schema": 1, "model": "nobody/none", "train": "train.jsonl", "adapter": "lora"}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    try:
        assert main([str(tmp_path)]) == 1
    finally:
        guard.lift()
    assert asked == [(True, True)]


# -- a model that is not here --------------------------------------------------------------------


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model on disk, and nobody may fetch one."""

    def fetch(*_: object, **__: object) -> Path:
        raise AssertionError("a model was fetched for restricted data")

    monkeypatch.setattr(models, "_in_hub_cache", lambda ref: None)
    monkeypatch.setattr(models, "fetch", fetch)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("command", ["plan", "submit"])
@pytest.mark.parametrize("model", [None, "smollm2-135m", "nobody/none"])
def test_a_model_that_is_not_here_is_refused(
    command: str, model: str | None, data: Path, ask: Ask
) -> None:
    named = ["--model", model] if model else []
    said = ask(command, data, "--provider", "local", "--privacy", "restricted", *named)
    assert (said.code, said.json["error"]["code"]) == (4, "model_missing")
    wanted = model or "smollm2-135m"
    assert f"ftbridge models fetch {wanted}" in said.json["error"]["hint"]


@pytest.mark.usefixtures("bare")
def test_a_model_that_goes_after_the_plan_is_not_fetched(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crash.conftest import write_model

    folder = write_model(tmp_path / "base")
    monkeypatch.setattr(models, "locate", lambda ref, cache: folder if folder.exists() else None)
    bridge = ftbridge.Bridge()
    plan = bridge.plan(data, provider="local", model="smollm2-135m", privacy="restricted")
    assert plan.allowed and plan.payload["offline"] is True
    shutil.rmtree(folder)
    with pytest.raises(ftbridge.ProviderError, match="not on this machine"):
        bridge.submit(plan)
    place = bridge.provider("local")
    with pytest.raises(ftbridge.ProviderError, match="not on this machine"):
        place.create({"model": "smollm2-135m", "offline": True, "train": "x"}, "ftb-1")
    bridge.ledger.close()


def test_the_worker_is_started_offline_and_quiet() -> None:
    environment = runs._environment()
    for name in (
        "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "DO_NOT_TRACK",
        "HF_HUB_DISABLE_TELEMETRY",
    ):  # fmt: skip
        assert environment[name] == "1"
    assert environment["WANDB_MODE"] == "disabled" and environment["RAY_USAGE_STATS_ENABLED"] == "0"
