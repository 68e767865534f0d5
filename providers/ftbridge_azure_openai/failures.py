"""Azure's errors as ours: the dialect's for the data plane, ARM's envelope for deployments."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ftbridge.dialects import azure_arm, openai_failures

FOLDER = Path(__file__).parent
TITLE = "Azure OpenAI"
SECRETS = ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_MANAGEMENT_TOKEN")


def secrets() -> tuple[str, ...]:
    """What no message may show."""
    return tuple(os.environ.get(name, "") for name in SECRETS)


def translated() -> AbstractContextManager[None]:
    """Turn the SDK's exceptions of the block into ftbridge's."""
    return openai_failures.translated(FOLDER, TITLE, "AZURE_OPENAI_ENDPOINT", secrets())


def require_done(response: Any) -> None:
    """Raise what an answer of ARM means, unless it is a 2xx.

    Raises:
        CredentialsError: 401.
        VendorError: any other status.
    """
    azure_arm.require_done(response, FOLDER, "Azure", secrets())
