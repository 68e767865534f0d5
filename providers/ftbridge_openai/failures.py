"""OpenAI's errors as ours: the dialect's translation with this folder's ``errors.toml``."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from ftbridge.dialects import openai_failures

FOLDER = Path(__file__).parent


def translated() -> AbstractContextManager[None]:
    """Turn the SDK's exceptions of the block into ftbridge's."""
    key = os.environ.get("OPENAI_API_KEY", "")
    return openai_failures.translated(FOLDER, "OpenAI", "OPENAI_BASE_URL", (key,))
