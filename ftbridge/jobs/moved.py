"""What is not as it was, between a job and a plan for the same thing elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.spec import DataRef, JobSpec

Reasons = Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was.

    ``code`` is model, adapter, hyperparameter, seed, suffix, option, data, privacy, epochs, loss
    or usd; ``name`` says which one. ``before`` or ``after`` is None where it was not set.
    """

    code: str
    name: str
    before: Any
    after: Any
    note: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "code": self.code,
            "name": self.name,
            "from": self.before,
            "to": self.after,
            "note": self.note,
        }


def changes(row: JobRow, spec: JobSpec, plan: Plan, reasons: Reasons) -> tuple[Change, ...]:
    """Everything that differs, what is sent first, then what it leads to.

    Args:
        reasons: by name, why something could not stay as it was.
    """
    old = json.loads(row.plan)
    return (
        *_wishes(spec, plan.spec, reasons),
        *_data(spec, plan.spec),
        *_epochs(old, plan),
        *_losses(old, plan),
        _usd(row, old, plan),
    )


def _wishes(spec: JobSpec, new: JobSpec, reasons: Reasons) -> Iterator[Change]:
    for name in ("model", "adapter", "seed", "suffix", "privacy"):
        yield from _differ(name, name, getattr(spec, name), getattr(new, name), reasons)
    before, after = spec.hyperparameters.given(), new.hyperparameters.given()
    for name in dict.fromkeys([*before, *after]):
        yield from _differ("hyperparameter", name, before.get(name), after.get(name), reasons)
    for name in sorted(spec.options.keys() | new.options.keys()):
        was, now = spec.options.get(name), new.options.get(name)
        yield from _differ("option", name, was, now, reasons)


def _differ(code: str, name: str, was: Any, now: Any, reasons: Reasons) -> Iterator[Change]:
    if was != now:
        known = reasons.get(f"option {name}" if code == "option" else name)
        yield Change(code, name, was, now, known or "as asked")


def _data(spec: JobSpec, new: JobSpec) -> Iterator[Change]:
    pairs: list[tuple[str, DataRef | None, DataRef | None]] = [
        ("training", spec.training, new.training),
        ("validation", spec.validation, new.validation),
    ]
    for name, was, now in pairs:
        before, after = was.sha256 if was else None, now.sha256 if now else None
        if before != after:
            yield Change("data", name, before, after, "other data than the job was made from")


def _epochs(old: Mapping[str, Any], plan: Plan) -> Iterator[Change]:
    """Passes that nobody asked for: each provider chooses its own number."""
    before, after = old["tokens"]["n_epochs"], plan.tokens.n_epochs
    if before != after and plan.spec.hyperparameters.n_epochs is None:
        note = f"left to {plan.spec.provider}; fix it with --n-epochs"
        yield Change("epochs", "n_epochs", before, after, note)


def _losses(old: Mapping[str, Any], plan: Plan) -> Iterator[Change]:
    before = {loss["code"]: loss["count"] for loss in old["losses"]}
    after = {loss.code: loss for loss in plan.losses}
    for code in sorted(before.keys() | after.keys()):
        was, now = before.get(code, 0), after[code].count if code in after else 0
        if was != now:
            lines = ", ".join(map(str, after[code].lines)) if now else ""
            note = f"first on the lines {lines}" if now else "carried there"
            yield Change("loss", code, was, now, note)


def _usd(row: JobRow, old: Mapping[str, Any], plan: Plan) -> Change:
    before = {name: _number(old["usd"][name]) for name in ("low", "high")}
    before["billed"] = None if row.billed_micro is None else row.billed_micro / 1e6
    after = {name: _number(getattr(plan.usd, name)) for name in ("low", "high")}
    unknown = f"not known there: {', '.join(plan.usd.unknown)}" if plan.usd.unknown else ""
    return Change("usd", "usd", before, after, unknown or "what the plans estimate")


def _number(usd: Any) -> float | None:
    return None if usd is None else float(usd)
