"""One emulated Azure ML workspace, plain HTTP to it, and its clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from ftbridge_azure_ml.emulator import (
    CONTAINER,
    DATASTORE,
    GROUP,
    STORAGE,
    SUBSCRIPTION,
    TOKEN,
    WORKSPACE,
    Store,
)

SCOPE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
)
VERSION = "2025-12-01"
IMAGE = f"{SCOPE}/environments/ftbridge/versions/1"
PATIENCE = 200


def address(path: str) -> str:
    """A place in the workspace's datastore."""
    return f"azureml://datastores/{DATASTORE}/paths/{path}"


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@dataclass
class World:
    """One emulated workspace."""

    app: Starlette
    url: str
    http: httpx.Client

    @property
    def store(self) -> Store:
        store = self.app.state.store
        assert isinstance(store, Store)
        return store

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        """A call of the control plane, below the workspace."""
        return self.http.request(
            method,
            f"{self.url}{SCOPE}{path}",
            params={"api-version": VERSION} | query,
            json=body,
            headers={"Authorization": f"Bearer {TOKEN}"},
        )

    def blob(self, method: str, name: str, content: bytes = b"", **headers: str) -> httpx.Response:
        """A call of the blob service, below the container; ``name`` may bring a query."""
        return self.http.request(
            method,
            f"{self.url}/{STORAGE}/{CONTAINER}/{name}",
            content=content,
            headers={"Authorization": f"Bearer {TOKEN}", "x-ms-version": "2024-11-04"}
            | {key.replace("_", "-"): value for key, value in headers.items()},
        )

    def blobs(self, query: str) -> str:
        """A call of the container itself."""
        header = {"Authorization": f"Bearer {TOKEN}", "x-ms-version": "2024-11-04"}
        return self.http.get(f"{self.url}/{STORAGE}/{CONTAINER}?{query}", headers=header).text

    def put_blob(self, name: str, content: bytes) -> None:
        answer = self.blob("PUT", name, content, x_ms_blob_type="BlockBlob")
        assert answer.status_code == 201

    def job(self, name: str = "job-1", **changes: Any) -> httpx.Response:
        """Put a job; its environment is made on the way."""
        image = {"properties": {"image": "python:3.11"}}
        self.ask("PUT", "/environments/ftbridge/versions/1", image)
        properties = {
            "jobType": "Command",
            "command": "echo hello",
            "environmentId": IMAGE,
            "computeId": f"{SCOPE}/computes/gpu",
        } | changes
        return self.ask("PUT", f"/jobs/{name}", {"properties": properties})

    def status(self, name: str = "job-1") -> str:
        return str(self.ask("GET", f"/jobs/{name}").json()["properties"]["status"])

    def ended(self, name: str = "job-1") -> str:
        """The status that a job ends in."""
        until(lambda: self.status(name) in ("Completed", "Failed", "Canceled"))
        return self.status(name)

    def log(self, name: str = "job-1") -> str:
        run = self.store.jobs[name].run
        assert run is not None
        return run.log.read_text()
