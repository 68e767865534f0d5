"""The library's front door: everything that the CLI can do, without printing."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from ftbridge import arguments, registry
from ftbridge.bridge_advice import BridgeAdvice
from ftbridge.bridge_costs import BridgeCosts
from ftbridge.bridge_evaluation import BridgeEvaluation
from ftbridge.bridge_exits import BridgeExits
from ftbridge.bridge_handover import BridgeHandover
from ftbridge.bridge_policy import BridgePolicy
from ftbridge.bridge_report import BridgeReport
from ftbridge.bridge_tokens import BridgeTokens
from ftbridge.config import Config
from ftbridge.dataset import CheckReport, Dataset, check, split
from ftbridge.errors import DataError, ProviderError
from ftbridge.graders import Grader, grader_from
from ftbridge.job import Job, Model
from ftbridge.jobs import control
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.planning import Limits, make_plan
from ftbridge.jobs.spec import Adapter, DataRef, JobSpec, Method
from ftbridge.jobs.states import LOCAL
from ftbridge.jobs.submit import advance, submit
from ftbridge.jobs.watch import Update
from ftbridge.jobs.watcher import ACTIVE, Watcher
from ftbridge.policy.transport import require_encrypted
from ftbridge.provider import CONNECTION_OPTIONS, Context, Provider


class Bridge(
    BridgeCosts,
    BridgePolicy,
    BridgeTokens,
    BridgeEvaluation,
    BridgeExits,
    BridgeHandover,
    BridgeAdvice,
    BridgeReport,
):
    """One home with its ledger, settings and providers. Safe to share between threads.

    Args:
        home: folder of ledger and files; see :mod:`ftbridge.config`.

    Every method raises subclasses of :class:`ftbridge.FtbridgeError` only.
    """

    def __init__(self, home: str | Path | None = None) -> None:
        self.config = Config(home)

    # -- data --------------------------------------------------------------------------------

    def check(
        self,
        data: Dataset | str | Path,
        *,
        structure_only: bool = False,
        max_errors: int = 20,
        validation: Dataset | str | Path | None = None,
        provider: str | None = None,
    ) -> CheckReport:
        """Validate a file and judge its quality; with a validation file, what leaks into it."""
        dataset = _dataset(data)
        report = check(
            dataset,
            structure_only=structure_only,
            max_errors=max_errors,
            validation=None if validation is None else _dataset(validation),
            provider=provider,
        )
        if report.ok and not structure_only:
            known = provider if provider in registry.names() else None
            report.tokens = self.tokens(dataset, provider=known)
        return report

    # -- providers ---------------------------------------------------------------------------

    def provider(self, name: str, options: Mapping[str, str] | None = None) -> Provider:
        """A provider, with its options from flags, environment and settings.

        Raises:
            PolicyRefused: where it would be spoken to in the clear, outside this machine.
        """
        place = self._unchecked(name, options)
        require_encrypted(name, [place.endpoint, *place.context.options.values()])
        return place

    def _unchecked(self, name: str, options: Mapping[str, str] | None = None) -> Provider:
        """The same for who only asks for facts."""
        merged = self.config.provider_options(name, options or {})
        return registry.load(name)(Context(self.config.home, merged))

    # -- planning ----------------------------------------------------------------------------

    def plan(
        self,
        data: Dataset | str | Path,
        *,
        provider: str,
        model: str | None = None,
        method: str = "sft",
        adapter: str | None = None,
        validation: str | Path | float | None = None,
        seed: int | None = None,
        suffix: str | None = None,
        tags: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
        base_url: str | None = None,
        privacy: str | None = None,
        max_usd: Decimal | str | float | None = None,
        allow_lossy: bool = False,
        allow_unknown_cost: bool = False,
        grader: Grader | Mapping[str, Any] | str | Path | None = None,
        **hyperparameters: float | None,
    ) -> Plan:
        """What :meth:`submit` would do: request, tokens, USD, losses, warnings. Sends nothing.

        Args:
            validation: a file, or the share (0..1) of rows to hold out, leak-free.
            privacy: a label for the data; a stricter one beside the file or in the project wins.
            max_usd: refuse a job that may cost more.
            grader: what scores answers (method ``rl``): a file, or its content.
            hyperparameters: neutral names, see :class:`ftbridge.jobs.spec.Hyperparameters`.

        Raises:
            UsageError, PolicyRefused, DataError, Unsupported: where no plan can be made; of
            several the first.
        """
        limits = Limits(arguments.usd(max_usd), allow_lossy, allow_unknown_cost)
        clearance = self._clearance(data, privacy, validation)
        chosen = arguments.choice(Method, method, "method")
        wanted = None if adapter is None else arguments.choice(Adapter, adapter, "adapter")
        asked = arguments.hyperparameters(hyperparameters)
        place, given, connection = self._reach(provider, options or {}, base_url)
        scored_by = grader_from(grader)
        place.catalogue().check_hyperparameters(chosen, asked)
        place.catalogue().check_grader(chosen, scored_by)
        dataset = _dataset(data)
        try:
            model_id, weights = _choose(place, model, chosen, wanted)
            spec = JobSpec(
                provider=provider,
                model=model_id,
                method=chosen,
                adapter=weights,
                hyperparameters=asked,
                seed=seed,
                suffix=suffix,
                tags=dict(tags or {}),
                grader=scored_by,
                options=given,
                connection=connection,
                privacy=clearance.label.privacy,
                training=DataRef.unread(dataset),
            )
            place.request(spec, "", None, "")  # wrong usage is said before the data is read
            pair = self._with_validation(dataset, validation, seed or 0)
            return make_plan(place, spec, pair, self.prices, limits, clearance=clearance)
        except (DataError, ProviderError):
            clearance.decide(place.destination).require()
            raise

    def _reach(
        self, name: str, options: Mapping[str, str], base_url: str | None
    ) -> tuple[Provider, dict[str, str], dict[str, str]]:
        """A provider, its own options, and how it is reached: kept with the job, since a later
        command may run where the environment says otherwise."""
        given = dict(options)
        connection = {name: given.pop(name) for name in CONNECTION_OPTIONS & given.keys()}
        if base_url:
            connection["base_url"] = base_url
        place = self.provider(name, given | connection)
        if "base_url" not in connection and place.leaves and not place.at_vendor:
            connection["base_url"] = place.endpoint
        kept = {name: value for name, value in place.kept.items() if given.get(name) != value}
        return place, given, connection | kept

    def _with_validation(
        self, dataset: Dataset, validation: str | Path | float | None, seed: int
    ) -> tuple[Dataset, Dataset | None]:
        share = arguments.share(validation)
        if share is None:
            return dataset, None if validation is None else Dataset(str(validation))
        out = self.config.home / "splits" / f"{dataset.sha256[:24]}-{share}-{seed}"
        parts = split(dataset, share, seed, out)
        return Dataset(parts.train), Dataset(parts.validation)

    # -- jobs --------------------------------------------------------------------------------

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of this home, made on first use."""
        return Ledger(self.config.ensure_home())

    def submit(self, plan: Plan, *, again: bool = False) -> Job:
        """Submit a plan, or attach to the active job of the very same plan.

        Args:
            again: submit once more after the same plan has ended.

        Raises:
            The plan's refusal (PolicyRefused, BudgetRefused, LossError, ServiceClosed);
            CredentialsError, NotInstalled before anything is written; ProviderError after which
            the job can be resumed.
        """
        control.require_allowed(plan)
        place = self._provider_of_spec(plan.spec)
        cap = arguments.usd(self.config.section("budget").get("monthly_usd"))
        job_id, new = submit(plan, place, self.ledger, again=again, cap=cap)
        row = self.ledger.jobs.get(job_id)
        if row.state in LOCAL:
            row = advance(job_id, place, self.ledger, self.config.home, attached=not new)
        return Job(self, row)

    def job(self, reference: str) -> Job:
        """A job by its id, the beginning of it, or an alias of its model."""
        alias = self.ledger.aliases.current(reference)
        return Job(self, self.ledger.jobs.get(alias.job if alias else reference))

    def jobs(self, **filters: Any) -> list[Job]:
        """Jobs, newest first; filters as in :meth:`ftbridge.jobs.ledger.jobs.Jobs.list`."""
        return [Job(self, row) for row in self.ledger.jobs.list(**filters)]

    def export_jobs(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Everything that the ledger has on each job, newest first, one after another."""
        serving = self.ledger.deployments.serving()
        for row in self.ledger.jobs.stream(**filters):
            yield Job(self, row).to_dict(serving) | {
                "key": row.key,
                "attempt": row.attempt,
                "account": row.account,
                "spec": json.loads(row.spec),
                "plan": json.loads(row.plan),
                "events": [vars(event) for _, event in self.ledger.history.events(row.id)],
            }

    def watch(
        self, jobs: Sequence[Job] | None = None, *, interval: float | None = None
    ) -> Generator[Update, None, None]:
        """Follow any number of jobs in this one process until all have ended.

        A look that fails comes as an update with ``trouble``; what may pass is tried again. Closing
        the iterator stops the looking; the jobs go on.

        Args:
            jobs: which; None: all active ones, those too that are submitted meanwhile.
            interval: seconds between two looks; each provider's own by default.
        """
        wanted = None if jobs is None else {job.id for job in jobs}

        def active() -> list[JobRow]:
            rows = self.ledger.jobs.list(states=ACTIVE)
            return rows if wanted is None else [row for row in rows if row.id in wanted]

        def place_key(row: JobRow) -> str:
            spec = json.loads(row.spec)
            return json.dumps([row.provider, row.account, spec["options"], spec["connection"]])

        return Watcher(active, self.provider_of, place_key, self.ledger, interval).run()

    def provider_of(self, row: JobRow) -> Provider:
        """The provider of a job, reached the way the job was made."""
        return self._provider_of_spec(JobSpec.model_validate_json(row.spec))

    def _provider_of_spec(self, spec: JobSpec) -> Provider:
        return self.provider(spec.provider, spec.options | spec.connection)

    # -- models ------------------------------------------------------------------------------

    def model(self, reference: str) -> Model:
        """A model by job id, alias, path or ``provider:model``.

        Raises:
            UsageError: where nothing is meant by it; OperationFailed where the job has no model.
        """
        provider, colon, name = reference.partition(":")
        if colon and provider in registry.names():
            return Model(self.provider(provider), name)
        if Path(reference).exists():
            return Model(self.provider("local"), reference)
        return self.job(reference).tuned()

    def write_gguf(self, folder: str | Path, kind: str = "f16") -> Path:
        """Write a merged model's folder as ``model-KIND.gguf`` beside its files, proven equal.

        Raises:
            NotInstalled: without the extra ``local``; ProviderError: for a model that GGUF (or
            the proof) has no place for.
        """
        out = Path(folder) / f"model-{kind}.gguf"
        self.provider("local").write_gguf(Path(folder), out, kind)
        return out

    def fetch_model(self, name: str, say: Callable[[str], None] = lambda _: None) -> Path:
        """Bring a base model onto this machine; ``say`` hears what happens."""
        self.config.ensure_home()
        return self.provider("local").fetch_model(name, say)


def _dataset(data: Dataset | str | Path) -> Dataset:
    return data if isinstance(data, Dataset) else Dataset(data)


def _choose(
    place: Provider, model: str | None, method: Method, adapter: Adapter | None
) -> tuple[str, Adapter]:
    """The model id to ask for, and which weights learn."""
    name = place.resolve_model(model, method)
    row = place.catalogue().require(name, method, adapter)
    return name, adapter or (row.adapters if row else place.catalogue().adapters)[0]
