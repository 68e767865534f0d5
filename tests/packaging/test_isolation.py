"""Using one provider imports nothing of another vendor: its fault, weight or licence stays out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from emulated import write_chats

from ftbridge import registry
from ftbridge.testing.server import serve

ROOT = Path(__file__).parents[2]
SDKS = {name: frozenset(registry.load(name).sdk) for name in registry.names()}
NOBODYS = frozenset({"filelock", "httpx", "httpx2", "zstandard"})
"""What no vendor has made, and many SDKs import late."""
USE = """
import json, sys
from ftbridge import Bridge
name, data, served = sys.argv[1:]
bridge = Bridge()
place = bridge.provider(name)
place.doctor()
if place.catalogue().methods:
    plan = bridge.plan(data, provider=name, n_epochs=1, allow_unknown_cost=True)
    if served == "served":
        bridge.submit(plan).refresh()
print(json.dumps(list(sys.modules)))
"""
"""A job from its plan to its state; without a sandbox only the plan, and where nothing is trained
the doctor."""
ALONE = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(list(sys.modules)))
"""
"""The SDK by itself, for what it brings with it."""


def _others(name: str, modules: list[str]) -> set[str]:
    """Which of the modules are SDKs that only other providers name."""
    foreign = set().union(*SDKS.values()) - SDKS[name] - NOBODYS
    return {sdk for sdk in foreign if sdk in modules}


def _run(code: str, *arguments: str, env: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


TRAINS = [name for name in registry.names() if not registry.load(name).catalogue().nothing]


@pytest.mark.parametrize("name", TRAINS)
def test_nothing_of_another_vendor_is_imported(name: str, tmp_path: Path) -> None:
    data = str(write_chats(tmp_path / "train.jsonl"))
    sandbox = registry.load(name).sandbox()
    with ExitStack() as stack:
        env = dict(os.environ) | {"FTBRIDGE_RAY_STORAGE": str(tmp_path)}
        if sandbox is not None:
            env |= sandbox.variables(stack.enter_context(serve(sandbox.app(50.0, 0.0))))
        served = "served" if sandbox is not None else "alone"
        used = _run(USE, name, data, served, env=env)
    brought = _run(ALONE, *sorted(SDKS[name]), env=env) if sandbox is not None else []
    assert not _others(name, used) - set(brought)
    assert sandbox is None or SDKS[name] & set(used)


@pytest.mark.parametrize("name", registry.names())
def test_a_provider_is_packed_and_its_extra_exists(name: str) -> None:
    """What the install line promises: the extra, `all` with it, and the folder in the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    place = registry.load(name)
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert place.home().relative_to(ROOT).as_posix() in packed
    extras = project["project"]["optional-dependencies"]
    whole = re.search(r"\[(.+)\]", extras["all"][0])
    assert whole is not None
    if place.sdk:
        assert place.install_hint() == f"pip install 'ftbridge[{place.extra}]'"
        assert place.extra in extras and place.extra in whole[1].split(",")


def test_a_foreign_sdk_would_be_noticed() -> None:
    assert _others("mistral", ["mistralai", "httpx", "openai", "torch"]) == {"openai", "torch"}
