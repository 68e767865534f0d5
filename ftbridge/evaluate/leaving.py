"""Evaluation rows on their way to a vendor: cleared by the policy, and written into the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftbridge.dataset import Dataset
from ftbridge.job import Model
from ftbridge.jobs.clearance import Clearance
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.policy import Privacy


@dataclass(frozen=True)
class Leaving:
    """The right to ask some models the rows of one file."""

    dataset: Dataset
    clearance: Clearance
    job_id: str | None

    @classmethod
    def cleared(
        cls,
        datasets: Sequence[Dataset],
        models: Sequence[Model],
        job: JobRow | None,
        asked: Privacy | None = None,
    ) -> Leaving:
        """Ask the policy for every model that is not on this machine.

        Args:
            datasets: the rows, then what else is shown with them.
            asked: a label by flag or argument: it can only raise.

        Raises:
            PolicyRefused: where the label keeps them here, or a wanted scan finds something.
        """
        clearance = Clearance.of([dataset.source.location for dataset in datasets], asked)
        for model in models:
            there = model.provider.destination
            clearance.place(there).require()
            clearance.require_clean(datasets, there)
        return cls(datasets[0], clearance, job.id if job else None)

    def note(self, model: Model, rows: int, ledger: Ledger) -> None:
        """Write down, before they are asked, that so many rows go to a model as questions."""
        there = model.provider.destination
        if not there.leaves:
            return
        decision = self.clearance.place(there)
        ledger.egress.note(
            "asked",
            {
                "job_id": self.job_id,
                "sha256": self.dataset.sha256,
                "rows": rows,
                "bytes": self.dataset.bytes,
                "privacy": str(self.clearance.label.privacy),
                "provider": there.provider,
                "account": there.account,
                "region": there.region,
                "endpoint": there.endpoint,
                "remote_id": model.name,
                "rule": decision.rule,
            },
        )
