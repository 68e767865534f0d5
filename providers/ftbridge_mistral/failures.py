"""Mistral's errors as ours, by code, type and status, never by the text of a message.

Two bodies: ``{"object": "error", "message", "type", "param", "code"}`` and, for a 422,
``{"detail": [{"loc", "msg", "type"}]}`` (HTTPValidationError of ``mistralai`` 3.7.0, read
2026-11-24). The header of the request id is recalled, not read (unverified).
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.errors import CredentialsError, NetworkError, VendorError
from ftbridge.vendor_errors import Answer, translate

FOLDER = Path(__file__).parent
REQUEST_IDS = ("mistral-correlation-id", "x-request-id", "x-kong-request-id")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the exceptions of the SDK and of HTTP into ftbridge's.

    Raises:
        NetworkError: no answer, or one that could not be read: the outcome is not known.
        CredentialsError: 401. VendorError: any other status.
    """
    from mistralai.client.errors import MistralError, NoResponseError

    unanswered: tuple[type[Exception], ...] = (NoResponseError, *_transports())
    try:
        yield
    except MistralError as error:
        if error.status_code < 400:
            raise _unread(error) from None
        raise refusal(error.status_code, error.body, error.headers) from None
    except unanswered as error:
        kind = type(error).__name__
        raise NetworkError(
            f"Mistral did not answer ({kind})", hint="check the network and option base_url"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unread(error) from None


def refusal(status: int, body: str, headers: Mapping[str, str]) -> VendorError | CredentialsError:
    """The error for an answer of 400 or more."""
    said = _said(body)
    code = said.get("code")
    answer = Answer(
        status=status,
        code=None if code is None else str(code),
        type=said.get("type"),
        text=_text(said),
        request_id=next((headers[name] for name in REQUEST_IDS if name in headers), None),
        headers=headers,
    )
    return translate(FOLDER, "Mistral", answer, (os.environ.get("MISTRAL_API_KEY", ""),))


def _said(body: str) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _text(said: Mapping[str, Any]) -> str:
    detail = said.get("detail") or said.get("message") or ""
    if isinstance(detail, dict):  # a message may hold the detail of a validation
        detail = detail.get("detail") or ""
    if not isinstance(detail, list):
        return str(detail)
    rows = [row for row in detail if isinstance(row, dict)]
    return "; ".join(f"{_place(row)}: {row.get('msg', '')}" for row in rows)


def _place(row: Mapping[str, Any]) -> str:
    return ".".join(str(part) for part in row.get("loc") or ["body"])


def _transports() -> list[type[Exception]]:
    """What ``httpx`` raises, and ``httpx2``, which newer SDKs use in its place."""
    names = [name for name in ("httpx", "httpx2") if importlib.util.find_spec(name)]
    return [importlib.import_module(name).HTTPError for name in names]


def _unread(error: Exception) -> NetworkError:
    return NetworkError(
        f"Mistral's answer could not be read ({type(error).__name__})",
        hint="check option base_url, then try again",
    )
