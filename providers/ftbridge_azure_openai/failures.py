"""Azure's errors as ours: the dialect's for the data plane, ARM's envelope for deployments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from ftbridge.dialects import openai_failures
from ftbridge.errors import CredentialsError, NetworkError
from ftbridge.vendor_errors import Answer, translate

FOLDER = Path(__file__).parent
TITLE = "Azure OpenAI"
SECRETS = ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_MANAGEMENT_TOKEN")


def secrets() -> tuple[str, ...]:
    """What no message may show."""
    return tuple(os.environ.get(name, "") for name in SECRETS)


def translated() -> AbstractContextManager[None]:
    """Turn the SDK's exceptions of the block into ftbridge's."""
    return openai_failures.translated(FOLDER, TITLE, "AZURE_OPENAI_ENDPOINT", secrets())


@contextmanager
def identified() -> Iterator[None]:
    """Turn the exceptions of ``azure-identity`` into ours; their text may hold a tenant's name."""
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

    try:
        yield
    except ClientAuthenticationError as error:
        raise CredentialsError(
            f"no Entra token could be had ({type(error).__name__})",
            hint="run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
            where="AZURE_CLIENT_ID",
        ) from None
    except ServiceRequestError as error:
        raise NetworkError(
            f"Entra did not answer ({type(error).__name__})", hint="check the network"
        ) from None


def require_done(response: Any) -> None:
    """Raise what an answer of ARM means, unless it is a 2xx.

    Raises:
        CredentialsError: 401.
        VendorError: any other status.
    """
    if response.is_success:
        return
    try:
        body = response.json()
    except ValueError:
        body = {}
    said = body.get("error") if isinstance(body, dict) else None
    said = said if isinstance(said, dict) else {}
    answer = Answer(
        status=response.status_code,
        code=said.get("code"),
        text=str(said.get("message") or ""),
        request_id=response.headers.get("x-ms-request-id"),
        headers=response.headers,
    )
    raise translate(FOLDER, "Azure", answer, secrets())
