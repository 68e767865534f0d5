"""The exceptions of ``huggingface_hub`` and ``hf_xet`` as ours, with this folder's ``errors.toml``.

Sources: ``errors.py`` and ``utils/_http.py`` of huggingface_hub 2.4.0; hf_xet 1.8.0 (2026-11-25).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.errors import CredentialsError, NetworkError, VendorError
from ftbridge.vendor_errors import Answer, translate
from ftbridge_huggingface import settings

FOLDER = Path(__file__).parent
_UNREADABLE = (ValueError, AttributeError, KeyError, TypeError)
_CHECK = "check the network and HF_ENDPOINT"


@contextmanager
def translated() -> Iterator[None]:
    """Turn the SDK's exceptions of the block into ftbridge's.

    Raises:
        NetworkError: no answer, or one that was cut off: the outcome is not known.
        CredentialsError: 401, or the content store's token was refused.
        VendorError: any other status, with what ``errors.toml`` says of it.
    """
    import hf_xet
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except HfHubHTTPError as error:
        raise _status_error(error) from None
    except OfflineModeIsEnabled:
        raise NetworkError(
            "HF_HUB_OFFLINE is set: the Hub may not be asked", hint="unset HF_HUB_OFFLINE"
        ) from None
    except hf_xet.XetAuthenticationError:
        raise CredentialsError(
            "Hugging Face's content store refused the token",
            hint="use a token with write access to the namespace",
        ) from None
    except (httpx2.HTTPError, ConnectionError, TimeoutError) as error:
        kind = type(error).__name__
        raise NetworkError(f"Hugging Face did not answer ({kind})", hint=_CHECK) from None
    except (hf_xet.XetObjectNotFoundError, RuntimeError, *_UNREADABLE) as error:
        # A body that is cut off, or is no JSON, comes out of the SDK in any of these forms.
        kind = type(error).__name__
        raise NetworkError(
            f"Hugging Face's answer could not be read ({kind})", hint=_CHECK
        ) from None


def _status_error(error: Any) -> VendorError | CredentialsError:
    headers = error.response.headers
    answer = Answer(
        status=error.response.status_code,
        code=headers.get("X-Error-Code"),
        text=error.server_message or headers.get("X-Error-Message") or "",
        request_id=error.request_id,
        headers=headers,
    )
    return translate(FOLDER, "Hugging Face", answer, (settings.token(),))
