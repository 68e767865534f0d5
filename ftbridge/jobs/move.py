"""The same data and spec at another provider, and everything that changes on the way.

Nothing is mapped that has no counterpart: what the other side does not take is left to it, and is
listed as a change with the reason. A learning rate is never made of a multiplier, nor the reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftbridge.catalogue import Catalogue
from ftbridge.dataset import Dataset
from ftbridge.errors import DataError, UsageError
from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.moved import Change, changes
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.spec import DataRef, Hyperparameters, JobSpec

PROBED = frozenset({"seed", "suffix"})
"""Wishes that a catalogue says nothing of: they are left out where the provider refuses them."""

_RATES = {"learning_rate": "learning_rate_multiplier", "learning_rate_multiplier": "learning_rate"}


@dataclass(frozen=True)
class Move:
    """A plan for what a job did, elsewhere. Submit it as any plan; it remembers the job.

    ``changes`` holds everything that is not as it was, prices included.
    """

    job: JobRow
    plan: Plan
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Wished:
    """What a person says beside the job and the provider: it wins over what the job had.

    ``extra`` goes to the plan as it is: ``max_usd``, ``allow_lossy`` and the like.
    """

    model: str | None = None
    adapter: str | None = None
    data: str | Path | None = None
    validation: str | Path | float | None = None
    seed: int | None = None
    suffix: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    hyperparameters: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


def move(
    row: JobRow,
    target: Catalogue,
    source: Catalogue | None,
    wished: Wished,
    make: Callable[..., Plan],
) -> Move:
    """Plan a job's data and spec at another provider.

    Args:
        target: the facts of the provider to move to; ``source``: of the one that it was at, if
            that is still installed.
        make: :meth:`ftbridge.Bridge.plan`.

    Raises:
        UsageError: where nothing would change, or as ``make`` does.
        DataError: where the job's data file has gone or changed, and no other is named.
        Unsupported, PolicyRefused: as ``make`` does.
    """
    spec = JobSpec.model_validate_json(row.spec)
    if target.provider == spec.provider and wished.model is None and wished.data is None:
        raise UsageError(
            f"{row.id} is at {spec.provider} already",
            hint="name another --model there, other --data, or another provider",
            where="--to",
        )
    asked, reasons = _asked(spec, target, source, wished)
    plan = _planned(spec, wished, asked, reasons, make)
    plan = plan.model_copy(update={"parent_job": row.id})
    return Move(row, plan, changes(row, spec, plan, reasons))


def _asked(
    spec: JobSpec, target: Catalogue, source: Catalogue | None, wished: Wished
) -> tuple[dict[str, Any], dict[str, str]]:
    """What to ask a plan for, and by name the reason for what is not as it was."""
    reasons: dict[str, str] = {}
    there = target.provider == spec.provider
    same = spec.model if there else _counterpart(spec, target, source, reasons)
    model = wished.model or same
    kept = spec.options | spec.connection if there else {}
    for name in spec.options.keys() - kept.keys():
        reasons[f"option {name}"] = f"an option of {spec.provider} alone"
    given = _hyperparameters(spec, target, wished, reasons)
    asked = {
        "provider": target.provider,
        "model": model,
        "method": str(spec.method),
        "adapter": wished.adapter or _adapter(spec, target, model, reasons),
        "validation": wished.validation or (spec.validation.path if spec.validation else None),
        "seed": spec.seed if wished.seed is None else wished.seed,
        "suffix": wished.suffix or spec.suffix,
        "tags": spec.tags,
        "options": kept | dict(wished.options),
        "privacy": str(spec.privacy),
        "grader": spec.grader,
    }
    return asked | given | dict(wished.extra), reasons


def _counterpart(
    spec: JobSpec, target: Catalogue, source: Catalogue | None, reasons: dict[str, str]
) -> str | None:
    """The same model there, by id or family; None, with the reason: its default."""
    if target.model(spec.model):
        return spec.model
    row = source.model(spec.model) if source else None
    family = row.family if row else None
    found = target.model(family) if family else None
    if found and spec.method in found.methods:
        reasons["model"] = f"the same family: {family}"
        return found.model
    reasons["model"] = (
        f"{target.provider} does not tune {family or spec.model} ({spec.method}); this is its "
        f"default: choose with --model, see `ftbridge models --provider {target.provider}`"
    )
    return None


def _adapter(
    spec: JobSpec, target: Catalogue, model: str | None, reasons: dict[str, str]
) -> str | None:
    """The same adapter where the model has it there; None, with the reason: its first."""
    row = target.model(model or target.default_model(spec.method))
    offered = row.adapters if row else tuple(target.adapters)
    if spec.adapter in offered:
        return str(spec.adapter)
    reasons["adapter"] = f"{target.provider} offers {', '.join(offered)} there"
    return None


def _hyperparameters(
    spec: JobSpec, target: Catalogue, wished: Wished, reasons: dict[str, str]
) -> dict[str, Any]:
    """Those that are asked for, and those of the job's that the other side takes."""
    kept: dict[str, Any] = dict(wished.hyperparameters)
    for name, value in spec.hyperparameters.given().items():
        if name in kept:
            continue
        try:
            target.check_hyperparameters(spec.method, Hyperparameters.model_validate({name: value}))
            kept[name] = value
        except UsageError as error:
            reasons[name] = f"{error.message}; it is left to {target.provider}"
            other = _RATES.get(name)
            if other in target.hyperparameters.get(spec.method, {}) and other not in kept:
                flag = "--" + other.replace("_", "-")
                reasons[name] += f". It takes {other}, of which this is none: set {flag}"
    return kept


def _planned(
    spec: JobSpec,
    wished: Wished,
    asked: dict[str, Any],
    reasons: dict[str, str],
    make: Callable[..., Plan],
) -> Plan:
    """The plan, without what only the provider itself knows that it does not take."""
    while True:
        try:
            plan = make(wished.data or spec.training.path, **asked)
            break
        except UsageError as error:
            name = error.where
            if name not in PROBED or asked[name] is None or getattr(wished, name) is not None:
                raise
            reasons[name], asked[name] = error.message, None
        except DataError:
            _require_same(spec, wished)
            raise
    _require_same(spec, wished)
    return plan


def _require_same(spec: JobSpec, wished: Wished) -> None:
    if wished.data is None:
        require_file(spec.training, "--data")
    if spec.validation and wished.validation is None:
        require_file(spec.validation, "--validation")


def require_file(ref: DataRef, flag: str) -> None:
    """Raise DataError unless a job's file is still where it was, with the same content."""
    if not Path(ref.path).is_file():
        state = "the file that the job was made from is not there any more"
    elif Dataset(ref.path).sha256 != ref.sha256:
        state = "the file has changed since the job was made from it"
    else:
        return
    raise DataError(
        f"{ref.path}: {state}",
        hint=f"say where it is now with {flag} FILE (its sha256 was {ref.sha256})",
        where=ref.path,
        code="moved_data",
    )
