"""What the library's front door says of models' worth: evaluations, and names for the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge import arguments, registry
from ftbridge.bridge_curation import BridgeCuration
from ftbridge.bridge_experiments import BridgeExperiments
from ftbridge.cost.prices import PriceBook
from ftbridge.dataset import Dataset
from ftbridge.errors import UsageError
from ftbridge.evaluate import drift
from ftbridge.evaluate import rows as rows_of
from ftbridge.evaluate import run as evaluation
from ftbridge.evaluate.budget import Budget
from ftbridge.evaluate.desk import Respondent
from ftbridge.evaluate.forgetting import Probe
from ftbridge.evaluate.metrics import Measure, Settings
from ftbridge.evaluate.metrics import load as load_metric
from ftbridge.evaluate.pricing import price_of
from ftbridge.evaluate.promote import promote
from ftbridge.evaluate.result import Result
from ftbridge.evaluate.unseen import training_file
from ftbridge.job import Job, Model
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.ledger.aliases import Alias
from ftbridge.policy import Privacy


class BridgeEvaluation(BridgeExperiments, BridgeCuration):
    """The part of :class:`ftbridge.Bridge` that measures models and names them."""

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

        @property
        def prices(self) -> PriceBook: ...

        def job(self, reference: str) -> Job: ...

        def model(self, reference: str) -> Model: ...

    def alias(self, name: str, job: str, *, reason: str | None = None) -> Alias:
        """Let a name mean a job's model, where an evaluation says ``better`` (or by a reason).

        Raises:
            UsageError, Refused: see :func:`ftbridge.evaluate.promote.promote`.
        """
        return promote(self.ledger, name, self.job(job).row, reason)

    def aliases(self, name: str | None = None) -> list[Alias]:
        """What a name (or every name) means and has meant, newest first."""
        return self.ledger.aliases.history(name)

    def evaluate(
        self,
        data: Dataset | str | Path,
        *,
        model: str,
        baseline: str = "base",
        metrics: Sequence[str] = ("exact_match",),
        pattern: str | None = None,
        schema: str | Path | None = None,
        judge: str | None = None,
        judge_criteria: str | Path | None = None,
        judge_max_tokens: int = 16,
        few_shot: str | Path | int | None = None,
        baseline_prompt: str | Path | None = None,
        max_tokens: int = 64,
        limit: int | None = None,
        forgetting: bool = False,
        probe: str | Path | None = None,
        max_usd: Decimal | str | float | None = None,
        allow_unknown_cost: bool = False,
        allow_trained_rows: bool = False,
        privacy: str | None = None,
        on_progress: Callable[[float, str], None] = lambda share, text: None,
        _earlier: Mapping[str, Any] | None = None,
    ) -> Result:
        """A tuned model against its baseline on the same held-out rows.

        Args:
            model: what is tested: job id, folder, or ``provider:model``.
            baseline: what it must beat; ``base`` is the model it was tuned from.
            metrics: names (:data:`ftbridge.evaluate.metrics.METRICS`) or ``module:function``;
                the first gives the verdict.
            pattern: the expression of the metric ``regex``.
            schema: the JSON schema file of the metric ``schema_valid``.
            judge: the model of the metric ``judge``, at any provider; the rows go there too.
            judge_criteria: what it judges by, or its file as a Path.
            few_shot: a file of examples that the baseline is shown, or how many are taken from
                the file that the job was trained on.
            baseline_prompt: the baseline's system message, or its file as a Path; ``{system}``
                in it is the row's own.
            forgetting: also ask both models a small set of general questions.
            probe: such a set of your own, instead of the package's.
            max_usd: refuse calls that may cost more, all models together.
            allow_unknown_cost: go on though a price is not known.
            privacy: the label of the rows, at least.
            on_progress: hears the share done (0..1) and the model that is being asked.

        Raises:
            DataError: where rows were trained on, unless ``allow_trained_rows``; PolicyRefused
            where they may not be sent to a model; BudgetRefused before a call past the budget.
        """
        job = self._tested(model, baseline, limit)
        settings = Settings(
            pattern,
            Path(schema) if schema else None,
            self._respondent(judge) if judge else None,
            arguments.text(judge_criteria, "judge_criteria"),
            judge_max_tokens,
        )
        against = _untuned(job.base(), self.prices) if job and baseline == "base" else None
        shots, shown = _shots(few_shot, job)
        plan = evaluation.Plan(
            dataset=data if isinstance(data, Dataset) else Dataset(data),
            tuned=self._respondent(model),
            baseline=against or self._respondent(baseline),
            metrics=_metrics(metrics, settings),
            shots=shots,
            shown=shown,
            baseline_prompt=arguments.text(baseline_prompt, "baseline_prompt"),
            max_tokens=max_tokens,
            limit=limit,
            job=job.row if job else None,
            allow_trained_rows=allow_trained_rows,
            privacy=None if privacy is None else arguments.choice(Privacy, privacy, "privacy"),
            probe=Probe.load(Path(probe) if probe else None) if forgetting or probe else None,
            budget=Budget(arguments.usd(max_usd), allow_unknown_cost),
            earlier=_earlier,
            settings=self._recorded(
                baseline=baseline,
                metrics=list(metrics),
                pattern=pattern,
                schema=Path(schema) if schema else None,
                judge=judge,
                judge_criteria=judge_criteria,
                judge_max_tokens=judge_max_tokens,
                few_shot=Path(few_shot) if isinstance(few_shot, str) else few_shot,
                baseline_prompt=baseline_prompt,
                max_tokens=max_tokens,
            ),
        )
        return evaluation.evaluate(plan, self.ledger, on_progress)

    def _tested(self, model: str, baseline: str, limit: int | None) -> Job | None:
        """The job behind the tested model, if one is known; refused where nothing can be asked."""
        if limit is not None and limit < 1:
            raise UsageError(f"a limit of {limit} leaves no row", hint="1 or more", where="limit")
        job = self._job_behind(model)
        if baseline == "base" and job is None:
            raise UsageError(
                f"what `{model}` was tuned from is not known",
                hint="name the baseline as provider:model or a folder",
                where="baseline",
            )
        return job

    def evaluate_again(self, reference: str, data: Dataset | str | Path, **changes: Any) -> Result:
        """A job's model on fresh rows, measured as before; ``drift`` says whether it still holds.

        Args:
            reference: a job, or the alias of its model.
            data: rows that came in since.
            changes: ``limit``, ``max_usd``, ``allow_unknown_cost``, ``allow_trained_rows``,
                ``privacy``, ``on_progress`` of :meth:`evaluate`.

        Raises:
            UsageError: where the job was not evaluated, or on these very rows; else what
            :meth:`evaluate` raises.
        """
        fresh = data if isinstance(data, Dataset) else Dataset(data)
        job = self.job(reference)
        earlier = drift.stored(self.ledger, job.row, fresh)
        wishes = {
            name: Path(value["file"]) if isinstance(value, dict) else value
            for name, value in earlier["settings"].items()
        }
        return self.evaluate(fresh, model=job.id, _earlier=earlier, **(wishes | changes))

    def _recorded(self, **wishes: Any) -> dict[str, Any]:
        """The wishes as JSON, an alias as the job that it means now."""
        for name in ("baseline", "judge"):
            reference = wishes[name]
            if reference and reference != "base" and (job := self._job_behind(reference)):
                wishes[name] = job.id
        return {
            name: {"file": str(value.absolute())} if isinstance(value, Path) else value
            for name, value in wishes.items()
        }

    def _respondent(self, reference: str) -> Respondent:
        """Who is asked for a reference, and at what price."""
        job = self._job_behind(reference)
        if job is None:
            return _untuned(self.model(reference), self.prices)
        model = job.tuned()
        return Respondent(model, job.row.model, price_of(model, job.row, self.prices))

    def _job_behind(self, reference: str) -> Job | None:
        provider, colon, _ = reference.partition(":")
        if (colon and provider in registry.names()) or Path(reference).exists():
            return None
        return self.job(reference)


def _untuned(model: Model, book: PriceBook) -> Respondent:
    return Respondent(model, model.name, price_of(model, None, book))


def _metrics(names: Sequence[str], settings: Settings) -> tuple[Measure, ...]:
    if not names:
        raise UsageError("no metric is named", hint="exact_match is the usual one", where="metric")
    if settings.judge and "judge" not in names:
        raise UsageError(
            "a judge is named, and no metric asks it", hint="add --metric judge", where="judge"
        )
    return tuple(load_metric(name, settings) for name in names)


def _shots(
    few_shot: str | Path | int | None, job: Job | None
) -> tuple[tuple[dict[str, Any], ...], Dataset | None]:
    """The examples that the baseline is shown, and the file that they are from."""
    if few_shot is None:
        return (), None
    if not isinstance(few_shot, int):
        shown = Dataset(few_shot)
        return rows_of.shots(shown), shown
    if few_shot < 1:
        raise UsageError(f"{few_shot} examples show nothing", hint="1 or more", where="few_shot")
    training = training_file(job.row) if job else "which rows the model was trained on is not known"
    if isinstance(training, str):
        raise UsageError(
            f"no examples can be taken from the training data: {training}",
            hint="name a file of examples",
            where="few_shot",
        )
    return rows_of.shots(training, few_shot), training
