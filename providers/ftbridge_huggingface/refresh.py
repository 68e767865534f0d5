"""Reading what machines cost for Jobs, from the Hub's own list.

Source: ``list_jobs_hardware`` of huggingface_hub 2.4.0 (GET /api/jobs/hardware, no key): ``name``,
``prettyName``, ``unitCostMicroUSD`` per ``unitLabel``, which is a minute. Unverified live.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ftbridge import clock
from ftbridge.cost.prices import PriceRow
from ftbridge.cost.refresh import Fetch
from ftbridge.errors import VendorError

URL = "https://huggingface.co/api/jobs/hardware"
PER_HOUR = {"minute": 60, "hour": 1, "second": 3600}
CENT = Decimal("0.01")


def refresh(known: Sequence[PriceRow], fetch: Fetch) -> Iterator[PriceRow]:
    """One row a machine that is known by its name. The list rounds a minute to a micro-USD; where
    an hour of that is our price to the cent, our exact one stays."""
    rows = {row.model: row for row in known}
    answer = fetch.json(URL)
    for machine in answer.content:
        row = rows.get(machine["prettyName"])
        if row is None:
            continue
        if machine["unitLabel"] not in PER_HOUR:
            raise VendorError(f"{row.model} is priced per `{machine['unitLabel']}`")
        hour = Decimal(machine["unitCostMicroUSD"]) * PER_HOUR[machine["unitLabel"]] / 1_000_000
        yield row.model_copy(
            update={
                "usd": row.usd if hour.quantize(CENT) == row.usd.quantize(CENT) else hour,
                "flavor": machine["name"],
                "source": "huggingface.co/api/jobs/hardware",
                "via": None,
                "source_date": answer.day,
                "seen": clock.today(),
                "evidence": "official",
                "origin": "refreshed",
            }
        )
