"""The rehearsals: the whole way with every provider that has an emulator."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from emulated import point

from ftbridge import registry
from ftbridge.provider import Context
from ftbridge.testing.server import serve

FOLDER = Path(__file__).parents[2] / "examples" / "rehearsals"
EMULATED = [name for name in registry.names() if registry.load(name).sandbox() is not None]
REHEARSED = sorted(path.stem for path in FOLDER.glob("*.toml"))
ALWAYS = ("doctor", "check", "compare", "plan", "submit", "watch", "events", "chat", "purge")


def test_every_emulated_provider_has_its_rehearsal() -> None:
    assert set(REHEARSED) == set(EMULATED)


@pytest.mark.parametrize(
    "provider",
    [pytest.param(name, marks=[] if name == "openai" else pytest.mark.long) for name in REHEARSED],
)
def test_the_whole_way(provider: str, tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    command = [sys.executable, str(FOLDER / "rehearse.py"), provider, "--limit", "8"]
    done = subprocess.run([*command, "--summary", str(summary)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = json.loads(summary.read_text())
    assert told["state"] == "succeeded" and "still one job" in done.stdout
    assert {step["command"] for step in told["steps"]} >= set(ALWAYS)
    assert all(step["exit"] == 0 for step in told["steps"])
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.training
def test_the_whole_way_on_this_machine(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    command = [sys.executable, str(FOLDER / "local.py"), "--summary", str(summary)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert json.loads(summary.read_text())["state"] == "succeeded"
    assert "model.safetensors" in done.stdout


@pytest.mark.parametrize("provider", EMULATED)
def test_latency_delays_each_answer(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = registry.load(provider)
    sandbox = place.sandbox()
    assert sandbox is not None
    with serve(sandbox.app(1.0, 0.25)) as url:
        options = {}
        prefix = f"FTBRIDGE_{provider.upper()}_"
        point(monkeypatch, sandbox.variables(url))
        for name, value in sandbox.variables(url).items():
            if name.startswith(prefix):
                options[name.removeprefix(prefix).lower()] = value
        began = time.monotonic()
        checks = place(Context(tmp_path, options)).doctor()
        assert time.monotonic() - began >= 0.25
    assert all(check.ok for check in checks)
