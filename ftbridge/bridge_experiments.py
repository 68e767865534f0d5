"""What the library's front door does with many jobs: sweeps, trackers, and whether data cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ftbridge import arguments
from ftbridge.dataset import Dataset
from ftbridge.errors import UsageError
from ftbridge.job import Job
from ftbridge.jobs.ledger import Ledger

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge
    from ftbridge.evaluate.traffic import Coverage
    from ftbridge.sweep import Sweep
    from ftbridge.tracking import Tracked


class BridgeExperiments:
    """The part of :class:`ftbridge.Bridge` that compares and records experiments."""

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

        def job(self, reference: str) -> Job: ...

    def sweep(
        self,
        data: Dataset | str | Path,
        grid: Mapping[str, Sequence[float]],
        *,
        validation: str | Path | float = 0.2,
        metrics: Sequence[str] = ("exact_match",),
        max_usd: Decimal | str | float | None = None,
        allow_unknown_cost: bool = False,
        again: bool = False,
        parallel: int = 2,
        evaluation: Mapping[str, Any] | None = None,
        on_progress: Callable[[float, str], None] = lambda share, text: None,
        **training: Any,
    ) -> Sweep:
        """A few values of a few hyperparameters, and the best by held-out rows.

        Killed and called again, it attaches to what runs and takes what has ended.

        Args:
            grid: values by the neutral names of hyperparameters; every combination is a trial.
            validation: the rows that choose, a file or the share (0..1) that is held out; they
                are not trained on.
            max_usd: over all trials, their evaluations included.
            again: try trials once more that have failed.
            parallel: trials at a time.
            evaluation: what :meth:`evaluate` takes beside.
            training: what :meth:`plan` takes beside, ``provider`` first.

        Raises:
            UsageError: a grid that is empty, too large, or unknown; BudgetRefused before anything
            is sent; what :meth:`plan` raises.
        """
        from ftbridge import sweep

        if parallel < 1:
            raise UsageError(f"{parallel} at a time is none", hint="1 or more", where="parallel")
        wishes = sweep.Wishes(
            data if isinstance(data, Dataset) else Dataset(data),
            grid,
            validation,
            training,
            evaluation or {},
            metrics,
            arguments.usd(max_usd),
            allow_unknown_cost,
            again,
            parallel,
            on_progress,
        )
        return sweep.run(cast("Bridge", self), wishes)

    def track(
        self,
        jobs: Sequence[str] = (),
        *,
        to: str,
        tag: tuple[str, str] | None = None,
        project: str = "ftbridge",
        where: str | None = None,
        offline: bool = False,
    ) -> list[Tracked]:
        """Tell MLflow or Weights & Biases of jobs: settings, values, evaluations, costs, no rows.

        Args:
            jobs: by id or alias; with ``tag`` also all that carry it.
            to: ``mlflow`` or ``wandb``; each is told once of a job, and again of what is new.
            where: MLflow's tracking URI, or W&B's folder.

        Raises:
            UsageError, NotInstalled, OperationFailed: see :func:`ftbridge.tracking.track`.
        """
        from ftbridge import tracking

        found = [self.job(each) for each in jobs]
        found += [self.job(row.id) for row in self.ledger.jobs.list(tag=tag)] if tag else []
        once = {job.id: job for job in found}
        return tracking.track(list(once.values()), self.ledger, to, project, where, offline)

    def coverage(self, data: Dataset | str | Path, traffic: Dataset | str | Path) -> Coverage:
        """Whether the inputs of a file cover a sample of real traffic, and are as diverse.

        Raises:
            DataError: where a file is bad.
        """
        from ftbridge.evaluate.traffic import coverage  # numpy is loaded only here

        files = [each if isinstance(each, Dataset) else Dataset(each) for each in (data, traffic)]
        return coverage(files[0].examples(), files[1].examples())
