"""OpenAI's errors as ours, by class and status and code, never by the text of a message."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.errors import CredentialsError, NetworkError, VendorError
from ftbridge.vendor_errors import Answer, translate

FOLDER = Path(__file__).parent


@contextmanager
def translated() -> Iterator[None]:
    """Turn the SDK's exceptions of the block into ftbridge's.

    Raises:
        NetworkError: no answer, or one that was cut off: the outcome is not known.
        CredentialsError: 401.
        VendorError: any other status, with what ``errors.toml`` says of it.
    """
    import httpx
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise _status_error(error) from None
    except openai.APIConnectionError as error:
        kind = type(error.__cause__ or error).__name__
        raise NetworkError(
            f"OpenAI did not answer ({kind})", hint="check the network and OPENAI_BASE_URL"
        ) from None
    except (openai.OpenAIError, httpx.HTTPError, ValueError, AttributeError, KeyError) as error:
        # A body that is cut off, or is no JSON, comes out of the SDK in any of these forms.
        raise NetworkError(
            f"OpenAI's answer could not be read ({type(error).__name__})",
            hint="check OPENAI_BASE_URL, then try again",
        ) from None


def _status_error(error: Any) -> VendorError | CredentialsError:
    said = error.body.get("message") if isinstance(error.body, dict) else None
    answer = Answer(
        status=error.status_code,
        code=error.code,
        type=error.type,
        text=str(said or ""),
        request_id=error.request_id,
        headers=error.response.headers,
    )
    return translate(FOLDER, "OpenAI", answer, (os.environ.get("OPENAI_API_KEY", ""),))
