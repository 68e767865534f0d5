"""This machine as a provider: the same protocol as a vendor's, nothing leaves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from ftbridge.cost.tokens import Counter, TokenizerFile, framed_counter
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.dataset.formats.canonical import FORMAT
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import OperationFailed, UsageError
from ftbridge.files import atomic_write
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.policy import CheckedUpload, Privacy
from ftbridge.provider import (
    ChatReply,
    ChatRequest,
    Check,
    FileState,
    Provider,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteMetric,
    Setting,
)
from ftbridge.shapes import BaseFacts
from ftbridge_local import answers, disk, models, rewards, status
from ftbridge_local.failures import quiet, translated
from ftbridge_local.recipes import decided, recipe_of, settings_of
from ftbridge_local.runs import Run
from ftbridge_local.speed import calibration_rows, measured

ASSUMED_WATTS = 150
"""Draw of the whole machine while it trains, unless the option ``watts`` says better."""


class LocalProvider(Provider):
    """QLoRA, LoRA and full fine-tuning in a detached process here."""

    name = "local"
    kind = "local"
    extra = "local"
    sdk = ("torch", "transformers", "peft", "bitsandbytes", "huggingface_hub", "psutil", "filelock")
    bills = False
    leaves = False
    folder = Path(__file__).parent
    settle_default = 0.0
    poll_default = 1.0
    absent: ClassVar[Mapping[str, str]] = {
        "quote": "nobody bills a run on this machine; see the electricity line of the estimate",
        "deploy": "a model here needs no deployment; ask it with `ftbridge chat JOB`",
        "undeploy": "there are no deployments here",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Where files and runs are kept."""
        return str(self._root)

    @property
    def at_vendor(self) -> bool:
        """This machine is nobody's service."""
        return False

    @property
    def account(self) -> str:
        """There is one."""
        return "this-machine"

    # -- before the job ----------------------------------------------------------------------

    def convert(self, example: Example) -> Converted:
        """The trainer reads the canonical format; metadata stays behind."""
        return FORMAT.encode(msgspec.structs.replace(example, metadata=None))

    def parse(self, line: bytes) -> Example:
        """A canonical line."""
        return FORMAT.decode(line)

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The trainer's recipe.

        Raises:
            ProviderError: for restricted data and a model that is not on disk: nothing is fetched
                then, not even by its name.
        """
        if spec.privacy is Privacy.RESTRICTED:
            models.require(spec.model, self.context.home)
        if spec.grader is not None:
            rewards.require(spec.grader)
        return recipe_of(spec, training, validation)

    def epochs(self, spec: JobSpec) -> tuple[int, str]:
        """The trainer's own rule: known, so nothing needs to be said."""
        value = self.settings(spec)["n_epochs"].value
        return int(value or 1), ""

    def settings(self, spec: JobSpec) -> dict[str, Setting]:
        """The whole recipe, each value with its origin, as the trainer would resolve it."""
        folder = models.locate(spec.model, self.context.home)
        return settings_of(spec, models.describe(folder).n_params if folder else 0)

    def decided(self, remote_id: str) -> dict[str, Setting]:
        """The recipe without gaps, as the trainer's first start wrote it."""
        return decided(self._existing(remote_id).resolved())

    def counter(self, model: str) -> Counter | None:
        """The model's own vocabulary, once it is on disk; the template's frame is assumed."""
        folder = models.locate(model, self.context.home)
        rule = self.catalogue().tokens
        if folder is None or rule is None or not (folder / "tokenizer.json").exists():
            return None
        return framed_counter(TokenizerFile(folder / "tokenizer.json", f"{model}'s own"), rule)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Power: tokens over measured speed, times watts. Unknown until something was measured, and
        for reinforcement, whose answers are yet to be drawn."""
        folder = models.locate(spec.model, self.context.home)
        speed = folder and measured(self.context.home, str(folder), str(spec.adapter))
        unknown = (
            "" if speed else "no run has been measured here yet; `ftbridge compare --calibrate`"
        )
        if spec.method is Method.RL:
            unknown = "how much the model will write, and the grader take, is not known before"
        if unknown or not speed:
            return [
                Quantity(name="training", item="electricity", low=None, high=None, formula=unknown)
            ]
        watts = Decimal(self.context.options.get("watts", str(ASSUMED_WATTS)))
        per_hour = Decimal(str(speed.tokens_per_second)) * 3600 * 1000
        return [
            Quantity(
                name="training",
                item="electricity",
                low=tokens.billed_low * watts / per_hour,
                high=tokens.billed_high * watts / per_hour,
                formula=f"{tokens.billed_high:,} tokens / {speed.tokens_per_second:.0f} tokens/s "
                f"({speed.origin}) x {watts} W",
            )
        ]

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """Keep the file here, under its content's name."""
        path = self._root / "files" / upload.name
        with upload.open() as source, atomic_write(path) as target:
            shutil.copyfileobj(source, target)
        return RemoteFile(str(path), upload.bytes)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """The file of an earlier try; it is there whole or not at all."""
        path = self._root / "files" / upload.name
        return RemoteFile(str(path), upload.bytes) if path.exists() else None

    def file_state(self, file_id: str) -> FileState:
        """Whether the kept copy is there; a model or a run never moves it."""
        there = Path(file_id).is_file()
        return FileState(ready=there, missing=not there)

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """Write the run folder named by the key and start its process; safe to repeat."""
        disk.require_room(self._root / "runs", self.context.options.get(disk.OPTION), key)
        folder = self._model_folder(str(request["model"]), fetch=not request.get("offline"))
        lock = str(self._root / "device.lock")
        run = self._run(key)
        fetch = not request.get("offline")
        recipe = rewards.placed(
            dict(request), lambda name: str(self._model_folder(name, fetch=fetch))
        )
        run.prepare(recipe | {"model": str(folder), "device_lock": lock})
        run.start()
        return self.get(key)

    def find(self, key: str) -> RemoteJob | None:
        """The run of this key, if its process was ever started."""
        run = self._run(key)
        return self.get(key) if (run.path / "worker.pid").exists() else None

    def get(self, remote_id: str) -> RemoteJob:
        """The run as its folder shows it."""
        return status.job(remote_id, self._existing(remote_id))

    def events(self, remote_id: str, since: str | None = None) -> list[RemoteEvent]:
        """The run's events."""
        return status.events(self._existing(remote_id))

    def metrics(self, remote_id: str) -> list[RemoteMetric]:
        """Loss, rate, norm and speed by step."""
        return status.metrics(self._existing(remote_id))

    def checkpoints(self, remote_id: str) -> list[RemoteCheckpoint]:
        """The complete checkpoints."""
        return status.checkpoints(self._existing(remote_id))

    def cancel(self, remote_id: str) -> RemoteJob:
        """Ask the process to stop for good after its step."""
        self._existing(remote_id).request("cancel")
        return self.get(remote_id)

    def pause(self, remote_id: str) -> RemoteJob:
        """Ask the process to write a checkpoint and end."""
        self._existing(remote_id).request("pause")
        return self.get(remote_id)

    def resume(self, remote_id: str) -> RemoteJob:
        """Start the process again; it goes on from the newest complete checkpoint."""
        run = self._existing(remote_id)
        if run.status()["state"] == "paused":
            run.join()  # it has said its last word and may still be on its way out
        if not run.alive():
            run.start()
        return self.get(remote_id)

    def delete(self, remote_id: str) -> None:
        """Remove the run's folder: status, metrics, checkpoints and weights."""
        disk.remove_run(self._run(remote_id).path)

    # -- the model ---------------------------------------------------------------------------

    def delete_model(self, model: str) -> None:
        """Remove a run's weights, its checkpoints too; what it says of itself stays."""
        disk.remove_weights(Path(model), self._root / "runs")

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """Ask a model here: a name, a folder, or an adapter's folder."""
        replies: dict[int, ChatReply] = {}
        self.chat_many(model, [request], replies.__setitem__)
        return replies[0]

    def chat_many(
        self,
        model: str,
        requests: Sequence[ChatRequest],
        on_reply: Callable[[int, ChatReply], None],
        workers: int = 1,
    ) -> None:
        """Ask many prompts in batches; ``workers`` has no use with one model in memory."""
        self.require_ready()
        answers.chat_many(self.context.home, model, requests, on_reply)

    def chat_stream(self, model: str, request: ChatRequest) -> Iterator[str]:
        """The answer token by token."""
        self.require_ready()
        return answers.stream(self.context.home, model, request)

    def log_likelihoods(
        self, model: str, requests: Sequence[ChatRequest], texts: Sequence[str]
    ) -> list[float]:
        """How likely each given answer is to a model here."""
        self.require_ready()
        return answers.log_likelihoods(self.context.home, model, requests, texts)

    def model_version(self, model: str) -> str:
        """Size and age of an adapter's or model's weights: a folder's content can change."""
        files = sorted(Path(model).expanduser().glob("*.safetensors"))
        return ",".join(f"{f.name}:{f.stat().st_size}:{f.stat().st_mtime_ns}" for f in files)

    def base_facts(self, model: str) -> BaseFacts:
        """Hub id and licence; of a folder its name, never the path to it."""
        return models.base_facts(model, self.context.home)

    def model_folder(self, model: str) -> Path | None:
        """The folder of a base model by short name, hub id or path."""
        return models.locate(model, self.context.home)

    def fetch_model(self, name: str, say: Callable[[str], None]) -> Path:
        """Bring a base model by short name or hub id."""
        self.require_installed()
        return models.fetch(name, self.context.home, progress=say)

    def calibrate(self) -> None:
        """Train a few synthetic rows on the default model, once; `compare` reads the speed."""
        self.require_ready()
        row = self.catalogue().models[0]
        folder = self._model_folder(row.model)
        adapter = str(row.adapters[0])
        if measured(self.context.home, str(folder), adapter) is None:
            run = Run(self._root / "calibrations" / f"{row.model}-{adapter}")
            data = run.path / "train.jsonl"
            with atomic_write(data) as stream:
                stream.write("\n".join(calibration_rows()).encode())
            lock = str(self._root / "device.lock")
            recipe = {"schema": 1, "model": str(folder), "train": str(data), "adapter": adapter}
            run.prepare(recipe | {"n_epochs": 1, "device_lock": lock})
            run.start()
            run.wait()

    def download(self, remote_id: str, out: Path, *, merged: bool = False) -> Path:
        """Copy the adapter, or merge it into the 16-bit base."""
        source = Path(str(self.get(remote_id).model))
        if out.exists() and any(out.iterdir()):
            raise UsageError(f"{out} is not empty", hint="name a new folder", where="out")
        if merged and source.name == "adapter":
            from ftbridge_trainer.merge import merge

            with translated(), quiet():
                merge(source, out)
        else:
            shutil.copytree(source, out, dirs_exist_ok=True)
        return out

    def write_gguf(self, folder: Path, out: Path, kind: str) -> float:
        """One file for llama.cpp, proven by reading it back."""
        self.require_installed()
        from ftbridge_trainer.to_gguf import to_gguf

        with translated(), quiet():
            return to_gguf(folder, out, kind)

    def purge(self, file_id: str) -> None:
        """Remove the kept copy of a training file."""
        path = Path(file_id)
        if path.parent != self._root / "files":
            raise UsageError(f"{file_id} is no file of the local provider", where="file")
        path.unlink(missing_ok=True)

    def doctor(self) -> list[Check]:
        """Packages, default model, memory and disk."""
        missing = self.missing()
        default = self.catalogue().models[0].model
        here = models.locate(default, self.context.home)
        gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
        home = self.context.home
        free = shutil.disk_usage(home if home.exists() else Path.home()).free / 1e9
        return [
            Check(
                "packages",
                not missing,
                f"missing: {', '.join(missing)}" if missing else "all installed",
                self.install_hint() if missing else "",
            ),
            Check(
                "model",
                True if here else None,
                f"{default} is {here or 'not on disk; the first submit brings it'}",
                "" if here else f"ftbridge models fetch {default}",
            ),
            Check("memory", gigabytes >= 4, f"{gigabytes:.0f} GB of memory", "4 GB is the least"),
            Check("disk", free >= 2, f"{free:.0f} GB free", "2 GB is the least"),
        ]

    # -- private -----------------------------------------------------------------------------

    @property
    def _root(self) -> Path:
        return self.context.home / "local"

    def _run(self, key: str) -> Run:
        return Run(self._root / "runs" / key)

    def _existing(self, remote_id: str) -> Run:
        run = self._run(remote_id)
        if not run.exists:
            raise OperationFailed(
                f"the run's folder is gone: {run.path}", hint="submit it again with --again"
            )
        return run

    def _model_folder(self, model: str, *, fetch: bool = True) -> Path:
        """The model on disk; one of our short names is fetched on first use, if that may be."""
        listed = any(model in (row.name, row.hub_id) for row in models.catalogue())
        if fetch and listed and models.locate(model, self.context.home) is None:
            return models.fetch(model, self.context.home)
        return models.require(model, self.context.home)
