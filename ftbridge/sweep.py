"""A few values of a few hyperparameters, one budget, and the best by held-out rows.

Each trial is an ordinary job with the tag ``sweep``, found again by its idempotency key: a sweep
that was killed and is started again attaches to what runs and takes what has ended as it is. Its
evaluations keep every call, so that none is paid twice either.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge import arguments
from ftbridge.dataset import Dataset
from ftbridge.errors import BudgetRefused, FtbridgeError, UsageError
from ftbridge.jobs.control import require_allowed
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.states import State

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge
    from ftbridge.evaluate.result import Result
    from ftbridge.job import Job

MOST_TRIALS = 24
TAG = "sweep"
Values = Mapping[str, float]
Say = Callable[[float, str], None]


@dataclass(frozen=True)
class Trial:
    """One set of values: its job, and how its model did; ``error`` where there is none."""

    values: dict[str, float]
    job: str
    state: str
    result: Result | None = None
    error: str | None = None

    @property
    def score(self) -> float | None:
        """The tuned model's, by the first metric."""
        return self.result.main.tuned.value if self.result else None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        main = self.result.main if self.result else None
        return {
            "values": self.values,
            "job": self.job,
            "state": self.state,
            "score": self.score,
            "ci": list(main.tuned.ci) if main else None,
            "verdict": main.verdict if main else None,
            "evaluation": self.result.id if self.result else None,
            "error": self.error,
        }


@dataclass(frozen=True)
class Sweep:
    """All trials, in the order of the grid. ``planned_usd`` is the most that training what was
    not trained yet could cost when the sweep began; None: not known."""

    id: str
    metric: str
    held_out: str
    trials: tuple[Trial, ...]
    planned_usd: Decimal | None

    @property
    def best(self) -> Trial | None:
        """The highest score; of equals the first."""
        done = [trial for trial in self.trials if trial.score is not None]
        return max(done, key=lambda trial: trial.score or 0.0, default=None)

    @property
    def close(self) -> list[Trial]:
        """Other trials whose interval reaches the best one's score: these rows cannot tell them
        from it."""
        best = self.best
        return [
            trial
            for trial in self.trials
            if best and trial is not best and trial.result and best.score is not None
            and trial.result.main.tuned.ci[1] >= best.score
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        best = self.best
        return {
            "sweep": self.id,
            "metric": self.metric,
            "held_out": self.held_out,
            "trials": [trial.to_dict() for trial in self.trials],
            "best": best.to_dict() if best else None,
            "not_told_apart": [trial.job for trial in self.close],
            "planned_usd": None if self.planned_usd is None else float(self.planned_usd),
            "note": NOTE,
        }


NOTE = (
    "the best one's score is on the rows that chose it, and so a little too good: evaluate it "
    "once more on other rows before it is promoted"
)


@dataclass(frozen=True)
class Wishes:
    """What a sweep is asked for.

    ``grid`` holds the values of each hyperparameter, ``training`` what :meth:`Bridge.plan` takes
    beside, ``evaluation`` what :meth:`Bridge.evaluate` takes.
    """

    data: Dataset
    grid: Mapping[str, Sequence[float]]
    validation: str | Path | float
    training: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    metrics: Sequence[str] = ("exact_match",)
    max_usd: Decimal | None = None
    allow_unknown_cost: bool = False
    again: bool = False
    parallel: int = 2
    on_progress: Say = field(default=lambda share, text: None)


def run(bridge: Bridge, wishes: Wishes) -> Sweep:
    """Train and evaluate every trial, and say which is best.

    Raises:
        UsageError: for a grid that is empty, too large, or of an unknown hyperparameter.
        BudgetRefused: before anything is sent, where the trials may cost more than ``max_usd``.
        What :meth:`Bridge.plan` raises. A trial that fails later is told in its row.
    """
    trials = _grid(wishes.grid)
    training, held = _held_out(bridge, wishes)
    sweep_id = _id(wishes, training, held)
    plans = [_plan(bridge, wishes, training, values, sweep_id) for values in trials]
    planned = _require_affordable(bridge, wishes, plans)
    jobs: list[Job | FtbridgeError] = []
    for start in range(0, len(plans), wishes.parallel):
        some = plans[start : start + wishes.parallel]
        jobs += _train(bridge, wishes, some, start / len(plans) / 2)
    left = None if wishes.max_usd is None else wishes.max_usd - (planned or Decimal(0))
    done = []
    for number, (values, job) in enumerate(zip(trials, jobs, strict=True)):
        wishes.on_progress(0.5 + number / len(trials) / 2, f"evaluating {_words(values)}")
        trial = _evaluated(bridge, wishes, values, job, held, left)
        if left is not None and trial.result:
            left -= Decimal(str(trial.result.to_dict()["usd"]["known"]))
        done.append(trial)
    return Sweep(sweep_id, wishes.metrics[0], str(held), tuple(done), planned)


def _grid(grid: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    if not grid or not all(grid.values()):
        raise UsageError(
            "a sweep needs values", hint="--vary learning_rate=1e-4,1e-3", where="vary"
        )
    names = list(grid)
    trials = [dict(zip(names, values, strict=True)) for values in itertools.product(*grid.values())]
    if len(trials) > MOST_TRIALS:
        raise UsageError(
            f"{len(trials)} trials are more than {MOST_TRIALS}",
            hint="vary fewer values: two or three of what matters most",
            where="vary",
        )
    for values in trials:
        arguments.hyperparameters(values)
    return trials


def _held_out(bridge: Bridge, wishes: Wishes) -> tuple[Dataset, Path]:
    """What is trained on, and the rows that choose; those are not shown to the trainer."""
    seed = wishes.training.get("seed") or 0
    training, held = bridge._with_validation(wishes.data, wishes.validation, seed)
    return training, Path(str(held.path if held else wishes.validation))


def _id(wishes: Wishes, training: Dataset, held: Path) -> str:
    """The same for the same wishes, so that a sweep started again is the same one."""
    what = {name: str(value) for name, value in wishes.training.items() if value is not None}
    content = [
        training.sha256,
        Dataset(held).sha256,
        {k: list(v) for k, v in wishes.grid.items()},
        {name: value for name, value in what.items() if name not in ("tags", "privacy")},
    ]
    return "sweep-" + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def _plan(bridge: Bridge, wishes: Wishes, training: Dataset, values: Values, sweep_id: str) -> Plan:
    settings = dict(wishes.training) | dict(values)
    tags = dict(settings.pop("tags", None) or {}) | {TAG: sweep_id}
    plan = bridge.plan(
        training, tags=tags, allow_unknown_cost=wishes.allow_unknown_cost, **settings
    )
    require_allowed(plan)
    return plan


def _require_affordable(bridge: Bridge, wishes: Wishes, plans: Sequence[Plan]) -> Decimal | None:
    """The most that the trials not yet begun may cost; refused where that is over the budget."""
    new = [plan for plan in plans if plan.bills and _known(bridge, wishes, plan) is None]
    highs = [plan.usd.high for plan in new]
    known = [usd for usd in highs if usd is not None]
    if wishes.max_usd is not None:
        if len(known) < len(highs) and not wishes.allow_unknown_cost:
            raise BudgetRefused(
                f"what {len(highs) - len(known)} of the trials cost is not known",
                hint="add --allow-unknown-cost, or leave --max-usd out",
                where="max_usd",
                code="unknown_cost",
            )
        if sum(known) > wishes.max_usd:
            raise BudgetRefused(
                f"{len(new)} trials may cost {sum(known):.2f} USD together, more than --max-usd "
                f"{wishes.max_usd}",
                hint="vary fewer values, or raise it",
                where="max_usd",
            )
    return sum(known, Decimal(0)) if len(known) == len(highs) else None


def _known(bridge: Bridge, wishes: Wishes, plan: Plan) -> str | None:
    """The job of a trial that an earlier run of the sweep has begun, if it is to be taken."""
    row = bridge.ledger.jobs.latest(plan.spec.key(plan.account, 1))
    if row is None or (wishes.again and row.state in (State.FAILED, State.CANCELLED)):
        return None
    return row.id


def _train(
    bridge: Bridge, wishes: Wishes, plans: Sequence[Plan], share: float
) -> list[Job | FtbridgeError]:
    """Bring some trials to their end; what failed on the way is kept in its place."""
    jobs: list[Job | FtbridgeError] = []
    for plan in plans:
        wishes.on_progress(share, f"training {_words(plan.spec.hyperparameters.given())}")
        known = _known(bridge, wishes, plan)
        try:
            job = bridge.job(known) if known else bridge.submit(plan, again=wishes.again)
            jobs.append(job.resume() if job.state in (State.PREPARING, State.PAUSED) else job)
        except FtbridgeError as error:
            jobs.append(error)
    going = [job for job in jobs if not isinstance(job, FtbridgeError) and not job.row.is_final]
    for update in bridge.watch(going) if going else ():
        wishes.on_progress(share, f"{update.job.id} {update.job.state}")
    return [job if isinstance(job, FtbridgeError) else bridge.job(job.id) for job in jobs]


def _evaluated(
    bridge: Bridge,
    wishes: Wishes,
    values: dict[str, float],
    job: Job | FtbridgeError,
    held: Path,
    left: Decimal | None,
) -> Trial:
    if isinstance(job, FtbridgeError):
        return Trial(values, "", str(State.FAILED), error=job.message)
    try:
        job.require_success()
        result = bridge.evaluate(
            held,
            model=job.id,
            metrics=wishes.metrics,
            max_usd=left,
            allow_unknown_cost=wishes.allow_unknown_cost,
            **_under_the_same_label(wishes),
        )
    except FtbridgeError as error:
        return Trial(values, job.id, str(job.state), error=error.message)
    return Trial(values, job.id, str(job.state), result)


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in values.items())


def _under_the_same_label(wishes: Wishes) -> dict[str, Any]:
    """What an evaluation takes, labelled at least as the training is."""
    return {"privacy": wishes.training.get("privacy"), **wishes.evaluation}
