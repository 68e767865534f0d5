"""A platform of the tests: machines are processes, the store is a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftbridge import bundle
from ftbridge.compute import Compute, Launch
from ftbridge.errors import OperationFailed
from ftbridge.jobs.states import State
from ftbridge.shapes import Check, Context, RemoteJob
from ftbridge.stores import Store
from ftbridge.stores.folder import FolderStore
from ftbridge.testing.rented import Hub, Machine, model_of

IN, FILES, OUT = "/mnt/in", "/mnt/files", "/mnt/out"
WORDS = {
    "waiting": State.QUEUED,
    "on": State.RUNNING,
    "off": State.SUCCEEDED,
    "broken": State.FAILED,
    "stopped": State.CANCELLED,
}


@dataclass
class Shed:
    """What the platform remembers. A machine that gave notice (75) or died is replaced."""

    root: Path
    hub: Hub
    words: dict[str, str] = field(default_factory=dict)
    machines: dict[str, list[Machine]] = field(default_factory=dict)

    def start(self, key: str, command: list[str]) -> None:
        inputs = self.root / "jobs" / key / "in"
        self.hub.offer(model_of(inputs))
        places = {IN: inputs, FILES: self.root / "files", OUT: self.root / "jobs" / key / "out"}
        log = self.root / f"{key}.log"

        def ended(code: int) -> None:
            if self.words[key] == "stopped":
                return
            if code in (75, -9):
                self.start(key, command)
            else:
                self.words[key] = "off" if code == 0 else "broken"

        self.words[key] = "on"
        machine = Machine(command, places, self.hub.variables, log, ended)
        self.machines.setdefault(key, []).append(machine)


class ShedProvider(Compute):
    """The adapter, as small as one can be."""

    name = "shed"
    image = "none"
    folder = Path(__file__).parent / "shed_facts"
    shed: Shed

    def __init__(self, context: Context, shed: Shed) -> None:
        super().__init__(context)
        self.shed = shed

    endpoint = property(lambda self: str(self.shed.root))
    at_vendor = property(lambda self: False)
    account = property(lambda self: "shed")

    def store(self) -> Store:
        return FolderStore(self.shed.root)

    def job(self, launch: Launch) -> dict[str, Any]:
        command = bundle.command(IN, OUT, [FILES], launch.machine.gpus)
        return {"name": launch.key, "machine": launch.machine.name, "command": command}

    def launch(self, job: Mapping[str, Any], key: str) -> RemoteJob:
        self.shed.start(key, list(job["command"]))
        return self.look(key)

    def look(self, remote_id: str) -> RemoteJob:
        if remote_id not in self.shed.words:
            raise OperationFailed("no such job", hint="look at the list")
        word = self.shed.words[remote_id]
        return RemoteJob(remote_id, WORDS.get(word, State.UNKNOWN), word)

    def find(self, key: str) -> RemoteJob | None:
        return self.look(key) if key in self.shed.words else None

    def stop(self, remote_id: str) -> RemoteJob:
        self.shed.words[remote_id] = "stopped"
        self.shed.machines[remote_id][-1].kill()
        return self.look(remote_id)

    def doctor(self) -> list[Check]:
        return [Check("shed", True, "it is there")]
