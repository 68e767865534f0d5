"""Google's clients for one project and location: tuning and chat, storage, plain REST.

Credentials: an access token in ``GOOGLE_OAUTH_ACCESS_TOKEN`` if there is one (it lives an hour),
else Application Default Credentials. None of them is ever an option.
"""

from __future__ import annotations

import os
import warnings
import weakref
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.errors import CredentialsError
from ftbridge.policy.transport import require_encrypted
from ftbridge_vertex.failures import LOG_IN, said, translated
from ftbridge_vertex.settings import STORAGE_URL, TOKEN

if TYPE_CHECKING:
    from google import genai
    from google.auth.transport.requests import AuthorizedSession
    from google.cloud import storage

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
VERSION = "v1beta1"
"""The SDK's default, and the only version that has reinforcement (seen 2026-11-25)."""


def require_credentials() -> None:
    """Raise CredentialsError where Google's own search could find nothing, without a connection:
    it would ask a metadata server, which is there on Google's machines alone."""
    named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if os.environ.get(TOKEN) or (named and Path(named).is_file()):
        return
    if named:
        raise CredentialsError(
            "GOOGLE_APPLICATION_CREDENTIALS names no file", hint=LOG_IN,
            where="GOOGLE_APPLICATION_CREDENTIALS",
        )  # fmt: skip
    folder = os.environ.get("CLOUDSDK_CONFIG") or Path.home() / ".config" / "gcloud"
    if (Path(folder) / "application_default_credentials.json").is_file() or _at_google():
        return
    raise CredentialsError("no Google credentials", hint=LOG_IN, where=TOKEN)


def _at_google() -> bool:
    """Whether this is one of Google's machines, by the name that its firmware gives."""
    try:
        return "Google" in Path("/sys/class/dmi/id/product_name").read_text("ascii", "replace")
    except OSError:
        return "K_SERVICE" in os.environ  # Cloud Run shows no firmware


class Access:
    """The clients, made when they are first needed. Their own retries are off: the core's policy
    is the only one, and a create must not be repeated unseen."""

    def __init__(self, project: str, location: str, url: str, storage: str, timeout: float) -> None:
        require_encrypted("vertex", [url, storage])
        self.project, self.location, self.timeout = project, location, timeout
        self._url, self._storage_url = url.rstrip("/"), storage.rstrip("/")

    @cached_property
    def credentials(self) -> Any:
        """Google's credentials, not yet tried."""
        token = os.environ.get(TOKEN)
        require_credentials()
        with translated():
            if token:
                from google.oauth2.credentials import Credentials

                return Credentials(token)  # type: ignore[no-untyped-call]
            import google.auth

            found, _ = google.auth.default(scopes=[SCOPE], quota_project_id=self.project)
            return found

    @cached_property
    def genai(self) -> genai.Client:
        """The client for tuning and chat."""
        from google import genai
        from google.genai import types

        _hush()
        options = types.HttpOptions(
            base_url=self._url,
            api_version=VERSION,
            timeout=max(1, int(self.timeout * 1000)),
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        made = genai.Client(
            vertexai=True, project=self.project, location=self.location,
            credentials=self.credentials, http_options=options,
        )  # fmt: skip
        weakref.finalize(self, made.close)  # or its sockets stay open until the process ends
        return made

    @cached_property
    def storage(self) -> storage.Client:
        """The client for Cloud Storage."""
        from google.cloud import storage

        # For its traces, the client would read each bucket in a thread of its own: a request that
        # nobody asked for, with a permission that is not needed otherwise.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        own = self._storage_url == STORAGE_URL
        made = storage.Client(
            project=self.project, credentials=self.credentials,
            client_options=None if own else {"api_endpoint": self._storage_url},
        )  # fmt: skip
        weakref.finalize(self, made.close)
        return made

    @cached_property
    def _session(self) -> AuthorizedSession:
        from google.auth.transport.requests import AuthorizedSession

        made = AuthorizedSession(self.credentials, max_refresh_attempts=0)  # type: ignore[no-untyped-call]
        weakref.finalize(self, made.close)
        return made

    def rest(self, method: str, name: str, body: Any = None) -> dict[str, Any]:
        """A call of what google-genai has no method for: models, endpoints, operations.

        Args:
            name: a resource name, with ``:verb`` where there is one.
        """
        url = f"{self._url}/{VERSION}/{name}"
        with translated():
            answer = self._session.request(  # type: ignore[no-untyped-call]
                method, url, json=body, timeout=self.timeout
            )
            if answer.ok:
                found: dict[str, Any] = dict(answer.json())
                return found
        told = _error(answer)
        raise said(answer.status_code, told.get("status"), told.get("message"), answer.headers)


def _error(answer: Any) -> dict[str, Any]:
    """The ``error`` of an answer; empty where it has none (a proxy's page)."""
    try:
        found = answer.json()["error"]
    except (ValueError, LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _hush() -> None:
    """Two warnings of the SDK say nothing here: that tuning is experimental, and that an enum has
    an unknown word (our table of states looks for those itself)."""
    from google.genai._common import ExperimentalWarning

    warnings.filterwarnings("ignore", category=ExperimentalWarning, module="ftbridge_vertex")
    warnings.filterwarnings("ignore", ".* is not a valid ", UserWarning, r"google\.genai")
