"""What the library's front door offers for leaving a provider: moving, and what retires when."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge import registry
from ftbridge.errors import UsageError
from ftbridge.job import Job
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.move import Move, Wished, move
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.retirements import Retirement, retirements


class BridgeExits:
    """The part of :class:`ftbridge.Bridge` that is about going elsewhere."""

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

        def job(self, reference: str) -> Job: ...

        def plan(self, *args: Any, **kwargs: Any) -> Plan: ...

    def move(
        self,
        job: str,
        *,
        to: str,
        model: str | None = None,
        adapter: str | None = None,
        data: str | Path | None = None,
        validation: str | Path | float | None = None,
        seed: int | None = None,
        suffix: str | None = None,
        options: Mapping[str, str] | None = None,
        base_url: str | None = None,
        max_usd: Decimal | str | float | None = None,
        allow_lossy: bool = False,
        allow_unknown_cost: bool = False,
        **hyperparameters: float | None,
    ) -> Move:
        """Plan a job's data and spec at another provider; sends nothing. :meth:`submit` its plan.

        What has no counterpart there is left to that provider and listed among the changes; what
        is given here wins over what the job had.

        Args:
            job: id, its beginning, or an alias.
            data: the job's file, where it has moved since.

        Raises:
            DataError: where the job's file has gone or changed. Else as :meth:`plan`.
        """
        row = self.job(job).row
        target = registry.load(to).catalogue()
        wished = Wished(
            model, adapter, data, validation, seed, suffix, options or {},
            {name: value for name, value in hyperparameters.items() if value is not None},
            {"base_url": base_url, "max_usd": max_usd, "allow_lossy": allow_lossy,
             "allow_unknown_cost": allow_unknown_cost},
        )  # fmt: skip
        installed = row.provider in registry.names()
        source = registry.load(row.provider).catalogue() if installed else None
        return move(row, target, source, wished, self.plan)

    def retirements(self, within: int | None = None) -> list[Retirement]:
        """Which jobs and tuned models of the ledger stop working, soonest first.

        Args:
            within: only what ends in so many days, or has ended; None: all.
        """
        if within is not None and within < 0:
            raise UsageError(f"{within} days are none", hint="0 or more", where="within")
        catalogues = [provider.catalogue() for provider in registry.all_providers()]
        return retirements(self.ledger.jobs.stream(), catalogues, within)
