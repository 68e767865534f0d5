"""The exceptions of ``fireworks-ai`` 1.2.30 as ours, with this folder's ``errors.toml``.

The SDK types errors by status; the body's shape is not documented (gRPC gateway's ``{code,
message}`` or ``{"error": {...}}``), so both are read. Seen in the SDK's source, 2026-11-24.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.errors import CredentialsError, NetworkError, VendorError
from ftbridge.vendor_errors import Answer, translate

FOLDER = Path(__file__).parent
_UNREADABLE = (ValueError, AttributeError, KeyError, TypeError)
_CHECK = "check the network and FIREWORKS_BASE_URL"


@contextmanager
def translated() -> Iterator[None]:
    """Turn the SDK's exceptions of the block into ftbridge's.

    Raises:
        NetworkError: no answer, or one that was cut off: the outcome is not known.
        CredentialsError: 401.
        VendorError: any other status, with what ``errors.toml`` says of it.
    """
    import fireworks
    import httpx

    try:
        yield
    except fireworks.APIStatusError as error:
        raise _status_error(error) from None
    except fireworks.APIConnectionError as error:
        kind = type(error.__cause__ or error).__name__
        raise NetworkError(f"Fireworks did not answer ({kind})", hint=_CHECK) from None
    except (fireworks.FireworksError, httpx.HTTPError, *_UNREADABLE) as error:
        # A body that is cut off, or is no JSON, comes out of the SDK in any of these forms.
        kind = type(error).__name__
        raise NetworkError(f"Fireworks' answer could not be read ({kind})", hint=_CHECK) from None


def require_done(answer: Any) -> None:
    """Raise what an answer of a signed URL means, unless it is a 2xx. Buckets speak no JSON, and
    the URL itself is a secret: neither is shown.

    Raises:
        VendorError: any other status.
    """
    if not answer.is_success:
        what = Answer(status=answer.status_code, text="the file store refused the signed URL")
        raise translate(FOLDER, "Fireworks", what)


def _status_error(error: Any) -> VendorError | CredentialsError:
    body = error.body if isinstance(error.body, dict) else {}
    said = body["error"] if isinstance(body.get("error"), dict) else body
    code = said.get("code")
    answer = Answer(
        status=error.status_code,
        code=None if code is None else str(code),
        type=None,
        text=str(said.get("message") or ""),
        request_id=error.response.headers.get("x-request-id"),
        headers=error.response.headers,
    )
    return translate(FOLDER, "Fireworks", answer, (os.environ.get("FIREWORKS_API_KEY", ""),))
