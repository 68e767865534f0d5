"""A whole job through the library against the emulator, with the real SDK over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from emulated import Switch, write_chats

import ftbridge
from ftbridge.testing.faults import DropAfter
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_azure_openai import Provider
from ftbridge_azure_openai.emulator import create_app


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Switch, Injector, str]]:
    switch = Switch(create_app())
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(switch)))
        yield switch, injector, stack.enter_context(injector.serve())


@pytest.fixture
def world(
    served: tuple[Switch, Injector, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[Any, Injector, ftbridge.Bridge]:
    switch, injector, url = served
    switch.app = create_app(speed=100)
    injector.heal()
    sandbox = Provider.sandbox()
    assert sandbox is not None
    quick = {"SETTLE_SECONDS": "0.1", "POLL_SECONDS": "0.05", "PATIENCE_SECONDS": "1"}
    more = {f"FTBRIDGE_AZURE_OPENAI_{name}": value for name, value in quick.items()}
    for name, value in (sandbox.variables(url) | more).items():
        monkeypatch.setenv(name, value)
    return switch.app.state.store, injector, ftbridge.Bridge(tmp_path)


def plan(bridge: ftbridge.Bridge, tmp_path: Path, **changes: Any) -> Any:
    asked: dict[str, Any] = {"provider": "azure_openai", "options": {"training_type": "global"}}
    return bridge.plan(write_chats(tmp_path / "train.jsonl"), **(asked | changes))


def test_from_plan_to_chat(world: Any, tmp_path: Path) -> None:
    store, _, bridge = world
    made = plan(bridge, tmp_path, n_epochs=2)
    assert {line.name for line in made.usd.lines} == {"training", "hosting"}
    job = bridge.submit(made)
    job.wait()
    assert job.state == "succeeded" and len(store.jobs) == 1
    provider = bridge.provider("azure_openai")
    with pytest.raises(ftbridge.FtbridgeError, match="404"):
        job.chat([{"role": "user", "content": "train 3"}])
    provider.deploy(job.model)
    assert job.chat([{"role": "user", "content": "train 3"}]).text
    provider.undeploy(job.model)


def test_an_unanswered_create_makes_no_second_job(world: Any, tmp_path: Path) -> None:
    store, injector, bridge = world
    injector.on("POST", r"/fine_tuning/jobs$", DropAfter())
    job = bridge.submit(plan(bridge, tmp_path))
    job.wait()
    assert job.state == "succeeded" and len(store.jobs) == 1
