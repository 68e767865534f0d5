"""Where models are asked: each call once, within the budget, priced, and written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ftbridge.evaluate.asking import Answers, Asking, OnProgress
from ftbridge.evaluate.budget import Budget
from ftbridge.evaluate.leaving import Leaving
from ftbridge.evaluate.pricing import UNKNOWN, CallPrice, bound
from ftbridge.job import Model
from ftbridge.jobs.ledger import Ledger
from ftbridge.provider import ChatRequest


@dataclass(frozen=True)
class Respondent:
    """A model that is asked; ``base`` is the one whose vocabulary it has."""

    model: Model
    base: str
    price: CallPrice = UNKNOWN


class Desk:
    """One evaluation's calls.

    Args:
        total: how many calls are expected, for the progress.
    """

    def __init__(
        self,
        ledger: Ledger,
        evaluation: str,
        budget: Budget,
        total: int,
        on_progress: OnProgress,
    ) -> None:
        self._ledger = ledger
        self._evaluation = evaluation
        self._budget = budget
        self._total = total
        self._done = 0
        self._on_progress = on_progress

    def require(
        self,
        asked: Sequence[tuple[Respondent, list[ChatRequest], Leaving]],
        more: dict[str, Decimal | None] | None = None,
    ) -> None:
        """Refuse calls that may pass the budget, before the first of them.

        Args:
            more: what further calls may cost, by whom.

        Raises:
            BudgetRefused: see :meth:`Budget.require`.
        """
        if self._budget.limit is None:
            return
        missing = [
            (who, Asking(who.model, requests, leaving, who.price).missing(self._ledger))
            for who, requests, leaving in asked
        ]
        bounds: dict[str, Decimal | None] = dict(more or {}) if any(m for _, m in missing) else {}
        for who, requests in missing:
            least = bounds.get(who.model.name, Decimal(0))
            most = bound(who.model, who.base, requests, who.price)
            known = least is not None and most is not None
            bounds[who.model.name] = (least or 0) + (most or Decimal(0)) if known else None
        self._budget.require(bounds)

    def ask(self, who: Respondent, requests: list[ChatRequest], leaving: Leaving) -> Answers:
        """All answers; those that were given before are not asked for again."""
        asking = Asking(who.model, requests, leaving, who.price)
        answers = asking.ask(self._ledger, self._evaluation, self._progress)
        self._done += len(requests)
        self._budget.add(who.price.of_replies(answers.new))
        return answers

    def _progress(self, answered: float, model: str) -> None:
        self._on_progress(min(1.0, (self._done + answered) / self._total), model)
