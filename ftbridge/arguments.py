"""What a caller wrote, checked: words, shares, amounts and hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from ftbridge.errors import DataError, UsageError
from ftbridge.jobs.spec import Hyperparameters

E = TypeVar("E", bound=StrEnum)


def share(validation: str | Path | float | None) -> float | None:
    """A share written as a number, or None where a file (or nothing) is named."""
    if validation is None or isinstance(validation, Path):
        return None
    try:
        return float(validation)
    except ValueError:
        return None


def choice(kind: type[E], value: str, where: str) -> E:
    """A value of an enum by its word. Raises UsageError listing the words."""
    try:
        return kind(value)
    except ValueError:
        raise UsageError(
            f"`{value}` is no {where}", hint=f"one of: {', '.join(kind)}", where=where
        ) from None


def hyperparameters(given: Mapping[str, float | None]) -> Hyperparameters:
    """Checked hyperparameters. Raises UsageError naming the bad one."""
    try:
        return Hyperparameters.model_validate(dict(given))
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(map(str, fault["loc"]))
        unknown = fault["type"] == "extra_forbidden"
        known = ", ".join(Hyperparameters.model_fields)
        raise UsageError(
            f"no hyperparameter is called `{name}`" if unknown else f"{name}: {fault['msg']}",
            hint=f"known: {known}" if unknown else "correct the value",
            where=name,
        ) from None


def text(value: str | Path | None, where: str) -> str | None:
    """A text, or the content of a file named by a Path.

    Raises:
        DataError: where the file cannot be read as UTF-8.
    """
    if not isinstance(value, Path):
        return value
    try:
        return value.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise DataError(f"{value}: {reason}", hint="name a text file", where=where) from None


def usd(value: Decimal | str | float | None) -> Decimal | None:
    """An amount of USD, None staying None. Raises UsageError for anything else."""
    if value is None:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"`{value}` is no amount of USD", hint="write it as 12.50", where="usd")
    return amount
