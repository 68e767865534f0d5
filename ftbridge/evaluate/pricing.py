"""What a call to a model costs, by the price book, and what some calls may cost at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from ftbridge.cost.estimate import estimate
from ftbridge.cost.library import token_price
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.tokens import counter_for, rule_for
from ftbridge.cost.use import MILLION, Use
from ftbridge.dataset.types import Chat
from ftbridge.errors import NotInstalled, UsageError
from ftbridge.job import Model
from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.spec import JobSpec
from ftbridge.provider import ChatReply, ChatRequest

MICRO = Decimal("0.000001")


@dataclass(frozen=True)
class CallPrice:
    """USD per million tokens in and out, None where nobody knows, and where that is from."""

    input: Decimal | None
    output: Decimal | None
    source: str

    @property
    def known(self) -> bool:
        """Whether both sides are."""
        return self.input is not None and self.output is not None

    def of(self, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
        """USD of so many tokens, not rounded; None where the price is not known."""
        if self.input is None or self.output is None:
            return None
        return (prompt_tokens * self.input + completion_tokens * self.output) / MILLION

    def of_replies(self, replies: Sequence[ChatReply]) -> Decimal | None:
        """USD of some answers, to a millionth."""
        usd = self.of(
            sum(reply.prompt_tokens for reply in replies),
            sum(reply.completion_tokens for reply in replies),
        )
        return None if usd is None else usd.quantize(MICRO)


UNKNOWN = CallPrice(None, None, "no price is known")
OURS = CallPrice(Decimal(0), Decimal(0), "nobody sends a bill for calls on this machine")


def price_of(model: Model, job: JobRow | None, book: PriceBook) -> CallPrice:
    """The price of a call.

    A tuned model's is what its provider says it bills in use (by the token; the hours of a
    deployment are no part of a call); a base model's is the user's own, else genai-prices'.

    Args:
        job: the job that the model is of; None for a base model.
    """
    if not model.provider.bills:
        return OURS
    if job is not None and job.result_model == model.name:
        return _tuned(model, JobSpec.model_validate_json(job.spec), book)
    return _own(model, book) or _listed(model)


def _tuned(model: Model, spec: JobSpec, book: PriceBook) -> CallPrice:
    million = Use(1, 1, MILLION, MILLION)
    lines = [
        line
        for line in model.provider.serving(spec, million)
        if line.name in ("inference_input", "inference_output")
    ]
    name, method, adapter = model.provider.name, str(spec.method), str(spec.adapter)
    found = estimate(book, name, spec.model, method, lines, adapter=adapter)
    priced = {line.name: line for line in found.lines}
    if priced.keys() != {"inference_input", "inference_output"}:
        return UNKNOWN
    into, out = priced["inference_input"], priced["inference_output"]
    return CallPrice(into.high, out.high, f"{into.source}, {into.source_date or 'date unknown'}")


def _own(model: Model, book: PriceBook) -> CallPrice | None:
    own = PriceBook(row for row in book.rows if row.origin == "yours" and row.model == model.name)
    name = model.provider.name
    into = own.find(name, model.name, "inference_input", method="")
    out = own.find(name, model.name, "inference_output", method="")
    return CallPrice(into.usd, out.usd, into.source) if into and out else None


def _listed(model: Model) -> CallPrice:
    try:
        found = token_price(model.provider.name, model.name, 1000, 1000)
    except (UsageError, NotInstalled):
        return UNKNOWN
    return CallPrice(found.input, found.output, f"{found.source}, date unknown")


def bound(
    model: Model, base: str, requests: Sequence[ChatRequest], price: CallPrice
) -> Decimal | None:
    """The most that asking these may cost: prompts as counted (at most), answers at their limit.

    Args:
        base: the model whose vocabulary counts, the base of a tuned one.

    Returns:
        USD; None where the price is not known.
    """
    if not requests or price == OURS:
        return Decimal(0)
    if not price.known:
        return None
    provider = model.provider
    counter = counter_for(rule_for(provider.catalogue(), base), provider.counter(base))
    prompts = sum(counter.count([_chat(request) for request in requests]).high)
    return price.of(prompts, sum(request.max_tokens for request in requests))


def _chat(request: ChatRequest) -> Chat:
    shown = {"messages": list(request.messages), "tools": request.tools}
    return msgspec.json.decode(msgspec.json.encode(shown), type=Chat)
