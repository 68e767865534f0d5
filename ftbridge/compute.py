"""Our trainer on rented machines: one piece for every platform that runs a command on a GPU.

A platform supplies a store (:mod:`ftbridge.stores`) and the verbs ``job`` (its request, pure),
``launch``, ``look``, ``find`` and ``stop``. Everything else is here: what is staged, which machine,
what it costs, events and metrics while it runs, the adapter that comes home.

Below the store's root: ``files/`` holds data by content, as CheckedUploads brought them;
``jobs/KEY/in`` the bundle; ``jobs/KEY/out`` what the run leaves, which outlives its machine, so
that a run that lost one goes on from its last checkpoint (``ftbridge_trainer/remote.py``).
"""

from __future__ import annotations

import io
import tomllib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from ftbridge import bundle, run_records, weights
from ftbridge.catalogue import Catalogue
from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.throughput import Size
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.dataset.formats.canonical import FORMAT
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import OperationFailed, UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.machines import Machine, choose, rental
from ftbridge.policy import CheckedUpload
from ftbridge.provider import Provider
from ftbridge.recipes import recipe_of, settings_of
from ftbridge.shapes import (
    FileState,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteMetric,
    Setting,
)
from ftbridge.stores import Store

OPTIONS = ("machine", "image", "hours", "spot")
"""``--option`` names that every platform takes."""
DEFAULT_HOURS = 24
MOST_HOURS = 24 * 28

ABSENT: Mapping[str, str] = {
    "pause": "a rented machine is not paused; cancel the job, or let it end",
    "resume": "a machine that was taken away is replaced by the platform; what has failed is "
    "submitted again with --again",
    "delete": "the platform keeps its own record of a job",
    "quote": "the platform names no price for a job; see the hours x price of the estimate",
    "deploy": "the weights are yours: `ftbridge download JOB`, then serve them where you like",
    "undeploy": "ftbridge deploys nothing there",
    "chat": "the weights are yours: `ftbridge download JOB --out DIR`, then `ftbridge chat DIR`",
}
"""What no platform does of itself; one that does leaves the entry out."""


@dataclass(frozen=True)
class Launch:
    """What a platform is asked to run.

    ``files`` are the store's names of training and validation, ``inputs`` and ``out`` those of
    the job's folders; ``seconds`` is after how long the platform stops it; ``options`` are all that
    the person gave, those of the platform among them.
    """

    key: str
    machine: Machine
    image: str
    spot: bool
    seconds: int
    files: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> str:
        """The folder with the bundle."""
        return f"jobs/{self.key}/in"

    @property
    def out(self) -> str:
        """The folder that outlives the machine."""
        return f"jobs/{self.key}/out"


class Compute(Provider):
    """A platform that runs our trainer. See the module docstring."""

    kind = "compute"
    image: ClassVar[str]
    """The container that has torch for the platform's GPUs."""
    platform_options: ClassVar[tuple[str, ...]] = ()
    absent: ClassVar[Mapping[str, str]] = ABSENT

    # -- what a platform supplies ------------------------------------------------------------

    @abstractmethod
    def store(self) -> Store:
        """Where files are staged; made anew or kept, safe to use from threads."""

    @abstractmethod
    def job(self, launch: Launch) -> dict[str, Any]:
        """The platform's own request to run it: pure, without a secret."""

    @abstractmethod
    def launch(self, job: Mapping[str, Any], key: str) -> RemoteJob:
        """Send that request. Raises as :meth:`Provider.create`."""

    @abstractmethod
    def look(self, remote_id: str) -> RemoteJob:
        """The platform's own view of the job."""

    @abstractmethod
    def stop(self, remote_id: str) -> RemoteJob:
        """Ask the platform to stop it for good."""

    def key_of(self, remote_id: str) -> str:
        """The key of a job; platforms that take names of ours use it as the id."""
        return remote_id

    # -- facts and pure functions ------------------------------------------------------------

    @classmethod
    def catalogue(cls) -> Catalogue:
        """What our trainer tunes, with what this platform says of itself."""
        return _catalogue(cls.folder)

    def convert(self, example: Example) -> Converted:
        """The trainer reads the canonical format; metadata stays behind."""
        return FORMAT.encode(msgspec.structs.replace(example, metadata=None))

    def parse(self, line: bytes) -> Example:
        """A canonical line."""
        return FORMAT.decode(line)

    def machine(self, spec: JobSpec) -> Machine:
        """The machine that was named, else the cheapest that surely holds the training."""
        return choose(
            spec, _prices(self.folder), wanted=spec.options.get("machine"), region=self.region
        )

    def epochs(self, spec: JobSpec) -> tuple[int, str]:
        """The trainer's own rule: known, so nothing needs to be said."""
        return int(self.settings(spec)["n_epochs"].value or 1), ""

    def settings(self, spec: JobSpec) -> dict[str, Setting]:
        """The whole recipe, each value with its origin, as the trainer will resolve it."""
        size = Size.of(spec.model)
        recipe = recipe_of(spec, "train.jsonl", None, (*OPTIONS, *self.platform_options))
        n_params = None if size is None else int(size.total * 10**9)
        return settings_of(recipe, spec.training.examples, n_params)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Modelled hours of the machine."""
        return [rental(spec, self.machine(spec), tokens)]

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The trainer's recipe, and the platform's request to run it."""
        files = tuple(_file(name) for name in (training, validation) if name is not None)
        names = [Path(name).name for name in files] + [None]
        others = (*OPTIONS, *self.platform_options)
        launch = Launch(
            key=key,
            machine=self.machine(spec),
            image=spec.options.get("image", self.image),
            spot=_flag(spec.options, "spot"),
            seconds=_hours(spec.options) * 3600,
            files=files,
            options=spec.options,
        )
        recipe = recipe_of(spec, str(names[0]), names[1], others)
        return {"recipe": recipe, "job": self.job(launch)}

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """Put the file into the store, under its content's name."""
        name, store = f"files/{upload.name}", self.store()
        with upload.open() as content:
            store.write(name, content)
        return RemoteFile(store.address(name), upload.bytes)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """The file of an earlier try, if it is there whole."""
        name, store = f"files/{upload.name}", self.store()
        if store.size(name) != upload.bytes:
            return None
        return RemoteFile(store.address(name), upload.bytes)

    def file_state(self, file_id: str) -> FileState:
        """Whether it is still in the store."""
        there = self.store().size(_file(file_id)) is not None
        return FileState(ready=there, missing=not there)

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """Stage the bundle and launch; staging again changes nothing."""
        store = self.store()
        for name, content in bundle.bundle(request["recipe"]).items():
            store.write(f"jobs/{key}/in/{name}", io.BytesIO(content))
        return self.launch(request["job"], key)

    def get(self, remote_id: str) -> RemoteJob:
        """The platform's view, with what the run itself has written."""
        seen = self.look(remote_id)
        if seen.state in (State.VALIDATING, State.QUEUED):
            return seen
        status = run_records.document(self._text(remote_id, "status.json")) or {}
        if seen.state is State.SUCCEEDED:
            return self._succeeded(seen, status)
        steps = status.get("total_steps") or 0
        progress = status.get("step", 0) / steps if steps else seen.progress
        error = status.get("error") or seen.error if seen.state is State.FAILED else None
        return replace(seen, progress=progress, error=error)

    def _succeeded(self, seen: RemoteJob, status: Mapping[str, Any]) -> RemoteJob:
        """With its model; a machine that ended well without a result did not train."""
        result = run_records.document(self._text(seen.id, "result.json"))
        if result is None:
            said = {"code": "no_result", "message": "the machine ended without a result"}
            error = dict(status.get("error") or said)
            return replace(seen, state=State.FAILED, error=error)
        model = self.store().address(f"{self._out(seen.id)}/{result['output']}")
        tokens = status.get("trained_tokens")
        return replace(seen, model=model, trained_tokens=tokens, progress=1.0)

    def cancel(self, remote_id: str) -> RemoteJob:
        """Ask the platform to stop it for good; checkpoints stay in the store."""
        return self.stop(remote_id)

    def events(self, remote_id: str, since: str | None = None) -> list[RemoteEvent]:
        """What the trainer says, over all machines that it ran on."""
        return run_records.events(run_records.rows(self._text(remote_id, "events.jsonl")))

    def metrics(self, remote_id: str) -> list[RemoteMetric]:
        """Loss, rate, norm and speed by step."""
        return run_records.metrics(run_records.rows(self._text(remote_id, "metrics.jsonl")))

    def checkpoints(self, remote_id: str) -> list[RemoteCheckpoint]:
        """The complete checkpoints in the store."""
        return run_records.checkpoints(self.store().names(self._out(remote_id)))

    # -- the model ---------------------------------------------------------------------------

    def download(self, remote_id: str, out: Path, *, merged: bool = False) -> Path:
        """Bring the adapter (or the whole model, after full training) here."""
        if merged:
            raise UsageError(
                "a rented machine leaves an adapter",
                hint="download it without --merged; `ftbridge_trainer.merge` merges it here",
                where="merged",
            )
        model = self.get(remote_id).model
        if model is None:
            raise OperationFailed("the job has no model yet", hint="wait for it to succeed")
        store, folder = self.store(), self._name(model)

        def fetch(aside: Path) -> Path:
            for name in store.names(folder):
                store.fetch(f"{folder}/{name}", aside / name)
            return aside

        return weights.bring(fetch, out)

    def delete_model(self, model: str) -> None:
        """Remove the weights from the store, those in checkpoints too."""
        store, folder = self.store(), self._name(model)
        out = folder.rpartition("/")[0]
        for part in (f"{out}/checkpoints", folder):  # what the name leads to goes last
            for name in store.names(part):
                store.remove(f"{part}/{name}")

    def purge(self, file_id: str) -> None:
        """Remove a data file from the store.

        Raises:
            UsageError: it lies below another root (another bucket or folder was named since).
        """
        self.store().remove(self._name(file_id))

    # -- private -----------------------------------------------------------------------------

    def _out(self, remote_id: str) -> str:
        return f"jobs/{self.key_of(remote_id)}/out"

    def _text(self, remote_id: str, name: str) -> str:
        content = self.store().read(f"{self._out(remote_id)}/{name}")
        return "" if content is None else content.decode("utf-8", "replace")

    def _name(self, address: str) -> str:
        """The store's name for what lies at one of its addresses."""
        root = self.store().address("").rstrip("/") + "/"
        if not address.startswith(root):
            raise UsageError(
                f"{address} is not below {root}",
                hint="name the bucket or folder that the job was given",
                where=address,
            )
        return address.removeprefix(root)


def _file(address: str) -> str:
    """The store's name of a data file, from its address (or a place-holder of a plan)."""
    return f"files/{address.rpartition('/')[2]}"


def _flag(options: Mapping[str, str], name: str) -> bool:
    text = options.get(name, "false")
    if text not in ("true", "false"):
        raise UsageError(f"option {name}: `{text}` is neither true nor false", where=name)
    return text == "true"


def _hours(options: Mapping[str, str]) -> int:
    text = options.get("hours", str(DEFAULT_HOURS))
    if not text.isdigit() or not 1 <= int(text) <= MOST_HOURS:
        raise UsageError(
            f"option hours: `{text}` is no whole number from 1 to {MOST_HOURS}",
            hint="it is after how many hours the platform stops the job",
            where="hours",
        )
    return int(text)


@cache
def _catalogue(folder: Path) -> Catalogue:
    common = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    own = tomllib.loads((folder / "catalogue.toml").read_text("utf-8"))
    return Catalogue.model_validate(common | own)


@cache
def _prices(folder: Path) -> list[PriceRow]:
    return PriceBook.load([folder]).rows
