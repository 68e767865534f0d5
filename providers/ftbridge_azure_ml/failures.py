"""The errors of ARM, httpx and azure-storage-blob as ours, with this folder's ``errors.toml``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.dialects import azure_arm
from ftbridge.errors import NetworkError
from ftbridge.vendor_errors import Answer, translate
from ftbridge_azure_ml import settings

FOLDER = Path(__file__).parent
TITLE = "Azure ML"
STORAGE = "Azure Storage"
_CHECK = "check the network; option base_url says where Azure Resource Manager is"
_CHECK_STORAGE = "check the network; option blob_url says where the storage account is"


def secrets(hidden: Iterable[str]) -> tuple[str, ...]:
    """What no message may show; ``hidden``: what a workspace has handed out."""
    known = (os.environ.get(settings.TOKEN, ""), os.environ.get("AZURE_CLIENT_SECRET", ""))
    return (*known, *hidden)


def read(response: Any, hidden: Iterable[str]) -> Any:
    """An answer of ARM as JSON.

    Raises:
        CredentialsError, VendorError: it is not a 2xx.
        NetworkError: it is no JSON.
    """
    azure_arm.require_done(response, FOLDER, TITLE, secrets(hidden))
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        raise NetworkError("Azure ML's answer could not be read", hint=_CHECK) from None


@contextmanager
def connected() -> Iterator[None]:
    """Turn httpx's exceptions of the block into ours."""
    import httpx

    try:
        yield
    except httpx.HTTPError as error:
        kind = type(error).__name__
        raise NetworkError(f"Azure ML did not answer ({kind})", hint=_CHECK) from None


@contextmanager
def stored(hidden: Iterable[str]) -> Iterator[None]:
    """Turn the exceptions of azure-storage-blob into ours.

    Raises:
        NetworkError: no answer, or one that was cut off.
        CredentialsError, VendorError: by status and code.
    """
    from azure.core.exceptions import AzureError, DecodeError, HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        answered: Any = error.response
        if isinstance(error, DecodeError) or answered is None or answered.status_code < 400:
            raise _unanswered(error) from None
        answer = Answer(
            status=answered.status_code,
            code=getattr(error, "error_code", None),
            text=next(iter((error.message or error.reason or "").splitlines()), ""),
            request_id=answered.headers.get("x-ms-request-id"),
            headers=answered.headers,
        )
        raise translate(FOLDER, STORAGE, answer, secrets(hidden)) from None
    except (AzureError, ConnectionError, TimeoutError) as error:
        raise _unanswered(error) from None


def _unanswered(error: Exception) -> NetworkError:
    kind = type(error).__name__
    return NetworkError(f"Azure Storage did not answer ({kind})", hint=_CHECK_STORAGE)
