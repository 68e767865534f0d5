"""What an evaluation may spend: refused before a call that could pass the limit."""

from __future__ import annotations

from decimal import Decimal

from ftbridge.errors import BudgetRefused


class Budget:
    """A limit in USD over all calls of one evaluation.

    Args:
        limit: None: none.
        allow_unknown: go on where a price is not known; such calls count as nothing.
    """

    def __init__(self, limit: Decimal | None = None, allow_unknown: bool = False) -> None:
        self.limit = limit
        self.spent = Decimal(0)
        self._allow_unknown = allow_unknown

    def require(self, bounds: dict[str, Decimal | None]) -> None:
        """Refuse calls that may pass what is left.

        Args:
            bounds: of each model that is asked next, the most that it may cost in USD.

        Raises:
            BudgetRefused: where they may cost more than is left, or a price is not known.
        """
        if self.limit is None:
            return
        unknown = [name for name, usd in bounds.items() if usd is None]
        if unknown and not self._allow_unknown:
            raise BudgetRefused(
                f"no price is known for calls to {', '.join(unknown)}, so that --max-usd "
                f"{self.limit} cannot be kept",
                hint="set one with `ftbridge prices set`, or add --allow-unknown-cost",
                where="max_usd",
                code="unknown_cost",
            )
        most = sum((usd for usd in bounds.values() if usd is not None), Decimal(0))
        if self.spent + most > self.limit:
            before = f" after {self.spent:.6f} USD already spent" if self.spent else ""
            raise BudgetRefused(
                f"the calls may cost up to {most:.6f} USD{before}, more than --max-usd "
                f"{self.limit}",
                hint="ask fewer rows (--limit), shorter answers (--max-tokens), or raise it",
                where="max_usd",
            )

    def add(self, usd: Decimal | None) -> None:
        """Count what was paid; what is not known cannot be counted."""
        self.spent += usd or Decimal(0)
