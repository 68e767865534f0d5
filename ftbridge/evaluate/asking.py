"""Asking a model every question once, ever: each reply is committed when it comes."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ftbridge.dataset import Dataset
from ftbridge.evaluate import outlive
from ftbridge.evaluate.leaving import Leaving
from ftbridge.evaluate.pricing import UNKNOWN, CallPrice
from ftbridge.job import Model
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.provider import ChatReply, ChatRequest

OnProgress = Callable[[float, str], None]
"""Hears the share done (0..1), or how many are answered, and the model that is asked."""


def begin(
    ledger: Ledger,
    dataset: Dataset,
    model: Model,
    metric: str,
    baseline: Model | None = None,
    job: JobRow | None = None,
) -> str:
    """Write down that an evaluation begins, and return its id."""
    evaluation = "eval_" + secrets.token_hex(6)
    ledger.evaluations.begin(
        {
            "id": evaluation,
            "job_id": job.id if job else None,
            "data_sha256": dataset.sha256,
            "model": model.name,
            "baseline": baseline.name if baseline else None,
            "metric": metric,
        }
    )
    return evaluation


class Answers(NamedTuple):
    """All replies in order, how many were known already, and the new ones, each call once."""

    replies: list[ChatReply]
    cached: int
    new: list[ChatReply]


@dataclass(frozen=True)
class Asking:
    """One model and its questions; with a price, what each call cost is kept."""

    model: Model
    requests: list[ChatRequest]
    leaving: Leaving
    price: CallPrice = UNKNOWN

    @cached_property
    def contents(self) -> list[str]:
        """The hash of each call, by which its reply is kept."""
        return [self._content(request) for request in self.requests]

    def missing(self, ledger: Ledger) -> list[ChatRequest]:
        """The questions that no reply is kept of, equal ones once."""
        first = {content: i for i, content in reversed(list(enumerate(self.contents)))}
        known = ledger.evaluations.cached(list(first))
        return [self.requests[i] for content, i in first.items() if content not in known]

    def ask(self, ledger: Ledger, evaluation: str, on_progress: OnProgress) -> Answers:
        """Ask what is not known yet; each reply is committed as it comes."""
        contents = self.contents
        known = ledger.evaluations.cached(contents)
        answered = cached = sum(content in known for content in contents)
        counts = Counter(content for content in contents if content not in known)
        first = {content: i for i, content in reversed(list(enumerate(contents)))}
        missing = list(counts)  # rows that ask the same are asked once
        name, model = self.model.provider.name, self.model.name

        def kept(content: str) -> None:
            nonlocal answered
            answered += counts[content]  # replies come in any order: the position is no count
            on_progress(answered, model)

        def keep(position: int, reply: ChatReply) -> None:
            content = missing[position]
            known[content] = reply
            usd = self.price.of(reply.prompt_tokens, reply.completion_tokens)
            ledger.evaluations.keep(content, name, model, reply, evaluation, usd)
            kept(content)

        asked = {content: self.requests[first[content]] for content in missing}
        if asked:
            self.leaving.note(self.model, len(asked), ledger)
        if asked and outlive.wanted(self.model.provider):
            outlive.ask(ledger, evaluation, self.model, self.price, asked, kept)
            known |= ledger.evaluations.cached(missing)
        elif asked:
            self.model.provider.chat_many(model, list(asked.values()), keep)
        replies = [known[content] for content in contents]
        return Answers(replies, cached, [known[content] for content in missing])

    def _content(self, request: ChatRequest) -> str:
        provider = self.model.provider
        version = provider.model_version(self.model.name)
        identity = [provider.name, provider.account, self.model.name, version]
        text = json.dumps([identity, vars(request)], sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()
