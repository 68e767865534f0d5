"""Azure Resource Manager: tokens from Entra, and the envelope of its errors.

Sources: ``azure-identity`` 1.27.0; ARM's common error envelope (learn.microsoft.com, read
2026-11-24): ``{"error": {"code", "message"}}``, the request's id in ``x-ms-request-id``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.errors import CredentialsError, NetworkError
from ftbridge.vendor_errors import Answer, translate

URL = "https://management.azure.com"
SCOPE = f"{URL}/.default"


def token_provider(scope: str) -> Callable[[], str]:
    """A function that returns an Entra token, from whatever ``azure-identity`` finds here."""
    from azure.identity import DefaultAzureCredential

    credential = DefaultAzureCredential()

    def token() -> str:
        with identified():
            return credential.get_token(scope).token

    return token


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


def require_done(response: Any, folder: Path, title: str, secrets: tuple[str, ...]) -> None:
    """Raise what an answer of ARM means, unless it is a 2xx.

    Args:
        folder: where the provider's ``errors.toml`` lies.
        secrets: what no message may show.

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
    raise translate(folder, title, answer, secrets)
