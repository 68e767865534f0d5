"""Azure ML's control plane by httpx: what a client of six calls needs, and no more.

Microsoft's own package for it, azure-ai-ml 1.35.2, is not used: the README says why. Paths and
bodies are those of its REST client, api-version 2025-12-01 (read 2026-11-25).
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ftbridge.dialects import azure_arm
from ftbridge_azure_ml import failures, settings
from ftbridge_azure_ml.settings import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

VERSION = "2025-12-01"


class Client:
    """One workspace, for any number of threads; no call is repeated here."""

    def __init__(self, root: str, workspace: Workspace, seconds: float) -> None:
        """``root`` is ARM's address; ``seconds`` what one call may take."""
        self.workspace = workspace
        self.hidden: set[str] = set()
        """Secrets that the workspace has handed out; no message shows them."""
        self._root, self._seconds = root.rstrip("/"), seconds

    def get(self, path: str) -> dict[str, Any]:
        """What lies at a path below the workspace."""
        found = self._call("GET", path)
        return dict(found or {})

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create, or leave as it is."""
        made = self._call("PUT", path, body)
        return dict(made or {})

    def post(self, path: str) -> dict[str, Any]:
        """Do what a path's last word says."""
        done = self._call("POST", path)
        return dict(done or {})

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token()}"}
        url = f"{self._root}{self.workspace.path}{path}"
        query = {"api-version": VERSION}
        with failures.connected():
            response = self._http.request(method, url, params=query, json=body, headers=headers)
        return failures.read(response, self.hidden)

    def token(self) -> str:
        """``AZURE_ML_TOKEN``, else one of Entra's."""
        return os.environ.get(settings.TOKEN) or self._provider()

    @cached_property
    def _provider(self) -> Callable[[], str]:
        return azure_arm.token_provider(azure_arm.SCOPE)

    @cached_property
    def _http(self) -> httpx.Client:
        import httpx

        made = httpx.Client(timeout=self._seconds)
        weakref.finalize(self, made.close)
        return made
