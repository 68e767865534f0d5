"""Asking both models every question once, ever: each reply is committed when it comes."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftbridge.dataset import Dataset
from ftbridge.errors import DataError
from ftbridge.evaluate import rows as rows_of
from ftbridge.evaluate import statistics
from ftbridge.evaluate.result import Result, Score
from ftbridge.evaluate.rows import Row
from ftbridge.job import Model
from ftbridge.jobs.ledger import Ledger
from ftbridge.provider import ChatReply, ChatRequest

OnProgress = Callable[[float, str], None]
METRIC = "exact_match"


@dataclass(frozen=True)
class Plan:
    """What is asked: which rows, which two models, with which few-shot examples."""

    dataset: Dataset
    tuned: Model
    baseline: Model
    few_shot: Path | None = None
    max_tokens: int = 64
    limit: int | None = None
    job_id: str | None = None
    allow_trained_rows: bool = False


def evaluate(plan: Plan, ledger: Ledger, on_progress: OnProgress) -> Result:
    """Compare the two models.

    The baseline gets the few-shot examples, the tuned model does not need them. Calls that an
    earlier or a crashed evaluation made already are taken from the ledger.

    Raises:
        DataError: where the file is bad, or rows were trained on and that is not allowed.
        ProviderError: what the provider says; replies until then are kept.
    """
    rows = rows_of.load(plan.dataset, plan.limit)
    _require_unseen(plan, rows, ledger)
    evaluation = "eval_" + secrets.token_hex(6)
    ledger.evaluations.begin(
        {
            "id": evaluation,
            "job_id": plan.job_id,
            "data_sha256": plan.dataset.sha256,
            "model": plan.tuned.name,
            "baseline": plan.baseline.name,
            "metric": METRIC,
        }
    )
    examples = rows_of.shots(plan.few_shot)
    base = _Asked(plan.baseline, [rows_of.request(r, examples, plan.max_tokens) for r in rows])
    tuned = _Asked(plan.tuned, [rows_of.request(r, [], plan.max_tokens) for r in rows])
    total = 2 * len(rows)
    base_replies, base_cached = base.ask(ledger, lambda n, t: on_progress(n / total, t))
    tuned_replies, tuned_cached = tuned.ask(
        ledger, lambda n, t: on_progress((len(rows) + n) / total, t)
    )
    result = _result(
        evaluation,
        rows,
        (plan.baseline.name, base_replies, base_cached),
        (plan.tuned.name, tuned_replies, tuned_cached),
        len(examples),
    )
    ledger.evaluations.finish(evaluation, result.to_dict())
    return result


@dataclass(frozen=True)
class _Asked:
    """One model and its questions."""

    model: Model
    requests: list[ChatRequest]

    def ask(self, ledger: Ledger, on_progress: OnProgress) -> tuple[list[ChatReply], int]:
        """All replies in order, and how many were known already."""
        contents = [self._content(request) for request in self.requests]
        known = ledger.evaluations.cached(contents)
        cached = sum(content in known for content in contents)
        answered = cached
        counts = Counter(content for content in contents if content not in known)
        first = {content: i for i, content in reversed(list(enumerate(contents)))}
        missing = list(counts)  # rows that ask the same are asked once

        def keep(position: int, reply: ChatReply) -> None:
            content = missing[position]
            known[content] = reply
            ledger.evaluations.keep(content, self.model.provider.name, self.model.name, reply)
            nonlocal answered
            answered += counts[content]  # replies come in any order: the position is no count
            on_progress(answered, self.model.name)

        if missing:
            asked = [self.requests[first[content]] for content in missing]
            self.model.provider.chat_many(self.model.name, asked, keep)
        return [known[content] for content in contents], cached

    def _content(self, request: ChatRequest) -> str:
        provider = self.model.provider
        version = provider.model_version(self.model.name)
        identity = [provider.name, provider.account, self.model.name, version]
        text = json.dumps([identity, vars(request)], sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()


def _require_unseen(plan: Plan, rows: Sequence[Row], ledger: Ledger) -> None:
    if plan.job_id is None or plan.allow_trained_rows:
        return
    seen = ledger.history.trained_on(plan.job_id, [row.fingerprint for row in rows])
    if seen:
        raise DataError(
            f"{plan.dataset.path}: {seen} of its prompts were trained on in {plan.job_id}; "
            "a score on them says nothing",
            hint="use rows that were held out, or --allow-trained-rows",
            where=str(plan.dataset.path),
            code="trained_rows",
        )


def _result(
    evaluation: str,
    rows: Sequence[Row],
    base: tuple[str, list[ChatReply], int],
    tuned: tuple[str, list[ChatReply], int],
    turns: int,
) -> Result:
    base_right = [
        rows_of.is_right(r.text, row.reference) for r, row in zip(base[1], rows, strict=True)
    ]
    tuned_right = [
        rows_of.is_right(r.text, row.reference) for r, row in zip(tuned[1], rows, strict=True)
    ]
    differences = [int(t) - int(b) for t, b in zip(tuned_right, base_right, strict=True)]
    labels = rows_of.label_set(rows)
    difference = sum(differences) / len(rows)
    p = statistics.mcnemar(differences.count(1), differences.count(-1))
    return Result(
        id=evaluation,
        n=len(rows),
        metric=METRIC,
        baseline=_score(base, base_right, labels),
        tuned=_score(tuned, tuned_right, labels),
        difference=difference,
        difference_ci=statistics.paired_bootstrap(differences),
        p=p,
        verdict=statistics.verdict(difference, p),
        few_shot=turns // 2,
    )


def _score(answered: tuple[str, list[ChatReply], int], right: list[bool], labels: Any) -> Score:
    name, replies, cached = answered
    known = None
    if labels is not None:
        known = sum(reply.text.strip() in labels for reply in replies) / len(replies)
    return Score(
        model=name,
        value=sum(right) / len(right),
        ci=statistics.wilson(sum(right), len(right)),
        known_label=known,
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        completion_tokens=sum(reply.completion_tokens for reply in replies),
        cached=cached,
    )
