"""A job on its nodes: the command runs here, with folders of blobs in the place of mounts.

Sources: learn.microsoft.com, "Access data in a job" (modes; ``${{inputs.x}}`` stands for a place on
the machine) and the compute pages (a job that loses a node of low priority is queued again, and
starts anew with the same command). Unverified: that a node goes without notice (here it does,
unless a test gives it), that a job over its time limit ends as Canceled, and the wording of
failures.

No image is run: ``python`` in the command is this one.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from ftbridge.testing.rented import Machine, model_of

from .addresses import asset_of, path_of
from .shapes import PLACE, seconds_of
from .store import CONTAINER, GROUP, REGION, SUBSCRIPTION, WORKSPACE, Emulator, Job

LOOK_SECONDS = 0.2


class Absent(Exception):
    """What an input names is not there."""


class Run:
    """One job's nodes, one after another, led by a thread."""

    def __init__(self, emulator: Emulator, job: Job) -> None:
        self.job = job
        self._emulator, self._store = emulator, emulator.store
        self._home = self._store.work / "jobs" / job.name
        self._machine: Machine | None = None
        self._code: int | None = None
        self._asked = threading.Event()
        self.thread = threading.Thread(target=self._lead, name=job.name, daemon=True)
        self.thread.start()

    # -- from outside ------------------------------------------------------------------------

    def cancel(self) -> None:
        """End it for good."""
        self.job.status = "CancelRequested"
        self._asked.set()

    def preempt(self, *, notice: bool = False) -> None:
        """Take the node away; another one follows."""
        machine = self._machine
        if machine is None or not machine.alive:
            return
        self.job.preemptions += 1
        if notice:
            machine.reclaim()
        else:
            machine.kill()

    def kill(self) -> None:
        """Switch the machine off, and wait for the thread."""
        self._asked.set()
        if self._machine is not None and self._machine.alive:
            self._machine.kill()
        self.thread.join()

    @property
    def log(self) -> Path:
        """What the command has written (``user_logs/std_log.txt`` of the run)."""
        return self._home / "std_log.txt"

    @property
    def low_priority(self) -> bool:
        """Whether its node may be taken away."""
        body = self.job.body
        if body.get("computeId") is None:
            return bool((body.get("queueSettings") or {}).get("jobTier") == "Spot")
        name, _ = asset_of(body["computeId"], "computes")
        return self._store.clusters[name].priority == "LowPriority"

    # -- the thread --------------------------------------------------------------------------

    def _lead(self) -> None:
        try:
            while self._attempt():
                pass
        except Absent as error:
            self._end("Failed", f"ScriptExecution.StreamAccess.NotFound: {error}")
        except Exception as error:  # a test that has gone away must not hang on its job
            self._end("Failed", f"SystemError: {type(error).__name__}: {error}")
            raise

    def _attempt(self) -> bool:
        """One node; whether another one must follow."""
        seen = self.job.preemptions
        for phase in self._emulator.timeline.phases:
            self._move(phase.state)
            if self._asked.wait(phase.seconds):
                self._end("Canceled")
                return False
        node = self._home / f"node-{seen}"
        places = self._places(node)
        self._start(places, node)
        self._move("Running")
        self.job.started = self.job.started or self._emulator.clock()
        stopped = self._watch(next(iter(places["outputs"].values()), node))
        if not stopped and self.job.preemptions > seen:
            return True
        self._finish(places, stopped)
        return False

    def _move(self, status: str) -> None:
        if not self._asked.is_set():
            self.job.status = status

    def _places(self, node: Path) -> dict[str, dict[str, Path]]:
        """The folder or file of each input and output. What is only read is a copy, so that a
        write there comes to nothing."""
        disk, body = self._store.disk, self.job.body
        found: dict[str, dict[str, Path]] = {"inputs": {}, "outputs": {}}
        for name, given in (body.get("inputs") or {}).items():
            if given["jobInputType"] == "literal":
                continue
            path = path_of(given["uri"], name)
            if given.get("mode") == "ReadWriteMount":
                found["inputs"][name] = disk.path(CONTAINER, path)
                continue
            target = node / "inputs" / name / Path(path).name
            if not disk.copy_to(CONTAINER, path, target):
                raise Absent(f"{name}: {given['uri']}")
            found["inputs"][name] = target
        for name, given in (body.get("outputs") or {}).items():
            target = self._output(name, given)
            if given.get("mode", "ReadWriteMount") == "Upload":
                target = node / "outputs" / name
            folder = target if given["jobOutputType"] == "uri_folder" else target.parent
            folder.mkdir(parents=True, exist_ok=True)
            found["outputs"][name] = target
        return found

    def _output(self, name: str, given: dict[str, Any]) -> Path:
        uri = given.get("uri")
        path = path_of(uri, name) if uri else f"azureml/{self.job.name}/{name}"
        return self._store.disk.path(CONTAINER, path)

    def _start(self, places: dict[str, dict[str, Path]], node: Path) -> None:
        body = self.job.body
        for folder in places["inputs"].values():
            if (folder / "recipe.json").exists():
                self._store.hub.offer(model_of(folder))
        inputs = body.get("inputs") or {}

        def place(match: re.Match[str]) -> str:
            kind, name = match.groups()
            if kind == "inputs" and inputs.get(name, {}).get("jobInputType") == "literal":
                return str(inputs[name]["value"])
            return str(places[kind][name])

        command = PLACE.sub(place, body["command"])
        variables = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "AZUREML_RUN_ID": self.job.name,
            "AZUREML_ARM_SUBSCRIPTION": SUBSCRIPTION,
            "AZUREML_ARM_RESOURCEGROUP": GROUP,
            "AZUREML_ARM_WORKSPACE_NAME": WORKSPACE,
            "AZUREML_SERVICE_ENDPOINT": f"https://{REGION}.api.azureml.ms",
        }
        variables |= body.get("environmentVariables") or {}
        node.mkdir(parents=True, exist_ok=True)
        self._code = None

        def ended(code: int) -> None:
            self._code = code

        shell = ["/bin/bash", "-c", command]
        variables |= self._store.hub.variables
        self._machine = Machine(shell, {}, variables, self.log, ended)

    def _watch(self, outputs: Path) -> bool:
        """Wait for its end; whether it was stopped: it was asked for, or its time is over."""
        machine, stopped = self._machine, False
        assert machine is not None
        begun, most = self._emulator.clock(), seconds_of(self.job.body)
        while machine.alive:
            if self._asked.is_set() or self._emulator.clock() - begun > most:
                stopped = True
                machine.kill()
            elif self.low_priority and self._store.preempts(self.job, outputs):
                self.preempt()
            machine.join(LOOK_SECONDS)
        machine.join()
        return stopped

    def _finish(self, places: dict[str, dict[str, Path]], stopped: bool) -> None:
        if stopped:
            self._end("Canceled")
            return
        if self._code != 0:
            self._end("Failed", f"Execution failed. User process exited with status {self._code}.")
            return
        self._move("Finalizing")
        for name, given in (self.job.body.get("outputs") or {}).items():
            if given.get("mode") == "Upload":
                target = self._output(name, given)
                shutil.copytree(places["outputs"][name], target, dirs_exist_ok=True)
        self._end("Completed")

    def _end(self, status: str, failure: str | None = None) -> None:
        self.job.failure, self.job.ended = failure, self._emulator.clock()
        self.job.status = status
