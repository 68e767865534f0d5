"""The exceptions of the ``openai`` SDK as ours, by class, status and code, never by message text.

What a row of the vendor's ``errors.toml`` says of an answer is the vendor's own affair.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.errors import CredentialsError, NetworkError, VendorError
from ftbridge.vendor_errors import Answer, translate


@contextmanager
def translated(
    folder: Path, title: str, address: str, secrets: tuple[str, ...] = ()
) -> Iterator[None]:
    """Turn the SDK's exceptions of the block into ftbridge's.

    Args:
        folder: where the vendor's ``errors.toml`` lies.
        address: the setting that holds the vendor's address, for the hint.
        secrets: what must not appear, should the vendor repeat it.

    Raises:
        NetworkError: no answer, or one that was cut off: the outcome is not known.
        CredentialsError: 401.
        VendorError: any other status, with what ``errors.toml`` says of it.
    """
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise _status_error(error, folder, title, secrets) from None
    except openai.APIConnectionError as error:
        kind = type(error.__cause__ or error).__name__
        raise NetworkError(
            f"{title} did not answer ({kind})", hint=f"check the network and {address}"
        ) from None
    except _unreadable(openai.OpenAIError) as error:
        raise NetworkError(
            f"{title}'s answer could not be read ({type(error).__name__})",
            hint=f"check {address}, then try again",
        ) from None


def _unreadable(sdk: type[Exception]) -> tuple[type[Exception], ...]:
    """The forms in which a body that is cut off, or is no JSON, comes out of the SDK.

    Its HTTP client is ``httpx2`` in ``openai`` 3.57 and was ``httpx``; asked once something was
    raised, so that the one which raised it has been imported by then.
    """
    loaded = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    return (sdk, *(each.HTTPError for each in loaded), ValueError, AttributeError, KeyError)


def _said(body: dict[str, Any]) -> str | None:
    """What an error body says: OpenAI's ``message``, or the ``detail`` of a FastAPI server, which
    is a text or a list of ``{loc, msg, type}``."""
    detail = body.get("detail")
    if isinstance(detail, list):
        rows = [row for row in detail if isinstance(row, dict)]
        said = (f"{'.'.join(map(str, row.get('loc') or ()))}: {row.get('msg')}" for row in rows)
        return "; ".join(said)
    message: str | None = body.get("message") or detail
    return message


def _status_error(
    error: Any, folder: Path, title: str, secrets: tuple[str, ...]
) -> VendorError | CredentialsError:
    said = _said(error.body) if isinstance(error.body, dict) else None
    answer = Answer(
        status=error.status_code,
        code=error.code,
        type=error.type,
        text=str(said or ""),
        # Azure's gateway has a name of its own for it.
        request_id=error.request_id or error.response.headers.get("apim-request-id"),
        headers=error.response.headers,
    )
    return translate(folder, title, answer, secrets)
