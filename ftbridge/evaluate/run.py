"""Two models on the same rows: who is asked what, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ftbridge.dataset import Dataset
from ftbridge.errors import DataError
from ftbridge.evaluate import rows as rows_of
from ftbridge.evaluate import scoring
from ftbridge.evaluate.asking import Asking, OnProgress, begin
from ftbridge.evaluate.leaving import Leaving
from ftbridge.evaluate.metrics import Metric
from ftbridge.evaluate.result import Asked, Result
from ftbridge.evaluate.rows import Row
from ftbridge.evaluate.sample import Sample, pick
from ftbridge.evaluate.unseen import HeldOut, require_unseen
from ftbridge.job import Model
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.policy import Privacy
from ftbridge.provider import ChatReply


@dataclass(frozen=True)
class Plan:
    """What is asked: which rows, which two models, judged how, with which few-shot examples."""

    dataset: Dataset
    tuned: Model
    baseline: Model
    metrics: tuple[Metric, ...]
    few_shot: Path | None = None
    baseline_prompt: str | None = None
    max_tokens: int = 64
    limit: int | None = None
    job: JobRow | None = None
    allow_trained_rows: bool = False
    privacy: Privacy | None = None


def evaluate(plan: Plan, ledger: Ledger, on_progress: OnProgress) -> Result:
    """Compare the two models.

    The baseline gets the prompt and the few-shot examples, so that prompting has its fair chance;
    the tuned model gets the rows as they are. Calls that an earlier or a crashed evaluation made
    already are taken from the ledger.

    Raises:
        DataError: where the file is bad, or rows were trained on and that is not allowed.
        PolicyRefused: where the rows may not be sent to a model.
        ProviderError: what the provider says; replies until then are kept.
    """
    rows = rows_of.load(plan.dataset, plan.limit)
    _require_fitting(plan, rows)
    held_out = (
        HeldOut("waived")
        if plan.allow_trained_rows
        else require_unseen(plan.dataset, rows, plan.job, ledger)
    )
    shown = [Dataset(plan.few_shot)] if plan.few_shot else []
    models = [plan.baseline, plan.tuned]
    leaving = Leaving.cleared([plan.dataset, *shown], models, plan.job, plan.privacy)
    evaluation = begin(
        ledger, plan.dataset, plan.tuned, plan.metrics[0].name, plan.baseline, plan.job
    )
    examples = rows_of.shots(plan.few_shot)
    prompted = [
        rows_of.request(row, plan.max_tokens, examples, plan.baseline_prompt) for row in rows
    ]
    plain = [rows_of.request(row, plan.max_tokens) for row in rows]
    total = 2 * len(rows)
    asked = (Asking(plan.baseline, prompted, leaving), Asking(plan.tuned, plain, leaving))
    base_replies, base_cached = asked[0].ask(
        ledger, evaluation, lambda n, t: on_progress(n / total, t)
    )
    tuned_replies, tuned_cached = asked[1].ask(
        ledger, evaluation, lambda n, t: on_progress((len(rows) + n) / total, t)
    )
    scores = [
        (scoring.scored(metric, rows, base_replies), scoring.scored(metric, rows, tuned_replies))
        for metric in plan.metrics
    ]
    result = Result(
        id=evaluation,
        n=len(rows),
        comparisons=tuple(
            scoring.compare(metric, *pair)
            for metric, pair in zip(plan.metrics, scores, strict=True)
        ),
        baseline=_asked(plan.baseline, base_replies, base_cached),
        tuned=_asked(plan.tuned, tuned_replies, tuned_cached),
        few_shot=len(examples) // 2,
        labels=scoring.labels(rows, base_replies, tuned_replies),
        held_out=held_out,
        sample=_sample(plan, rows, asked, scores[0]),
    )
    ledger.evaluations.finish(evaluation, result.to_dict())
    return result


def _sample(
    plan: Plan,
    rows: Sequence[Row],
    asked: tuple[Asking, Asking],
    scores: tuple[Sequence[float], Sequence[float]],
) -> Sample:
    """Rows for people to read, by their scores."""
    return Sample(
        file=str(plan.dataset.path),
        sha256=plan.dataset.sha256,
        privacy=str(asked[0].leaving.clearance.label.privacy),
        rows=pick([row.line for row in rows], (asked[0].contents, asked[1].contents), scores),
    )


def _require_fitting(plan: Plan, rows: Sequence[Row]) -> None:
    """Refuse a metric that the references say nothing to."""
    for metric in plan.metrics:
        for row in rows:
            has = bool(row.calls) if metric.needs == "calls" else not row.calls
            if not has:
                what = "calls tools" if row.calls else "calls no tool"
                raise DataError(
                    f"{plan.dataset.path}:{row.line}: the reference {what}, which {metric.name} "
                    "cannot judge",
                    hint="choose --metric tool_call for calls, another one for texts",
                    where=f"{plan.dataset.path}:{row.line}",
                )


def _asked(model: Model, replies: Sequence[ChatReply], cached: int) -> Asked:
    return Asked(
        model=model.name,
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        completion_tokens=sum(reply.completion_tokens for reply in replies),
        cached=cached,
        seconds=median(reply.seconds for reply in replies),
    )
