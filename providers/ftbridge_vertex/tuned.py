"""Deleting a tuned Gemini: its endpoints are emptied and deleted, then the model itself.

A job deploys each checkpoint on an endpoint of its own. Routes: the messages of
google-cloud-aiplatform 2.7.0 (``EndpointService``, ``ModelService``), read 2026-11-25; google-genai
has no method for them.
"""

from __future__ import annotations

from typing import Any

from ftbridge import clock
from ftbridge.errors import VendorError
from ftbridge.vendor_errors import unless_gone
from ftbridge_vertex.access import Access
from ftbridge_vertex.failures import translated


def delete(access: Access, endpoint: str, patience: float) -> None:
    """Delete the model behind an endpoint, with all its endpoints.

    Where an earlier try got half way, the rest is found by what is left.
    """
    with unless_gone():
        shown = access.rest("GET", endpoint)
        models = {row["model"].partition("@")[0] for row in shown.get("deployedModels", [])}
        for model in sorted(models):
            _delete_model(access, model, patience)
        _empty(access, endpoint, patience)


def _delete_model(access: Access, model: str, patience: float) -> None:
    with unless_gone():
        rows = access.rest("GET", model).get("deployedModels", [])
        for endpoint in sorted({row["endpoint"] for row in rows}):
            _empty(access, endpoint, patience)
        _wait(access, access.rest("DELETE", model), patience)


def _empty(access: Access, endpoint: str, patience: float) -> None:
    """Undeploy what an endpoint holds, and delete it."""
    with unless_gone():
        for row in access.rest("GET", endpoint).get("deployedModels", []):
            body = {"deployedModelId": row["id"]}
            _wait(access, access.rest("POST", f"{endpoint}:undeployModel", body), patience)
        _wait(access, access.rest("DELETE", endpoint), patience)


def _wait(access: Access, operation: dict[str, Any], patience: float) -> None:
    """Ask for a long-running operation until it is done."""
    until = clock.monotonic() + patience
    pause = 0.05
    while not operation.get("done"):
        if clock.monotonic() > until:
            raise VendorError(
                f"{operation.get('name')} did not end within {patience:.0f} s",
                hint="ask again: what is gone already is left out",
                vendor_code="not_done",
            )
        clock.sleep(pause)
        pause = min(2.0, pause * 2)
        with translated():  # an answer without a name is none of the vendor's
            name = str(operation["name"])
        operation = access.rest("GET", name)
    if error := operation.get("error"):
        raise VendorError(
            f"Vertex AI could not do it: {error.get('message', 'no reason given')}",
            hint="see the message",
            vendor_code=str(error.get("code", "")),
        )
