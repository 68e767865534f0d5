"""Two models on the same rows: who is asked what, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ftbridge.dataset import Dataset
from ftbridge.errors import DataError
from ftbridge.evaluate import drift, scoring
from ftbridge.evaluate import rows as rows_of
from ftbridge.evaluate.asking import Answers, Asking, OnProgress, begin
from ftbridge.evaluate.bench import Bench, Measure, Scores
from ftbridge.evaluate.budget import Budget
from ftbridge.evaluate.desk import Desk, Respondent
from ftbridge.evaluate.forgetting import Forgetting, Probe
from ftbridge.evaluate.leaving import Leaving
from ftbridge.evaluate.metrics.judge import Judge
from ftbridge.evaluate.result import Asked, Result
from ftbridge.evaluate.rows import Row
from ftbridge.evaluate.sample import Sample, pick
from ftbridge.evaluate.unseen import HeldOut, require_unseen
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.policy import Privacy
from ftbridge.provider import ChatReply, ChatRequest


@dataclass(frozen=True)
class Plan:
    """What is asked: which rows, which two models, judged how, with which few-shot examples.

    ``shots`` are those examples as turns, ``shown`` the file that they are from. ``earlier`` is a
    recorded evaluation that drift is measured against, ``settings`` what is recorded of the wishes.
    """

    dataset: Dataset
    tuned: Respondent
    baseline: Respondent
    metrics: tuple[Measure, ...]
    shots: tuple[dict[str, object], ...] = ()
    shown: Dataset | None = None
    baseline_prompt: str | None = None
    max_tokens: int = 64
    limit: int | None = None
    job: JobRow | None = None
    allow_trained_rows: bool = False
    privacy: Privacy | None = None
    budget: Budget = field(default_factory=Budget)
    probe: Probe | None = None
    earlier: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def judge(self) -> Judge | None:
        """The judge among the metrics."""
        return next((each for each in self.metrics if isinstance(each, Judge)), None)


def evaluate(plan: Plan, ledger: Ledger, on_progress: OnProgress) -> Result:
    """Compare the two models.

    The baseline gets the prompt and the few-shot examples, so that prompting has its fair chance;
    the tuned model gets the rows as they are. Calls that an earlier or a crashed evaluation made
    already are taken from the ledger.

    Raises:
        DataError: where the file is bad, or rows were trained on and that is not allowed.
        PolicyRefused: where the rows may not be sent to a model, the judge's place included.
        BudgetRefused: before the first call that could pass the budget.
        ProviderError: what the provider says; replies until then are kept.
    """
    rows = rows_of.load(plan.dataset, plan.limit)
    _require_fitting(plan, rows)
    held_out = (
        HeldOut("waived")
        if plan.allow_trained_rows
        else require_unseen(plan.dataset, rows, plan.job, ledger)
    )
    leaving = _cleared(plan)
    asked = _Asked(plan, rows, leaving, ledger, on_progress)
    answers = asked.both()
    bench = asked.bench(answers)
    scores = [metric.scores(bench) for metric in plan.metrics]
    result = Result(
        id=asked.evaluation,
        n=len(rows),
        comparisons=tuple(map(scoring.compare, plan.metrics, scores)),
        baseline=_took(plan.baseline, answers[0]),
        tuned=_took(plan.tuned, answers[1]),
        few_shot=len(plan.shots) // 2,
        labels=scoring.labels(rows, *bench.replies),
        held_out=held_out,
        sample=_sample(plan, bench, leaving, scores[0]),
        judge=_took(plan.judge.who, asked.judged) if plan.judge and asked.judged else None,
        forgetting=asked.forgetting(),
        drift=drift.measure(plan.earlier, plan.metrics[0], scores[0]) if plan.earlier else None,
    )
    ledger.evaluations.finish(asked.evaluation, result.to_dict() | _kept(plan, scores[0]))
    return result


def _kept(plan: Plan, scores: Scores) -> dict[str, Any]:
    """What a later evaluation on fresh rows needs; no text of the data."""
    rounded = {
        side: [round(score, 6) for score in each]
        for side, each in (("baseline", scores.baseline), ("tuned", scores.tuned))
    }
    return {
        "data_sha256": plan.dataset.sha256,
        "settings": dict(plan.settings),
        "scores": rounded,
    }


def _cleared(plan: Plan) -> Leaving:
    """The rows, and what is shown with them, cleared for everybody who is asked."""
    datasets = [plan.dataset, *([plan.shown] if plan.shown else [])]
    judges = [plan.judge.who.model] if plan.judge else []
    models = [plan.baseline.model, plan.tuned.model, *judges]
    return Leaving.cleared(datasets, models, plan.job, plan.privacy)


def _probing(plan: Plan) -> tuple[Probe, Leaving] | None:
    """The probe set, cleared for both models by its own label."""
    if plan.probe is None:
        return None
    models = [plan.baseline.model, plan.tuned.model]
    return plan.probe, Leaving.cleared([plan.probe.dataset], models, plan.job)


class _Asked:
    """The calls of one evaluation, in their order: baseline, tuned model, judge, probes."""

    def __init__(
        self,
        plan: Plan,
        rows: Sequence[Row],
        leaving: Leaving,
        ledger: Ledger,
        on_progress: OnProgress,
    ) -> None:
        self._plan, self._rows, self._leaving = plan, rows, leaving
        prompted = [
            rows_of.request(row, plan.max_tokens, plan.shots, plan.baseline_prompt) for row in rows
        ]
        plain = [rows_of.request(row, plan.max_tokens) for row in rows]
        self._requests = (prompted, plain)
        self._probing = _probing(plan)
        self.evaluation = begin(
            ledger,
            plan.dataset,
            plan.tuned.model,
            plan.metrics[0].name,
            plan.baseline.model,
            plan.job,
        )
        probes = plan.probe.requests if plan.probe else []
        total = (4 if plan.judge else 2) * len(rows) + 2 * len(probes)
        self._desk = Desk(ledger, self.evaluation, plan.budget, total, on_progress)
        self.judged: Answers | None = None

    def both(self) -> tuple[Answers, Answers]:
        """What both models say, once the whole is known to fit the budget."""
        people = (self._plan.baseline, self._plan.tuned)
        judge = self._plan.judge
        more = {}
        if judge and self._plan.budget.limit is not None:
            more[judge.who.model.name] = judge.forecast(self._rows, self._plan.max_tokens)
        asked = [
            (who, requests, self._leaving)
            for who, requests in zip(people, self._requests, strict=True)
        ]
        if self._probing:
            probes, leaving = self._probing
            asked += [(who, probes.requests, leaving) for who in people]
        self._desk.require(asked, more)
        base, tuned = (
            self._desk.ask(who, each, self._leaving)
            for who, each in zip(people, self._requests, strict=True)
        )
        return base, tuned

    def bench(self, answers: tuple[Answers, Answers]) -> Bench:
        """What the metrics look at."""
        return Bench(
            rows=self._rows,
            models=(self._plan.baseline, self._plan.tuned),
            requests=self._requests,
            replies=(answers[0].replies, answers[1].replies),
            ask=self._ask_judge,
        )

    def forgetting(self) -> Forgetting | None:
        """General ability before and after, where that is asked for."""
        if self._probing is None:
            return None
        probes, leaving = self._probing
        base, tuned = (
            self._desk.ask(who, probes.requests, leaving).replies
            for who in (self._plan.baseline, self._plan.tuned)
        )
        return probes.compare(base, tuned)

    def _ask_judge(self, who: Respondent, requests: list[ChatRequest]) -> Sequence[ChatReply]:
        self._desk.require([(who, requests, self._leaving)])
        self.judged = self._desk.ask(who, requests, self._leaving)
        return self.judged.replies


def _sample(plan: Plan, bench: Bench, leaving: Leaving, scores: Scores) -> Sample:
    """Rows for people to read, by their scores."""
    contents = [
        Asking(who.model, requests, leaving).contents
        for who, requests in zip(bench.models, bench.requests, strict=True)
    ]
    return Sample(
        file=str(plan.dataset.path),
        sha256=plan.dataset.sha256,
        privacy=str(leaving.clearance.label.privacy),
        rows=pick(
            [row.line for row in bench.rows],
            (contents[0], contents[1]),
            (scores.baseline, scores.tuned),
        ),
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


def _took(who: Respondent, answers: Answers) -> Asked:
    replies = answers.replies
    seconds = sorted(reply.seconds for reply in replies)
    return Asked(
        model=who.model.name,
        calls=len(replies),
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        completion_tokens=sum(reply.completion_tokens for reply in replies),
        cached=answers.cached,
        seconds=median(seconds) if seconds else 0.0,
        seconds_p95=seconds[math.ceil(0.95 * len(seconds)) - 1] if seconds else 0.0,
        usd=who.price.of_replies(replies),
        usd_paid=who.price.of_replies(answers.new),
        price=who.price.source,
    )
