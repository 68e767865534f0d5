"""What the library's front door offers after a job: its model served, deleted, moved elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge import arguments, registry
from ftbridge.cost.prices import PriceBook
from ftbridge.errors import UsageError
from ftbridge.job import Job
from ftbridge.jobs import deploying, importing
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.ledger.deployments import DeploymentRow, ModelKey
from ftbridge.jobs.move import Move, Wished, move
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.retirements import Retirement, retirements
from ftbridge.jobs.spec import Method
from ftbridge.policy import Privacy
from ftbridge.provider import Provider


class BridgeExits:
    """The part of :class:`ftbridge.Bridge` for what comes after a job."""

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

        @property
        def prices(self) -> PriceBook: ...

        def provider(self, name: str, options: Mapping[str, str] | None = None) -> Provider: ...

        def job(self, reference: str) -> Job: ...

        def plan(self, *args: Any, **kwargs: Any) -> Plan: ...

    # -- the model ---------------------------------------------------------------------------

    def usd_per_hour(
        self, reference: str, options: Mapping[str, str] | None = None
    ) -> Decimal | None:
        """What an hour of a deployment would cost; None: not known, 0: nothing by the hour.

        Args:
            reference: job, alias or ``provider:model``, as in all of these methods.
            options: settings of the provider, such as a kind of deployment.

        Raises:
            Unsupported: where the provider has no deployments.
        """
        key, place, method = self._tuned_model(reference, options)
        return deploying.usd_per_hour(place, key.base, self.prices, method)

    def deploy(
        self,
        reference: str,
        *,
        options: Mapping[str, str] | None = None,
        allow_unknown_cost: bool = False,
    ) -> DeploymentRow:
        """Make a tuned model answer, where that needs a deployment. From here it is billed by
        the hour until :meth:`undeploy`; there is never more than one of a model.

        Raises:
            BudgetRefused: where nobody knows what an hour costs, unless that is allowed.
            Unsupported, ProviderError: see :func:`ftbridge.jobs.deploying.deploy`.
        """
        key, place, method = self._tuned_model(reference, options)
        rate = deploying.usd_per_hour(place, key.base, self.prices, method)
        deploying.require_known(rate, allow_unknown_cost)
        return deploying.deploy(key, place, self.ledger, rate)

    def undeploy(
        self, reference: str, *, options: Mapping[str, str] | None = None
    ) -> DeploymentRow | None:
        """Stop a deployment and its bill; where there is none, nothing happens.

        Raises:
            Unsupported, ProviderError: see :func:`ftbridge.jobs.deploying.undeploy`.
        """
        key, place, _ = self._tuned_model(reference, options)
        return deploying.undeploy(key, place, self.ledger)

    def import_weights(
        self,
        folder: str | Path,
        *,
        provider: str,
        name: str,
        privacy: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> str:
        """Let a vendor serve a folder of weights (merged, safetensors); the model's name there.

        Args:
            privacy: a label by argument: it can only raise that of the folder.

        Raises:
            PolicyRefused, Unsupported, ProviderError: see
                :func:`ftbridge.jobs.importing.import_weights`.
        """
        asked = None if privacy is None else arguments.choice(Privacy, privacy, "privacy")
        place = self.provider(provider, options)
        return importing.import_weights(place, Path(folder), name, self.ledger, asked)

    def delete_model(self, reference: str, *, options: Mapping[str, str] | None = None) -> str:
        """Delete a tuned model at the vendor for good, and return its name. Its job stays.

        Raises:
            OperationFailed: where it is deployed.
            Unsupported, ProviderError: see :func:`ftbridge.jobs.deploying.delete_model`.
        """
        key, place, _ = self._tuned_model(reference, options)
        deploying.delete_model(key, place, self.ledger)
        return key.name

    def _tuned_model(
        self, reference: str, options: Mapping[str, str] | None
    ) -> tuple[ModelKey, Provider, str]:
        """A tuned model as the ledger knows it, its provider, reached as its job was, and the
        method it was tuned by."""
        name, colon, model = reference.partition(":")
        given = dict(options or {})
        if colon and name in registry.names():
            place = self.provider(name, given)
            row = self.ledger.deployments.made_by(name, model)
            base, job_id = (row.model, row.id) if row else (model, None)
            key = ModelKey(name, place.account, model, base, job_id)
            return key, place, row.method if row else Method.SFT
        job = self.job(reference)
        tuned = job.tuned()
        spec = job.plan.spec
        place = self.provider(job.provider, spec.options | spec.connection | given)
        key = ModelKey(job.provider, place.account, tuned.name, job.row.model, job.id)
        return key, place, job.row.method

    # -- going elsewhere ---------------------------------------------------------------------

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
