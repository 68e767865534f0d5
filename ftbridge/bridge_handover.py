"""What the library's front door offers to teams that run a trainer of their own already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge import arguments
from ftbridge.dataset import Dataset
from ftbridge.dataset.types import Kind
from ftbridge.errors import UsageError
from ftbridge.handover import (
    FALLBACKS,
    TRAIN,
    VALIDATION,
    HandedOver,
    Recipe,
    hand_over,
    load,
    require,
)
from ftbridge.job import Job
from ftbridge.jobs.move import require_file
from ftbridge.jobs.spec import Adapter, DataRef, Hyperparameters, JobSpec, Method
from ftbridge.policy.labels import carry
from ftbridge.provider import Provider, Setting

_NAMES = (
    "n_epochs", "batch_size", "learning_rate", "lr_scheduler", "warmup_ratio", "weight_decay",
    "max_grad_norm", "lora_r", "lora_alpha", "lora_dropout", "seed",
)  # fmt: skip


class BridgeHandover:
    """The part of :class:`ftbridge.Bridge` that writes other trainers' configurations."""

    if TYPE_CHECKING:

        def provider(self, name: str, options: Mapping[str, str] | None = None) -> Provider: ...

        def job(self, reference: str) -> Job: ...

    def hand_over(
        self,
        what: str | Path | Dataset,
        *,
        to: str,
        out: str | Path,
        model: str | None = None,
        adapter: str | None = None,
        validation: str | Path | None = None,
        seed: int | None = None,
        allow_lossy: bool = False,
        **hyperparameters: float | None,
    ) -> HandedOver:
        """Write a config and data that another trainer takes; nothing is sent, nothing trained.

        Args:
            what: a data file, or a job's id or alias: then its data, model and settings, and for
                a run of this machine every value that it settled on.
            to: see :func:`ftbridge.handover.names`.
            model: folder or hub id of the base; needed where the job's model has no open weights.
            hyperparameters: win over what the job had.

        Raises:
            UsageError: no such trainer, no model, or a folder that holds something.
            Unsupported: what that trainer cannot train. DataError, LossError: as ``convert``.
        """
        target = load(to)
        place = self.provider("local")
        asked = arguments.hyperparameters(hyperparameters)
        wanted = None if adapter is None else arguments.choice(Adapter, adapter, "adapter")
        job = None
        if isinstance(what, Dataset) or Path(what).exists():
            data = what if isinstance(what, Dataset) else Dataset(what)
            held_out = None if validation is None else Dataset(validation)
            spec = _of_data(data, model, asked, wanted)
            known: Mapping[str, Setting] = {}
        else:
            job = self.job(str(what))
            spec = _of_job(job, model, asked, wanted)
            known = _settled(job, spec)
            data, held_out = _files(job, validation)
        place.catalogue().check_hyperparameters(spec.method, asked)
        require(target, data.kind, spec.adapter)
        given = {name: Setting(value, "given") for name, value in asked.given().items()}
        if seed is not None:
            given["seed"] = Setting(seed, "given")
        settings = _complete([given, known, place.settings(spec), FALLBACKS], spec.method)
        found = place.model_folder(spec.model)
        folder = None if found is None else found.resolve()
        recipe = Recipe(
            str(folder) if folder and Path(spec.model).expanduser().exists() else spec.model,
            folder,
            data.kind,
            spec.adapter,
            spec.training.examples,
            {name: setting.value for name, setting in settings.items()},
            held_out is not None,
        )
        made = hand_over(
            target, recipe, settings, (data, held_out), Path(out), allow_lossy=allow_lossy
        )
        if job is not None:  # its label may have come by a flag
            copies = [made.out / name for name in made.files if name in (TRAIN, VALIDATION)]
            carry(data.source.location, copies, job.plan.spec.privacy)
        return made


def _of_data(
    data: Dataset, model: str | None, asked: Hyperparameters, adapter: Adapter | None
) -> JobSpec:
    if model is None:
        raise UsageError(
            "a data file says no model", hint="name its base with --model", where="--model"
        )
    ref = DataRef(
        path=str(data.path),
        sha256=data.sha256,
        kind=data.kind,
        examples=sum(1 for _ in data.examples()),
        bytes=data.bytes,
    )
    method = Method.DPO if data.kind is Kind.PREFERENCE else Method.SFT
    return JobSpec(
        provider="local", model=model, method=method, adapter=adapter or Adapter.LORA,
        hyperparameters=asked, training=ref,
    )  # fmt: skip


def _of_job(
    job: Job, model: str | None, asked: Hyperparameters, adapter: Adapter | None
) -> JobSpec:
    """The job's spec as this machine would take it: names that only its vendor knows fall away."""
    had = job.plan.spec
    here = had.provider == "local"
    if model is None and not here:
        raise UsageError(
            f"{job.id} was trained at {had.provider}, which calls its base {had.model}",
            hint="name the open weights with --model (folder or hub id)",
            where="--model",
        )
    values = had.hyperparameters.given()
    values.pop("learning_rate_multiplier", None)  # a factor on a rate that no vendor says
    values |= asked.given()
    kept = had.adapter if had.adapter is not Adapter.MANAGED else Adapter.LORA
    return had.model_copy(
        update={
            "provider": "local",
            "model": model or had.model,
            "adapter": adapter or kept,
            "hyperparameters": Hyperparameters(**values),
            "options": had.options if here else {},
            "connection": {},
        }
    )


def _settled(job: Job, spec: JobSpec) -> Mapping[str, Setting]:
    """What a run of this machine has decided, if it is the same model and has begun."""
    had = job.plan.spec
    if had.provider != "local" or (had.model, had.adapter) != (spec.model, spec.adapter):
        return {}
    if job.row.remote_id is None:
        return {}
    return job.decided()


def _files(job: Job, validation: str | Path | None) -> tuple[Dataset, Dataset | None]:
    spec = job.plan.spec
    require_file(spec.training, "the data file in JOB's place")
    if validation is not None:
        return Dataset(spec.training.path), Dataset(validation)
    if spec.validation is None:
        return Dataset(spec.training.path), None
    require_file(spec.validation, "--validation")
    return Dataset(spec.training.path), Dataset(spec.validation.path)


def _complete(sources: Sequence[Mapping[str, Setting]], method: Method) -> dict[str, Setting]:
    """Every value that a configuration needs, each with its origin: the first source that has it
    wins."""
    beta = ("beta",) if method is Method.DPO else ()
    found = {}
    for name in (*_NAMES, *beta, *FALLBACKS):
        entries = (source[name] for source in sources if name in source)
        setting = next((entry for entry in entries if entry.value is not None), None)
        if setting is not None:
            found[name] = setting
    return found
