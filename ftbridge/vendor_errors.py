"""Vendors' errors as ours: one table a provider (``errors.toml``), one border.

A row is found by the vendor's code, else its type, else the status: never by the text of a
message, which vendors reword. The vendor's own text and request id are always kept.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ftbridge import clock
from ftbridge.errors import CredentialsError, VendorError

TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses after which the same request may succeed later, unless a row says ``retry = false``."""


class Row(NamedTuple):
    """Cause and next step. ``retry`` None: the status decides."""

    cause: str
    hint: str
    retry: bool | None = None
    credentials: bool = False


class Answer(NamedTuple):
    """What a vendor said, in its own words."""

    status: int
    code: str | None = None
    type: str | None = None
    text: str = ""
    request_id: str | None = None
    headers: Mapping[str, str] = {}


def explain(folder: Path, status: int | None, code: str | None, kind: str | None) -> Row:
    """The most specific row of the folder's ``errors.toml``; a plain one where none fits."""
    row = find(folder, status, code, kind)
    return row or Row(f"status {status}", "see the vendor's message")


def find(folder: Path, status: int | None, code: str | None, kind: str | None) -> Row | None:
    """The most specific row of the folder's ``errors.toml``, if any fits."""
    for name, value in (("code", code), ("type", kind), ("status", status)):
        for row in _rows(folder):
            if value is not None and row.get(name) == value:
                return Row(
                    row["cause"], row["hint"], row.get("retry"), row.get("credentials", False)
                )
    return None


def translate(
    folder: Path, title: str, answer: Answer, secrets: tuple[str, ...] = ()
) -> VendorError | CredentialsError:
    """The error to raise for a vendor's answer.

    Args:
        folder: where the provider's ``errors.toml`` lies.
        secrets: what must not appear, should the vendor repeat it.
    """
    row = explain(folder, answer.status, answer.code, answer.type)
    said = redacted(answer.text, secrets)
    if answer.status == 401 or row.credentials:
        asked = f" (request {answer.request_id})" if answer.request_id else ""
        told = f"; it said: {said}" if said else ""
        return CredentialsError(
            f"{title} refused the credentials ({answer.status}): {row.cause}{told}{asked}",
            hint=row.hint,
        )
    transient = answer.status in TRANSIENT if row.retry is None else row.retry
    return VendorError(
        f"{title} answered {answer.status}: {said or row.cause}",
        hint=row.hint if not said or row.cause in said else f"{row.cause}; {row.hint}",
        status=answer.status,
        vendor_code=answer.code,
        vendor_type=answer.type,
        request_id=answer.request_id,
        transient=transient,
        retry_after=retry_after(answer.headers),
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by ``retry-after-ms`` or ``retry-after`` (seconds or an HTTP date)."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        moment = parsedate_to_datetime(value)
        return max(0.0, (moment - clock.real_now()).total_seconds())
    except (TypeError, ValueError):  # neither form, or a date without a zone
        return None


def redacted(text: str, secrets: tuple[str, ...]) -> str:
    """The text with stars for the secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else -1.0
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


@cache
def _rows(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((folder / "errors.toml").read_text("utf-8"))["error"]
    return rows


@contextmanager
def unless_gone() -> Iterator[None]:
    """For a call that deletes: a 404 says that what was asked for has happened already."""
    try:
        yield
    except VendorError as error:
        if error.status != 404:
            raise
