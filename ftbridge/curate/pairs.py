"""Two answers to each prompt, and which of them is better: by a person, or by a judge.

What comes of it is a file of kind preference, for DPO. ``metadata.preference`` says who answered,
who chose and when; a prompt that the file holds already is not asked again.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ftbridge import clock
from ftbridge.curate import files
from ftbridge.dataset import Dataset
from ftbridge.dataset.types import Example, Message, Preference, prompt_of, tools_of
from ftbridge.errors import DataError, UsageError
from ftbridge.evaluate.asking import Asking, begin
from ftbridge.evaluate.bench import Bench
from ftbridge.evaluate.budget import Budget
from ftbridge.evaluate.desk import Respondent
from ftbridge.evaluate.leaving import Leaving
from ftbridge.evaluate.metrics.judge import Judge, said
from ftbridge.evaluate.pricing import bound
from ftbridge.evaluate.rows import Row
from ftbridge.jobs.ledger import Ledger
from ftbridge.policy import Privacy
from ftbridge.policy.labels import carry
from ftbridge.provider import ChatReply, ChatRequest

SAMPLED = 1.0
"""Temperature at which one model answers twice; two models answer greedily."""


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt; ``swapped`` tells that the second one is shown first."""

    prompt: list[Message]
    tools: list[Any]
    answers: tuple[str, str]
    by: tuple[str, str]
    swapped: bool

    @property
    def shown(self) -> tuple[str, str]:
        """The answers in the order in which they are shown, which tells nothing of who gave
        them."""
        first, second = self.answers
        return (second, first) if self.swapped else (first, second)

    def preference(self, better: int, chosen_by: str, kind: str) -> Preference:
        """The row: answer ``better`` (0 or 1, as answered) over the other one."""
        chosen, rejected = self.answers[better], self.answers[1 - better]
        told = {"chosen_by": chosen_by, "kind": kind, "at": clock.stamp(),
                "chosen": self.by[better], "rejected": self.by[1 - better]}  # fmt: skip
        return Preference(
            prompt=self.prompt,
            chosen=[Message(role="assistant", content=chosen)],
            rejected=[Message(role="assistant", content=rejected)],
            tools=self.tools or None,
            metadata={"preference": told},
        )


@dataclass(frozen=True)
class Wish:
    """Which prompts are answered by whom; one respondent answers each of them twice."""

    data: Dataset
    out: Path
    who: Sequence[Respondent]
    judge: Judge | None = None
    max_tokens: int = 512
    limit: int | None = None
    budget: Budget | None = None
    privacy: Privacy | None = None


class Answering:
    """The calls for one file of preferences.

    Raises:
        UsageError: for other than one or two respondents. DataError: bad rows, or none that is
        not answered yet. PolicyRefused, BudgetRefused: before anything is asked.
    """

    def __init__(self, wish: Wish, ledger: Ledger) -> None:
        if len(wish.who) not in (1, 2):
            raise UsageError(
                f"{len(wish.who)} models answer; one (twice) or two can", where="model"
            )
        self._wish, self._ledger = wish, ledger
        self.prompts = _prompts(wish)
        judges = [wish.judge.who.model] if wish.judge else []
        models = [who.model for who in wish.who] + judges
        self._leaving = Leaving.cleared([wish.data], models, None, wish.privacy)
        self._budget = wish.budget or Budget()
        self._evaluation: str | None = None
        self._unpriced = False

    def pairs(self, on_progress: Callable[[float, str], None]) -> list[Pair]:
        """Ask for both answers of every prompt; pairs whose answers are equal are left out."""
        first, second = self._wish.who[0], self._wish.who[-1]
        sampled = first is second
        asked = [
            (who, [self._request(prompt, number if sampled else None) for prompt in self.prompts])
            for number, who in enumerate((first, second))
        ]
        self._require(asked)
        replies = [self.ask(who, requests, on_progress) for who, requests in asked]
        names = tuple(f"{who.model.provider.name}:{who.model.name}" for who in (first, second))
        return [
            Pair(prompt_of(prompt), tools_of(prompt), (said(a), said(b)), (names[0], names[1]),
                 _coin(prompt))
            for prompt, a, b in zip(self.prompts, *replies, strict=True)
            if said(a) != said(b) and said(a) and said(b)
        ]  # fmt: skip

    def ask(
        self,
        who: Respondent,
        requests: list[ChatRequest],
        on_progress: Callable[[float, str], None] = lambda share, text: None,
    ) -> list[ChatReply]:
        """Answers, each call kept and paid once."""
        if self._evaluation is None:
            model = self._wish.who[0].model
            self._evaluation = begin(self._ledger, self._wish.data, model, "preferences")
        asking = Asking(who.model, requests, self._leaving, who.price)
        total = max(1, len(requests))
        answers = asking.ask(self._ledger, self._evaluation, lambda n, t: on_progress(n / total, t))
        usd = who.price.of_replies(answers.new)
        self._unpriced = self._unpriced or (usd is None and bool(answers.new))
        self._budget.add(usd)
        return answers.replies

    def judged(
        self, pairs: Sequence[Pair], judge: Judge
    ) -> tuple[list[Preference], dict[str, Any]]:
        """The pairs in which one answer won in both orders, and what is known of the judge."""
        bench = Bench(
            [Row(0, _rendered(pair), None, "", (), b"") for pair in pairs],
            (judge.who, judge.who),
            ([], []),
            ([ChatReply(pair.answers[0]) for pair in pairs],
             [ChatReply(pair.answers[1]) for pair in pairs]),
            self._ask_judge,
        )  # fmt: skip
        scores = judge.scores(bench)
        name = f"{judge.who.model.provider.name}:{judge.who.model.name}"
        rows = [
            pair.preference(int(second > first), name, "model")
            for pair, first, second in zip(pairs, scores.baseline, scores.tuned, strict=True)
            if first != second
        ]
        return rows, dict(scores.detail or {})

    @property
    def usd(self) -> float | None:
        """USD paid so far; None where a price is not known."""
        return None if self._unpriced else float(self._budget.spent)

    def _ask_judge(self, who: Respondent, requests: list[ChatRequest]) -> list[ChatReply]:
        self._require([(who, requests)])
        return self.ask(who, requests)

    def _require(self, asked: Sequence[tuple[Respondent, list[ChatRequest]]]) -> None:
        if self._budget.limit is None:
            return
        bounds: dict[str, Decimal | None] = {}
        for who, requests in asked:
            new = Asking(who.model, requests, self._leaving, who.price).missing(self._ledger)
            most = bound(who.model, who.base, new, who.price)
            so_far = bounds.get(who.model.name, Decimal(0))
            bounds[who.model.name] = None if most is None or so_far is None else most + so_far
        self._budget.require(bounds)

    def _request(self, prompt: Example, seed: int | None) -> ChatRequest:
        messages = [msgspec.to_builtins(turn) for turn in prompt_of(prompt)]
        tools = msgspec.json.decode(msgspec.json.encode(tools_of(prompt))) or None
        temperature = 0.0 if seed is None else SAMPLED
        return ChatRequest(messages, tools, self._wish.max_tokens, temperature, seed)


def _prompts(wish: Wish) -> list[Example]:
    """The prompts of the file that the preferences do not hold yet."""
    done = {_mark(row["prompt"]) for row in files.read(wish.out)} if wish.out.exists() else set()
    found: list[Example] = []
    for number, example in wish.data.examples():
        if not prompt_of(example):
            raise DataError(
                f"{wish.data.path}:{number}: a text has no prompt to answer",
                hint="give chats, rewards or preferences",
                where=f"{wish.data.path}:{number}",
            )
        mark = _mark(msgspec.to_builtins(prompt_of(example)))
        if mark not in done and (wish.limit is None or len(found) < wish.limit):
            done.add(mark)
            found.append(example)
    return found


def _mark(prompt: Any) -> bytes:
    """What tells two prompts apart."""
    content = [(turn.get("role"), turn.get("content")) for turn in prompt]
    return hashlib.sha256(msgspec.json.encode(content)).digest()


def _coin(prompt: Example) -> bool:
    """Which answer is shown first: even, and the same every time."""
    return random.Random(_mark(msgspec.to_builtins(prompt_of(prompt)))).random() < 0.5  # noqa: S311


def _rendered(pair: Pair) -> tuple[dict[str, Any], ...]:
    return tuple(msgspec.to_builtins(turn) for turn in pair.prompt)


def keep(wish: Wish, rows: Sequence[Preference]) -> None:
    """Add rows to the file of preferences, labelled as strictly as the prompts."""
    if rows:
        carry(wish.data.source.location, (wish.out,), wish.privacy)
    for row in rows:
        files.append(wish.out, row)


def choose(
    pairs: Sequence[Pair], ask: Callable[[Pair, int], str]
) -> Iterator[tuple[Pair, int | None]]:
    """A person's choices, one after another; None: neither is better.

    Args:
        ask: shows a pair (and how many are left) and gives ``1``, ``2``, ``t`` (neither), ``s``
            (later) or ``q`` (no more).
    """
    for number, pair in enumerate(pairs):
        word = ask(pair, len(pairs) - number)
        if word == "q":
            return
        if word in ("1", "2"):
            place = int(word) - 1
            yield pair, (1 - place if pair.swapped else place)
        elif word == "t":
            yield pair, None
