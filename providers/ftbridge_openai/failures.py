"""OpenAI's errors as ours, by class and status and code, never by the text of a message."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ftbridge.errors import CredentialsError, NetworkError, VendorError


@contextmanager
def translated() -> Iterator[None]:
    """Turn the SDK's exceptions of the block into ftbridge's.

    Raises:
        NetworkError: no answer, or one that was cut off: the outcome is not known.
        CredentialsError: 401.
        VendorError: any other status; ``transient`` for 408, 409, 429 and 5xx.
    """
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise _status_error(error) from None
    except openai.APIConnectionError as error:
        kind = type(error.__cause__ or error).__name__
        raise NetworkError(
            f"OpenAI did not answer ({kind})", hint="check the network and OPENAI_BASE_URL"
        ) from None
    except openai.APIError as error:
        raise NetworkError(f"OpenAI's answer could not be read ({type(error).__name__})") from None


def _status_error(error: Any) -> VendorError | CredentialsError:
    status = error.status_code
    cause, hint = _explanation(status, error.code, error.type)
    if status == 401:
        return CredentialsError(f"OpenAI refused the key (401): {cause}", hint=hint)
    return VendorError(
        f"OpenAI answered {status}: {error.body['message'] if _has_message(error) else cause}",
        hint=hint,
        status=status,
        vendor_code=error.code,
        vendor_type=error.type,
        request_id=error.request_id,
        transient=status in (408, 409, 429) or status >= 500,
        retry_after=_retry_after(error.response.headers.get("retry-after")),
    )


def _has_message(error: Any) -> bool:
    return isinstance(error.body, dict) and bool(error.body.get("message"))


def _retry_after(value: str | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None


def _explanation(status: int, code: str | None, kind: str | None) -> tuple[str, str]:
    """The most specific row of ``errors.toml``: code, then type, then status."""
    for name, value in (("code", code), ("type", kind), ("status", status)):
        for row in _rows():
            if value is not None and row.get(name) == value:
                return row["cause"], row["hint"]
    return f"status {status}", "see the vendor's message"


@cache
def _rows() -> list[dict[str, Any]]:
    path = Path(__file__).parent / "errors.toml"
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["error"]
    return rows
