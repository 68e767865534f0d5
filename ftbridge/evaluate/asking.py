"""Asking a model every question once, ever: each reply is committed when it comes."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ftbridge.dataset import Dataset
from ftbridge.evaluate.leaving import Leaving
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


@dataclass(frozen=True)
class Asking:
    """One model and its questions."""

    model: Model
    requests: list[ChatRequest]
    leaving: Leaving

    @cached_property
    def contents(self) -> list[str]:
        """The hash of each call, by which its reply is kept."""
        return [self._content(request) for request in self.requests]

    def ask(
        self, ledger: Ledger, evaluation: str, on_progress: OnProgress
    ) -> tuple[list[ChatReply], int]:
        """All replies in order, and how many were known already."""
        contents = self.contents
        known = ledger.evaluations.cached(contents)
        cached = sum(content in known for content in contents)
        answered = cached
        counts = Counter(content for content in contents if content not in known)
        first = {content: i for i, content in reversed(list(enumerate(contents)))}
        missing = list(counts)  # rows that ask the same are asked once

        def keep(position: int, reply: ChatReply) -> None:
            content = missing[position]
            known[content] = reply
            ledger.evaluations.keep(
                content, self.model.provider.name, self.model.name, reply, evaluation
            )
            nonlocal answered
            answered += counts[content]  # replies come in any order: the position is no count
            on_progress(answered, self.model.name)

        if missing:
            asked = [self.requests[first[content]] for content in missing]
            self.leaving.note(self.model, len(asked), ledger)
            self.model.provider.chat_many(self.model.name, asked, keep)
        return [known[content] for content in contents], cached

    def _content(self, request: ChatRequest) -> str:
        provider = self.model.provider
        version = provider.model_version(self.model.name)
        identity = [provider.name, provider.account, self.model.name, version]
        text = json.dumps([identity, vars(request)], sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()
