"""The exceptions of the ``together`` SDK (3.1.1) as ours, by class, status and code.

The body is ``{"error": {"message", "type", "param", "code"}}`` (ErrorData of the vendor's OpenAPI
document, read 2026-11-25); the limits route says ``{"message"}`` alone. The name of the header
with the request id is recalled, not read (unverified).
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
REQUEST_IDS = ("x-request-id", "x-together-request-id", "cf-ray")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the SDK's exceptions of the block into ftbridge's.

    Raises:
        NetworkError: no answer, or one that was cut off: the outcome is not known.
        CredentialsError: 401. VendorError: any other status.
    """
    import httpx
    import together

    try:
        yield
    except together.APIStatusError as error:
        if error.status_code < 400:  # an upload's redirect that leads nowhere
            raise _unread(error) from None
        raise _refusal(error) from None
    except (together.APIConnectionError, httpx.HTTPError) as error:
        kind = type(error.__cause__ or error).__name__
        raise NetworkError(
            f"Together did not answer ({kind})",
            hint="check the network and option base_url",
        ) from None
    except (together.TogetherError, ValueError, AttributeError, KeyError, TypeError) as error:
        # A body that is cut off, or is no JSON, comes out of the SDK in any of these forms.
        raise _unread(error) from None


def secrets() -> tuple[str, ...]:
    """What no message may show."""
    return (os.environ.get("TOGETHER_API_KEY", ""),)


def _refusal(error: Any) -> VendorError | CredentialsError:
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error")
    said = inner if isinstance(inner, dict) else body
    code, headers = said.get("code"), error.response.headers
    answer = Answer(
        status=error.status_code,
        code=None if code is None else str(code),
        type=said.get("type"),
        text=str(said.get("message") or (inner if isinstance(inner, str) else "") or ""),
        request_id=next((headers[name] for name in REQUEST_IDS if name in headers), None),
        headers=headers,
    )
    return translate(FOLDER, "Together", answer, secrets())


def _unread(error: Exception) -> NetworkError:
    return NetworkError(
        f"Together's answer could not be read ({type(error).__name__})",
        hint="check option base_url, then try again",
    )
