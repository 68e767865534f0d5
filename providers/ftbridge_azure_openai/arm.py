"""Deploying through Azure Resource Manager: the data plane and its key cannot do it.

Source: learn.microsoft.com how-to fine-tuning-deploy (read 2026-11-24): PUT of a deployment with
a ``sku`` and the tuned model's name, control plane api-version 2024-10-01. Not run against Azure.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ftbridge.dialects.azure_arm import SCOPE, URL, token_provider
from ftbridge.errors import NetworkError, UsageError, VendorError
from ftbridge_azure_openai.failures import require_done

if TYPE_CHECKING:
    import httpx

API_VERSION = "2024-10-01"
SKUS = {"standard": "standard", "global": "globalstandard", "developer": "developertier"}
"""Our words for a deployment's type, and Azure's. Provisioned throughput is not offered here."""


def deployment_name(model: str) -> str:
    """The name under which a tuned model is deployed and asked: 2 to 64 of letters, digits, -, _.

    Made of the model's name alone, so that whoever has the job can ask its model.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "-", model)
    return name if len(name) <= 64 else name[:31] + "-" + name[-32:]


class Manager:
    """The deployments of one account."""

    def __init__(self, options: Mapping[str, str], endpoint_host: str, timeout: float) -> None:
        self._options = options
        self._timeout = timeout
        self._account = options.get("resource") or endpoint_host.split(".")[0]

    def deploy(self, model: str, sku: str, capacity: int, wait: float, pause: float) -> str:
        """Create the deployment and wait until it answers, for ``wait`` seconds at most."""
        name = deployment_name(model)
        body = {
            "sku": {"name": SKUS[sku], "capacity": capacity},
            "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
        }
        try:
            self._call(lambda client, url: client.put(url, json=body), name)
        except VendorError as error:
            if error.status != 409:  # an earlier request for the same is still being carried out
                raise
        until = time.monotonic() + wait
        while True:
            found = self._call(lambda client, url: client.get(url), name).json()
            state = str(found.get("properties", {}).get("provisioningState"))
            if state == "Succeeded":
                return name
            if state in ("Failed", "Canceled"):
                raise VendorError(
                    f"Azure could not deploy {model}: {state}",
                    hint="see the deployment in the portal, then `ftbridge undeploy`",
                    vendor_code=state,
                )
            if time.monotonic() > until:
                raise NetworkError(
                    f"the deployment {name} is still {state} after {wait:.0f} s",
                    hint="it goes on at Azure, and its hourly charge with it",
                )
            time.sleep(pause)

    def undeploy(self, model: str) -> None:
        """Delete the deployment; one that is gone already is what was wanted."""
        try:
            self._call(lambda client, url: client.delete(url), deployment_name(model))
        except VendorError as error:
            if error.status != 404:
                raise

    def _call(self, act: Callable[[httpx.Client, str], httpx.Response], name: str) -> Any:
        import httpx

        headers = {"Authorization": f"Bearer {self._token()}"}
        query = {"api-version": API_VERSION}
        try:
            with httpx.Client(headers=headers, params=query, timeout=self._timeout) as client:
                response = act(client, f"{self._scope()}/{name}")
        except httpx.HTTPError as error:
            raise NetworkError(
                f"Azure Resource Manager did not answer ({type(error).__name__})",
                hint="check the network; option arm_url says where it is",
            ) from None
        require_done(response)
        return response

    def _scope(self) -> str:
        where = {
            "subscription": os.environ.get("AZURE_SUBSCRIPTION_ID"),
            "resource_group": os.environ.get("AZURE_RESOURCE_GROUP"),
        }
        values = {name: self._options.get(name) or value for name, value in where.items()}
        for name, value in values.items():
            if not value:
                raise UsageError(
                    f"a deployment needs the option {name}",
                    hint="set AZURE_SUBSCRIPTION_ID and AZURE_RESOURCE_GROUP, or give --option",
                    where=name,
                )
        root = (self._options.get("arm_url") or URL).rstrip("/")
        return (
            f"{root}/subscriptions/{values['subscription']}/resourceGroups/"
            f"{values['resource_group']}/providers/Microsoft.CognitiveServices/accounts/"
            f"{self._account}/deployments"
        )

    def _token(self) -> str:
        given = os.environ.get("AZURE_MANAGEMENT_TOKEN")
        return given or token_provider(SCOPE)()
