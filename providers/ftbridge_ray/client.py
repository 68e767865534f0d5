"""Ray's REST API for jobs, without Ray: nothing of it has to be installed here.

Source: docs.ray.io (Ray Jobs REST API) and dashboard/modules/job/job_head.py of ray 2.60.0 (read
2026-11-25). Errors come as plain text, sometimes a Python traceback: its last line is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.errors import CredentialsError, NetworkError, VendorError
from ftbridge.vendor_errors import Answer, translate
from ftbridge_ray import settings

if TYPE_CHECKING:
    from httpx2 import Client

FOLDER = Path(__file__).parent
_CHECK = "check --base-url (the dashboard's address) and whether the cluster is up"


class Jobs:
    """One cluster's jobs."""

    def __init__(self, endpoint: str, token: str, seconds: float) -> None:
        """``seconds`` is what one request may take."""
        import httpx2

        headers = {"authorization": f"Bearer {token}"} if token else {}
        base = endpoint.rstrip("/").removesuffix("/v1")
        self.http: Client = httpx2.Client(base_url=base, headers=headers, timeout=seconds)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON.

        Raises:
            NetworkError: no answer, or one that could not be read.
            CredentialsError: 401.
            VendorError: any other status, with what ``errors.toml`` says of it.
        """
        import httpx2

        try:
            answer = self.http.request(method, path, json=body)
            if answer.is_success:
                return answer.json()
        except httpx2.HTTPError as error:
            kind = type(error).__name__
            raise NetworkError(f"the Ray cluster did not answer ({kind})", hint=_CHECK) from None
        except ValueError:
            raise NetworkError("the answer is not Ray's: no JSON", hint=_CHECK) from None
        raise _refused(answer)


def _refused(answer: Any) -> VendorError | CredentialsError:
    lines = answer.text.strip().splitlines()
    what = Answer(
        status=answer.status_code, text=lines[-1][:300] if lines else "", headers=answer.headers
    )
    return translate(FOLDER, "Ray", what, (settings.token(),))
