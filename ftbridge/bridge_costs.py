"""What the library's front door says of money: prices, comparisons, quotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ftbridge import arguments, registry
from ftbridge.choose import cheapest, wishes_of
from ftbridge.compare import Comparison, Offer, Question, compare
from ftbridge.config import Config
from ftbridge.cost import book as price_book
from ftbridge.cost.against import Against
from ftbridge.cost.horizon import Wanted, wanted_from
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.reconcile import JobCost, job_cost
from ftbridge.cost.refresh import Outcome
from ftbridge.dataset import Dataset
from ftbridge.errors import UsageError
from ftbridge.graders import Grader, grader_from
from ftbridge.jobs.clearance import Clearance
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.ledger.deployments import DeploymentRow
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.quoting import quoted
from ftbridge.jobs.spec import Adapter, Method
from ftbridge.policy import Privacy
from ftbridge.provider import Provider


class BridgeCosts:
    """The part of :class:`ftbridge.Bridge` that asks what things cost."""

    config: Config

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

        def provider(self, name: str, options: Mapping[str, str] | None = None) -> Provider: ...

        def _unchecked(self, name: str, options: Mapping[str, str] | None = None) -> Provider: ...

        def _provider_of_spec(self, spec: Any) -> Provider: ...

    @cached_property
    def prices(self) -> PriceBook:
        """The price book with the user's rows on top."""
        return price_book.load(self.config)

    def refresh_prices(
        self,
        providers: Sequence[str] = (),
        *,
        allow_jumps: bool = False,
        base_url: str | None = None,
    ) -> list[Outcome]:
        """Read public price sources again (none named: all); what cannot be read keeps its date.

        Raises:
            UsageError: for a vendor without a public source.
        """
        home = self.config.ensure_home()
        found = price_book.refresh_all(
            home, self.prices, providers, allow_jumps=allow_jumps, base_url=base_url
        )
        self.__dict__.pop("prices", None)
        return found

    def compare(
        self,
        data: Dataset | str | Path,
        *,
        family: str | None = None,
        method: str = "sft",
        adapter: str | None = None,
        privacy: str | None = None,
        n_epochs: int | None = None,
        grader: Grader | Mapping[str, Any] | str | Path | None = None,
        region: str | None = None,
        budget: Decimal | str | float | None = None,
        use: Wanted | Mapping[str, Any] | None = None,
        against: Against | str | None = None,
        sort: str | None = None,
        options: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Comparison:
        """What it would cost everywhere, cheapest first; sends nothing.

        Args:
            family: only this open model, or one model id.
            grader: as in :meth:`plan`.
            region: only what runs there.
            budget: only what surely costs no more, in USD.
            use: also what the tuned model would cost in use, over months: ``months``,
                ``calls_per_month``, ``input_tokens``, ``output_tokens``.
            against: with ``use``, the base model that it would replace, ``provider:model``.
            sort: a column (:data:`ftbridge.cost.table.COLUMNS`), with a ``-`` downwards.
            options: settings by provider name.

        Raises:
            UsageError: ``against`` without ``use``, an unknown column, a size that the data do not
                show. DataError: where the file is bad.
        """
        if isinstance(use, Mapping):
            use = wanted_from(use)
        if isinstance(against, str):
            against = Against(against)
        if against is not None and use is None:
            raise UsageError("a base model is compared over months of use", where="against")
        dataset = data if isinstance(data, Dataset) else Dataset(data)
        label = None if privacy is None else arguments.choice(Privacy, privacy, "privacy")
        question = Question(
            dataset,
            arguments.choice(Method, method, "method"),
            arguments.hyperparameters({"n_epochs": n_epochs}),
            Clearance.of([dataset.source.location], label),
            family=family,
            grader=grader_from(grader),
            adapter=None if adapter is None else arguments.choice(Adapter, adapter, "adapter"),
            region=region,
            budget=arguments.usd(budget),
            wanted=use,
            against=against,
            sort=sort,
        )
        here = {} if region is None else {"region": region}
        places = [
            self._unchecked(name, here | dict((options or {}).get(name, {})))
            for name in registry.names()
        ]
        return compare(question, places, self.prices)

    def plan_cheapest(self, data: Dataset | str | Path, **wanted: Any) -> Plan:
        """The plan at the cheapest provider that policy, budget and its abilities allow.

        Args:
            wanted: as :meth:`plan`, without ``provider``; ``model`` may be a family. What only one
                vendor understands (``options``, ``base_url``) cannot be asked of all.

        Returns:
            The plan; its first warning is the reason of the choice.

        Raises:
            BudgetRefused, PolicyRefused, Unsupported: where none is left, with the reasons.
        """
        for name in ("options", "base_url"):
            if wanted.pop(name, None):
                raise UsageError(
                    f"{name} is for one provider; auto chooses among all",
                    hint="put it into config.toml under [providers.NAME], or name the provider",
                    where=name,
                )
        keys = ("method", "adapter", "privacy", "n_epochs", "grader")
        asked = {key: wanted[key] for key in keys if wanted.get(key) is not None}
        unknown_too = bool(wanted.get("allow_unknown_cost"))
        limit = None if unknown_too else wanted.get("max_usd")
        found = self.compare(data, family=wanted.pop("model", None), budget=limit, **asked)

        def plan_for(offer: Offer) -> Plan:
            self.provider(offer.provider).require_ready()
            made: Plan = cast(Any, self).plan(data, **wishes_of(offer, wanted))
            return made

        bills = {name: registry.load(name).bills for name in registry.names()}
        return cheapest(found, plan_for, bills.__getitem__, unknown_too=unknown_too)

    def quote(self, plan: Plan) -> Plan:
        """The plan at the vendor's own price, asked now and kept in the ledger.

        Raises:
            Unsupported: where the vendor gives no price before a job. ProviderError: it could not
                be asked.
        """
        return quoted(plan, self._provider_of_spec(plan.spec), self.ledger, self.prices)

    def costs(self, **filters: Any) -> list[JobCost]:
        """What jobs cost against their estimates, newest first; filters as in :meth:`jobs`.

        Put them together with :func:`ftbridge.cost.reconcile.group`.
        """
        deployed: dict[str | None, list[DeploymentRow]] = {}
        for item in self.ledger.deployments.all():
            deployed.setdefault(item.job_id, []).append(item)
        rows = self.ledger.jobs.stream(**filters)
        return [job_cost(row, deployed.get(row.id, ())) for row in rows]

    def accuracy(self, job: str) -> dict[str, Any]:
        """The latest evaluation of a job, to be shown beside what its model saves.

        Raises:
            UsageError: where there is no such job, or it was never evaluated.
        """
        row = self.ledger.jobs.get(job)
        found = self.ledger.evaluations.latest(row.id)
        if found is None:
            raise UsageError(
                f"{row.id} was not evaluated yet",
                hint=f"ftbridge eval DATA --model {row.id} --baseline base",
                where="evaluation",
            )
        return found

    def calibrate(self) -> None:
        """Measure the speed of this machine, once, so that `compare` can price it."""
        self.config.ensure_home()
        for name in registry.names():
            self.provider(name).calibrate()
