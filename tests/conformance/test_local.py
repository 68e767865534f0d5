"""The local provider in the public suite; a sleeping process stands in for the trainer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash.conftest import write_model

from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle
from ftbridge_local import Provider as LocalProvider
from ftbridge_local.runs import Run

WORDS = {State.VALIDATING: "preparing"}


class Rehearsing:
    """Runs whose status the test writes."""

    secrets = ()

    def __init__(self, home: Path) -> None:
        self.home = home
        self.model = write_model(home / "base")
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, run: Run) -> None:
        sleeper = [sys.executable, "-c", "import time; time.sleep(60)", str(run.path)]
        self.workers.append(subprocess.Popen(sleeper))
        (run.path / "worker.pid").write_text(str(self.workers[-1].pid))
        self.say(run.path.name, "preparing")

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()

    def connect(self, **options: str) -> Provider:
        return LocalProvider(Context(self.home, options))

    def advance(self, remote_id: str, state: State) -> None:
        if state is State.SUCCEEDED:
            result = self._run(remote_id) / "result.json"
            result.write_text(json.dumps({"adapter": "lora", "output": "adapter"}))
        self.say(remote_id, WORDS.get(state, str(state)))

    def say(self, remote_id: str, word: str) -> None:
        (self._run(remote_id) / "status.json").write_text(json.dumps({"state": word}))

    def count(self) -> tuple[int, int]:
        root = self.home / "local"
        return len(list(root.glob("runs/*"))), len(list(root.glob("files/*")))

    def _run(self, remote_id: str) -> Path:
        return self.home / "local" / "runs" / remote_id


class TestLocal(Facts, LifeCycle):
    @pytest.fixture
    def sandbox(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rehearsing]:
        made = Rehearsing(tmp_path)
        self._model = str(made.model)
        monkeypatch.setattr(Run, "start", lambda run: made.start(run))  # noqa: PLW0108 - binds run
        yield made
        made.stop()

    def model(self, provider: Provider) -> str:
        return self._model
