"""The horizon that somebody asks about, and how long its calls are: given, or read off the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, TypeAlias

from ftbridge.cost.calls import CallSize, measure
from ftbridge.cost.tokens import Counter
from ftbridge.cost.use import Use
from ftbridge.dataset import Dataset
from ftbridge.errors import UsageError

USUAL_MONTHS, MOST_MONTHS = 12, 120
Number: TypeAlias = int | float | Decimal | None


@dataclass(frozen=True)
class Wanted:
    """Months, calls a month and tokens a call; what is None is measured."""

    months: int
    calls_per_month: int
    input_tokens: Decimal | None = None
    output_tokens: Decimal | None = None


def wanted(
    months: int | None,
    calls_per_month: int | None,
    input_tokens: Number,
    output_tokens: Number,
    *,
    needed: bool = False,
) -> Wanted | None:
    """What a caller asked for; None where nothing about use was asked.

    Args:
        months: :data:`USUAL_MONTHS` where something else of it is given.
        needed: something else that was asked cannot do without.

    Raises:
        UsageError: naming what is missing, or no number of its kind.
    """
    given = (months, calls_per_month, input_tokens, output_tokens)
    if not needed and all(value is None for value in given):
        return None
    if calls_per_month is None and (
        needed or input_tokens is not None or output_tokens is not None
    ):
        raise UsageError(
            "how often the model is called is not said",
            hint="add --calls-per-month",
            where="calls_per_month",
        )
    span = USUAL_MONTHS if months is None else months
    calls = calls_per_month or 0
    if not 1 <= span <= MOST_MONTHS or calls < 0:
        raise UsageError(
            f"{span} months with {calls} calls each are no horizon",
            hint=f"1 to {MOST_MONTHS} months, 0 calls or more",
            where="months",
        )
    return Wanted(span, calls, _tokens(input_tokens, "input"), _tokens(output_tokens, "output"))


def wanted_from(given: Mapping[str, Any]) -> Wanted | None:
    """The same by its words.

    Raises:
        UsageError: for a word that is none of them, too.
    """
    words = [field.name for field in fields(Wanted)]
    if strange := sorted(given.keys() - set(words)):
        raise UsageError(
            f"use knows no `{strange[0]}`", hint=f"it knows: {', '.join(words)}", where="use"
        )
    months, calls, into, out = (given.get(word) for word in words)
    return wanted(months, calls, into, out)


def _tokens(value: Number, side: str) -> Decimal | None:
    if value is None:
        return None
    amount = Decimal(str(value))
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"{value} is no number of tokens", where=f"{side}_tokens")
    return amount


class Horizon:
    """The wanted horizon over one data set; each vocabulary measures its calls once."""

    def __init__(self, wanted: Wanted, dataset: Dataset) -> None:
        self.wanted = wanted
        self._dataset = dataset
        self._sizes: dict[str, CallSize] = {}

    def use(self, counter: Counter) -> Use:
        """The use of a model whose tokens this counter counts.

        Raises:
            UsageError: where a size was not given and the data do not show it.
        """
        wanted = self.wanted
        if wanted.input_tokens is not None and wanted.output_tokens is not None:
            given = (wanted.input_tokens, wanted.output_tokens)
            return Use(wanted.months, wanted.calls_per_month, *given)
        size = self._size(counter)
        answer = wanted.output_tokens if wanted.output_tokens is not None else size.answer
        if answer is None:
            raise UsageError(
                "the data hold no answers, so their length cannot be measured",
                hint="say it with --output-tokens",
                where="output_tokens",
            )
        prompt = wanted.input_tokens if wanted.input_tokens is not None else size.prompt
        return Use(
            wanted.months,
            wanted.calls_per_month,
            prompt,
            answer,
            measured=f"mean of {size.examples:,} examples, {counter.name}",
        )

    def _size(self, counter: Counter) -> CallSize:
        if counter.id not in self._sizes:
            self._sizes[counter.id] = measure(
                self._dataset, lambda examples: counter.count(examples).expected
            )
        return self._sizes[counter.id]
