"""Vendors' own prices for jobs, as they were given: what was promised, kept beside the bill."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import desc, insert, select

from ftbridge import clock
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.reservations import MICRO, micro
from ftbridge.jobs.ledger.schema import quotes


@dataclass(frozen=True)
class Quote:
    """One price in USD, for a training file of this content at one account."""

    provider: str
    account: str
    model: str
    data_sha256: str
    usd: Decimal
    quoted_at: str


class Quotes:
    """The table quotes."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, provider: str, account: str, model: str, data_sha256: str, usd: Decimal) -> None:
        """Keep a price that a vendor has just given."""
        with self._db.write() as connection:
            connection.execute(
                insert(quotes).values(
                    provider=provider,
                    account=account,
                    model=model,
                    data_sha256=data_sha256,
                    micro_usd=micro(usd),
                    quoted_at=clock.stamp(),
                )
            )

    def of(self, provider: str, account: str, model: str, data_sha256: str) -> list[Quote]:
        """The prices given for that, newest first."""
        query = (
            select(quotes)
            .where(
                quotes.c.provider == provider,
                quotes.c.account == account,
                quotes.c.model == model,
                quotes.c.data_sha256 == data_sha256,
            )
            .order_by(desc(quotes.c.quoted_at), desc(quotes.c.id))
        )
        with self._db.read() as connection:
            return [
                Quote(provider, account, model, data_sha256, row.micro_usd / MICRO, row.quoted_at)
                for row in connection.execute(query)
            ]
