"""What the library's front door says of models' worth: evaluations, and names for the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge import arguments, registry
from ftbridge.dataset import Dataset
from ftbridge.errors import UsageError
from ftbridge.evaluate import run as evaluation
from ftbridge.evaluate.metrics import Metric, Settings
from ftbridge.evaluate.metrics import load as load_metric
from ftbridge.evaluate.promote import promote
from ftbridge.evaluate.result import Result
from ftbridge.job import Job, Model
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.ledger.aliases import Alias
from ftbridge.policy import Privacy


class BridgeEvaluation:
    """The part of :class:`ftbridge.Bridge` that measures models and names them."""

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

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

    def report(self, job: str) -> str:
        """What became of a job, as one self-contained HTML page without any text of the data."""
        from ftbridge.report.job_report import report

        found = self.job(job)
        return report(found, self.ledger.evaluations.of_job(found.id))

    def evaluate(
        self,
        data: Dataset | str | Path,
        *,
        model: str,
        baseline: str = "base",
        metrics: Sequence[str] = ("exact_match",),
        pattern: str | None = None,
        schema: str | Path | None = None,
        few_shot: str | Path | None = None,
        baseline_prompt: str | Path | None = None,
        max_tokens: int = 64,
        limit: int | None = None,
        allow_trained_rows: bool = False,
        privacy: str | None = None,
        on_progress: Callable[[float, str], None] = lambda share, text: None,
    ) -> Result:
        """A tuned model against its baseline on the same held-out rows.

        Args:
            model: what is tested: job id, folder, or ``provider:model``.
            baseline: what it must beat; ``base`` is the model it was tuned from.
            metrics: names (:data:`ftbridge.evaluate.metrics.METRICS`) or ``module:function``;
                the first gives the verdict.
            pattern: the expression of the metric ``regex``.
            schema: the JSON schema file of the metric ``schema_valid``.
            few_shot: examples that the baseline is shown.
            baseline_prompt: the baseline's system message, or its file as a Path; ``{system}``
                in it is the row's own.
            privacy: the label of the rows, at least.
            on_progress: hears the share done (0..1) and the model that is being asked.

        Raises:
            DataError: where rows were trained on, unless ``allow_trained_rows``; PolicyRefused
            where they may not be sent to a model.
        """
        if limit is not None and limit < 1:
            raise UsageError(f"a limit of {limit} leaves no row", hint="1 or more", where="limit")
        job = self._job_behind(model)
        if baseline == "base" and job is None:
            raise UsageError(
                f"what `{model}` was tuned from is not known",
                hint="name the baseline as provider:model or a folder",
                where="baseline",
            )
        plan = evaluation.Plan(
            dataset=data if isinstance(data, Dataset) else Dataset(data),
            tuned=self.model(model),
            baseline=job.base() if job and baseline == "base" else self.model(baseline),
            metrics=_metrics(metrics, pattern, schema),
            few_shot=Path(few_shot) if few_shot else None,
            baseline_prompt=arguments.text(baseline_prompt, "baseline_prompt"),
            max_tokens=max_tokens,
            limit=limit,
            job=job.row if job else None,
            allow_trained_rows=allow_trained_rows,
            privacy=None if privacy is None else arguments.choice(Privacy, privacy, "privacy"),
        )
        return evaluation.evaluate(plan, self.ledger, on_progress)

    def _job_behind(self, reference: str) -> Job | None:
        provider, colon, _ = reference.partition(":")
        if (colon and provider in registry.names()) or Path(reference).exists():
            return None
        return self.job(reference)


def _metrics(
    names: Sequence[str], pattern: str | None, schema: str | Path | None
) -> tuple[Metric, ...]:
    if not names:
        raise UsageError("no metric is named", hint="exact_match is the usual one", where="metric")
    settings = Settings(pattern, Path(schema) if schema else None)
    return tuple(load_metric(name, settings) for name in names)
