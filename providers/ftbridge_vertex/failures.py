"""The exceptions of Google's clients as ours, with this folder's ``errors.toml``.

Four kinds come through: google-genai's ``APIError`` (tuning, chat), google-api-core's (storage),
google-auth's, and those of the HTTP clients below them. Seen in google-genai 2.34.0,
google-cloud-storage 3.17.1 and google-auth 2.63.0, 2026-11-25.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.errors import CredentialsError, NetworkError, VendorError
from ftbridge.vendor_errors import Answer, translate
from ftbridge_vertex.settings import TOKEN

FOLDER = Path(__file__).parent
TITLE = "Vertex AI"
_UNREADABLE = (ValueError, AttributeError, KeyError, TypeError)
_CHECK = "check the network, GOOGLE_VERTEX_BASE_URL and STORAGE_EMULATOR_HOST"
LOG_IN = (
    "run `gcloud auth application-default login`, set GOOGLE_APPLICATION_CREDENTIALS to a service "
    f"account's file, or {TOKEN} to a token"
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the exceptions of the block into ftbridge's.

    Raises:
        NetworkError: no answer, or one that was cut off: the outcome is not known.
        CredentialsError: 401, or no credentials that work.
        VendorError: any other status, with what ``errors.toml`` says of it.
    """
    import httpx
    import httpx2
    import requests
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.genai.errors import APIError

    try:
        yield
    except APIError as error:
        headers = getattr(error.response, "headers", {}) or {}
        raise said(error.code, error.status, error.message, headers) from None
    except GoogleAPICallError as error:
        if error.code is None:
            raise _unreadable(error) from None
        headers = getattr(error.response, "headers", {}) or {}
        raise said(int(error.code), *_told(error), headers) from None
    except TransportError as error:
        raise NetworkError("Google's token service did not answer", hint=_CHECK) from error
    except GoogleAuthError as error:
        kind = type(error).__name__
        raise CredentialsError(f"Google's credentials do not work ({kind})", hint=LOG_IN) from None
    except (httpx.TransportError, httpx2.TransportError, requests.RequestException) as error:
        kind = type(error).__name__
        raise NetworkError(f"Vertex AI did not answer ({kind})", hint=_CHECK) from None
    except (httpx.HTTPError, httpx2.HTTPError, *_UNREADABLE) as error:
        # A body that is cut off, or is no JSON, comes out of the SDKs in any of these forms.
        raise _unreadable(error) from None


def said(
    status: int, word: str | None, text: str | None, headers: Mapping[str, str]
) -> VendorError | CredentialsError:
    """The error for an answer; ``word`` is Google's status name or storage's reason."""
    known = {name.lower(): value for name, value in dict(headers).items()}
    answer = Answer(
        status=status,
        code=word or None,
        text=text or "",
        request_id=known.get("x-goog-request-id") or known.get("x-guploader-uploadid"),
        headers=known,
    )
    return translate(FOLDER, TITLE, answer, (os.environ.get(TOKEN, ""),))


def _unreadable(error: Exception) -> NetworkError:
    kind = type(error).__name__
    return NetworkError(f"Vertex AI's answer could not be read ({kind})", hint=_CHECK)


def _told(error: Any) -> tuple[str | None, str]:
    """Storage's ``errors[].reason`` and its sentence, from the body: the client's own sentence
    holds the address, and for an upload the whole answer."""
    try:
        found = error.response.json()["error"]
        reasons = [each.get("reason") for each in found.get("errors", ())]
        return (reasons or [None])[0], str(found.get("message", ""))
    except _UNREADABLE:
        return None, ""
