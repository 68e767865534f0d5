"""The price book of one home: the user's rows, what a refresh has read, and the shipped rows."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ftbridge.config import Config
from ftbridge.cost.library import library
from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.refresh import Fetch, Outcome, names, refresh
from ftbridge.cost.sources import price_files
from ftbridge.errors import LedgerError
from ftbridge.files import atomic_write

OURS = ("shipped", "refreshed")


def load(config: Config) -> PriceBook:
    """The book of this home.

    Raises:
        UsageError: where a ``[[price]]`` of the settings is no price.
        LedgerError: where a file that a refresh has written is not whole.
    """
    files = price_files()
    return PriceBook.load(
        files, config.rows("price"), read_refreshed(config.home), library(_libraries(files))
    )


def refreshed_file(home: Path, provider: str) -> Path:
    """Where the rows of one provider's refresh are kept."""
    return home / "prices" / f"{provider}.json"


def keep_refreshed(home: Path, provider: str, rows: Sequence[PriceRow]) -> None:
    """Put a provider's rows in the place of those of its last refresh."""
    content = [row.model_dump(mode="json", exclude_none=True) for row in rows]
    with atomic_write(refreshed_file(home, provider)) as stream:
        stream.write(json.dumps({"price": content}, indent=1).encode())


def read_refreshed(home: Path) -> list[PriceRow]:
    """The rows of all refreshes of this home."""
    rows = []
    for path in sorted((home / "prices").glob("*.json")):
        try:
            content = json.loads(path.read_text("utf-8"))["price"]
            rows += [PriceRow.model_validate(row | {"origin": "refreshed"}) for row in content]
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise LedgerError(
                f"{path}: no price file: {type(error).__name__}",
                hint="delete it and run `ftbridge prices refresh` again",
                where=str(path),
                code="bad_price_file",
            ) from None
    return rows


def _libraries(files: Sequence[Path]) -> dict[str, str]:
    """provider -> whose base prices its tuned models share, by ``inference_library``."""
    found = {}
    for path in files:
        toml = path / "prices.toml" if path.is_dir() else path
        if toml.exists():
            head = tomllib.loads(toml.read_text("utf-8").partition("[[price]]")[0])
            if "inference_library" in head:
                found[head["provider"]] = head["inference_library"]
    return found


def refresh_all(
    home: Path,
    book: PriceBook,
    providers: Sequence[str],
    *,
    allow_jumps: bool = False,
    base_url: str | None = None,
) -> list[Outcome]:
    """Read the sources of some vendors (none named: all) again, and keep what was read.

    A price that was not read stays as it was; one that a former refresh has read stays too.

    Raises:
        UsageError: for a vendor without a public source.
    """
    fetch = Fetch(base_url)
    outcomes = []
    for name in providers or names():
        known = [
            row
            for row in book.rows
            if row.provider == name and row.origin in ("shipped", "refreshed")
        ]
        outcome = refresh(name, known, fetch, allow_jumps=allow_jumps)
        if outcome.rows:
            read = {row.identity for row in outcome.rows}
            kept = [row for row in known if row.origin == "refreshed" and row.identity not in read]
            keep_refreshed(home, name, [*outcome.rows, *kept])
        outcomes.append(outcome)
    return outcomes
