"""A classic training job on its machines: the container's command runs here, in folders of its own.

What a container finds below ``/opt/ml`` and the rules of checkpoints are from the developer guide
(docs.aws.amazon.com sagemaker: your-algorithms-training-algo-running-container,
model-checkpoints, model-managed-spot-training). Unverified: that a spot machine goes without
notice (here it does, unless a test gives it), that objects of checkpoints which the container has
deleted stay in S3 (here they do), and the wording of failures.

No image is run: the command needs ``ContainerEntrypoint``, and Python is this one.
"""

from __future__ import annotations

import json
import tarfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from ftbridge.testing.rented import Machine, model_of

from .bucket import Unreadable
from .store import Emulator, TrainingJob

LOOK_SECONDS = 0.2
STOP_SECONDS = 120.0
"""From SIGTERM to SIGKILL (StopTrainingJob in the service model)."""
ROOT = "/opt/ml"


class Run:
    """One job's machines, one after another, led by a thread."""

    def __init__(self, emulator: Emulator, job: TrainingJob) -> None:
        self.job = job
        self._emulator, self._store = emulator, emulator.store
        self._home = self._store.work / "jobs" / job.name
        self._machine: Machine | None = None
        self._code: int | None = None
        self._asked: str | None = None
        self._told_at: float | None = None
        self._uploaded: dict[Path, tuple[int, int]] = {}
        self.thread = threading.Thread(target=self._lead, name=job.name, daemon=True)
        self.thread.start()

    # -- from outside ------------------------------------------------------------------------

    def stop(self, why: str = "Stopped") -> None:
        """SIGTERM; ``why`` is the secondary status in the end."""
        if self._asked is None:
            self._asked = why
            self.job.move("Stopping", "Stopping", self._emulator.clock())
            if self._machine is not None:
                self._machine.reclaim()

    def interrupt(self, *, notice: bool = False) -> None:
        """Take the machine away, as spot capacity is; another one follows."""
        machine = self._machine
        if machine is None or not machine.alive:
            return
        self.job.interruptions += 1
        if notice:
            machine.reclaim()
        else:
            machine.kill()

    def kill(self) -> None:
        """Switch the machine off for good."""
        self._asked = self._asked or "Stopped"
        if self._machine is not None and self._machine.alive:
            self._machine.kill()

    @property
    def log(self) -> Path:
        """What the container has written."""
        return self._home / "log"

    # -- the thread --------------------------------------------------------------------------

    def _lead(self) -> None:
        try:
            while self._attempt():
                self._move("Interrupted", "Training job interrupted")
                self._move("Restarting", "Restarting the training job")
        except Unreadable as error:
            self._fail(f"ClientError: Data download failed: {error}")
        except Exception as error:  # a test that has gone away must not hang on its job
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")
            raise

    def _attempt(self) -> bool:
        """One machine; whether another one must follow."""
        seen = self.job.interruptions
        disk = self._home / f"machine-{seen}"
        self._move("Downloading", "Downloading input data")
        begun = self._emulator.clock()
        places = self._places(disk)
        if self._asked is None:
            self._move("Training", "Training image download completed. Training in progress.")
            self.job.started = self.job.started or self._emulator.clock()
            self._start(places)
            self._watch(places, begun)
        self.job.billed_seconds += self._emulator.clock() - begun
        if self._asked is None and self.job.interruptions > seen:
            return True
        self._end(places)
        return False

    def _places(self, disk: Path) -> dict[str, Path]:
        """The folders below ``/opt/ml``, with what the service puts there."""
        body = self.job.body
        places = {f"{ROOT}/{name}": disk / name for name in ("model", "output", "input/config")}
        for channel in body.get("InputDataConfig", ()):
            name = channel["ChannelName"]
            places[f"{ROOT}/input/data/{name}"] = disk / "input" / "data" / name
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            self._store.bucket.download(uri, disk / "input" / "data" / name)
        if (checkpoints := self._checkpoints) is not None:
            local, uri = checkpoints
            places[local] = disk / "checkpoints"
            self._store.bucket.download(uri, places[local])
        for folder in places.values():
            folder.mkdir(parents=True, exist_ok=True)
        config = places[f"{ROOT}/input/config"]
        written = {
            "hyperparameters": body.get("HyperParameters", {}),
            "resourceconfig": _host(body),
        }
        for name, value in written.items():
            (config / f"{name}.json").write_text(json.dumps(value))
        return places

    @property
    def _checkpoints(self) -> tuple[str, str] | None:
        """Where the container writes checkpoints, and where they are kept."""
        config = self.job.body.get("CheckpointConfig")
        if config is None:
            return None
        local = config.get("LocalPath", f"{ROOT}/checkpoints").rstrip("/")
        return local, config["S3Uri"].rstrip("/") + "/"

    def _start(self, places: dict[str, Path]) -> None:
        for folder in places.values():
            if (folder / "recipe.json").exists():
                self._store.hub.offer(model_of(folder))
        given = self.job.body["AlgorithmSpecification"]
        command = [*given["ContainerEntrypoint"], *given.get("ContainerArguments", ())]
        variables = {
            "TRAINING_JOB_NAME": self.job.name,
            "TRAINING_JOB_ARN": self.job.arn,
            "AWS_REGION": self._store.region,
        }
        variables |= self.job.body.get("Environment", {}) | self._store.hub.variables
        self._code = None

        def ended(code: int) -> None:
            self._code = code

        self._machine = Machine(command, places, variables, self.log, ended)

    def _watch(self, places: dict[str, Path], begun: float) -> None:
        """Copy checkpoints out until the machine is off, and stop it where its time is over."""
        machine = self._machine
        assert machine is not None
        spot = self.job.body.get("EnableManagedSpotTraining", False)
        if self._asked is not None:  # asked while the machine came up
            machine.reclaim()
        while machine.alive:
            names = self._copy_out(places)
            if spot and self._asked is None and self._store.interrupts(self.job, names):
                self.interrupt()
            self._mind_the_time(machine, begun)
            machine.join(LOOK_SECONDS)
        machine.join()
        self._copy_out(places)

    def _mind_the_time(self, machine: Machine, begun: float) -> None:
        now, limits = self._emulator.clock(), self.job.body.get("StoppingCondition", {})
        wait = limits.get("MaxWaitTimeInSeconds", float("inf"))
        if now - begun > limits["MaxRuntimeInSeconds"]:
            self.stop("MaxRuntimeExceeded")
        elif now - self.job.created > wait:
            self.stop("MaxWaitTimeExceeded")
        if self._asked is not None:
            self._told_at = self._told_at or now
            if now - self._told_at > STOP_SECONDS:
                machine.kill()

    def _copy_out(self, places: dict[str, Path]) -> list[str]:
        """Checkpoints into S3 as they change; the names of all that are there."""
        if self._checkpoints is None:
            return []
        local, uri = self._checkpoints
        root = places[local]
        files = sorted(path for path in root.rglob("*") if path.is_file())
        for path in files:
            with suppress(FileNotFoundError):  # renamed or pruned while we looked
                stat = path.stat()
                seen = (stat.st_size, stat.st_mtime_ns)
                if self._uploaded.get(path) != seen:
                    content = path.read_bytes()  # whole, though it may be replaced meanwhile
                    self._store.bucket.put(uri + path.relative_to(root).as_posix(), content)
                    self._uploaded[path] = seen
        return [path.relative_to(root).as_posix() for path in files]

    def _end(self, places: dict[str, Path]) -> None:
        now, why = self._emulator.clock, self._asked
        if why is None and self._code != 0:
            self._fail(_reason(places[f"{ROOT}/output"], self._code))
            return
        if why is None:
            self._move("Uploading", "Uploading generated training model")
        self._upload_model(places[f"{ROOT}/model"])
        status = "Completed" if why is None else "Stopped"
        self.job.move(status, why or "Completed", now())

    def _upload_model(self, folder: Path) -> None:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        if self.job.output.endswith(".tar.gz"):
            archive = self._home / "model.tar.gz"
            archive.parent.mkdir(parents=True, exist_ok=True)
            with tarfile.open(archive, "w:gz") as tar:
                tar.add(folder, arcname=".")
            self._store.bucket.upload(archive, self.job.output)
            return
        for path in files:
            name = path.relative_to(folder).as_posix()
            self._store.bucket.upload(path, f"{self.job.output}/{name}")

    def _move(self, secondary: str, message: str) -> None:
        if self._asked is None:
            self.job.move("InProgress", secondary, self._emulator.clock(), message)

    def _fail(self, reason: str) -> None:
        self.job.failure = reason[:1024]
        self.job.move("Failed", "Failed", self._emulator.clock(), "Training job failed")


def _reason(output: Path, code: int | None) -> str:
    """The container's own words where it has left any, and its exit code."""
    failure = output / "failure"
    said = failure.read_text("utf-8", "replace") if failure.exists() else ""
    return f"AlgorithmError: {said}, exit code: {code}"


def _host(body: dict[str, Any]) -> dict[str, Any]:
    kind = body["ResourceConfig"].get("InstanceType", "")
    return {"current_host": "algo-1", "hosts": ["algo-1"], "current_instance_type": kind}
