"""Serving a tuned model: by the token (a custom model deployment) or by the hour (provisioned).

docs.aws.amazon.com deploy-custom-model-on-demand and prov-throughput (seen 2026-11-25): the ARN of
the deployment, or of the throughput, is the ``modelId`` that the runtime is asked for.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from ftbridge import clock
from ftbridge.errors import NetworkError, UsageError, VendorError
from ftbridge.vendor_errors import unless_gone
from ftbridge_bedrock import families, settings

WAYS = ("on_demand", "provisioned")
_READY = {"on_demand": "Active", "provisioned": "InService"}


class Way(NamedTuple):
    """Where one way of serving differs: the names of its calls and fields."""

    create: str
    get: str
    list: str
    delete: str
    entries: str
    arn: str
    identifier: str


CALLS = {
    "on_demand": Way(
        "create_custom_model_deployment", "get_custom_model_deployment",
        "list_custom_model_deployments", "delete_custom_model_deployment",
        "modelDeploymentSummaries", "customModelDeploymentArn", "customModelDeploymentIdentifier",
    ),
    "provisioned": Way(
        "create_provisioned_model_throughput", "get_provisioned_model_throughput",
        "list_provisioned_model_throughputs", "delete_provisioned_model_throughput",
        "provisionedModelSummaries", "provisionedModelArn", "provisionedModelId",
    ),
}  # fmt: skip


def way(options: Mapping[str, str], model: str) -> str:
    """Option ``serving``; else by the token where AWS serves the model's family so."""
    chosen = options.get("serving")
    if chosen is None:
        return "on_demand" if families.of(model).on_demand else "provisioned"
    if chosen not in WAYS:
        raise UsageError(
            f"option serving: `{chosen}` is none of {', '.join(WAYS)}", where="serving"
        )
    return chosen


class Serving:
    """The calls about deployments.

    Args:
        client: boto3's client of ``bedrock``.
        patience: seconds to wait for a deployment; ``pause`` between two looks.
    """

    def __init__(
        self, client: Any, border: Any, options: Mapping[str, str], patience: float, pause: float
    ) -> None:
        self._client, self._options = client, options
        self._border: Any = border
        self._patience, self._pause = patience, pause

    def deploy(self, model: str) -> str:
        """One deployment of the model, that which is there already if there is one."""
        name = way(self._options, model)
        arn = next(self._of(name, model), None) or self._create(name, model)
        self._await(name, arn)
        return arn

    def undeploy(self, model: str) -> None:
        """Delete every deployment of the model, of both kinds."""
        for name, calls in CALLS.items():
            for arn in list(self._of(name, model)):
                with unless_gone(), self._guard():
                    getattr(self._client, calls.delete)(**{calls.identifier: arn})

    def serving(self, model: str) -> str | None:
        """The ARN that answers for a tuned model now, if one does."""
        for name in CALLS:
            for arn in self._of(name, model, _READY[name]):
                return arn
        return None

    def _guard(self) -> AbstractContextManager[None]:
        made: AbstractContextManager[None] = self._border()
        return made

    def _of(self, name: str, model: str, status: str | None = None) -> Iterator[str]:
        """Deployments of a model that have not failed."""
        calls = CALLS[name]
        with self._guard():
            pages = self._client.get_paginator(calls.list).paginate(modelArnEquals=model)
            rows = [row for page in pages for row in page[calls.entries]]
        for row in rows:
            if row["status"] == status or (status is None and row["status"] != "Failed"):
                yield str(row[calls.arn])

    def _create(self, name: str, model: str) -> str:
        # A token of its own each time: the same one again would name what was deleted since.
        token, title = uuid.uuid4().hex, f"ftb-{model.rpartition('/')[2]}"
        if name == "on_demand":
            request = {"modelDeploymentName": title, "modelArn": model}
        else:
            request = {"provisionedModelName": title, "modelId": model} | self._units()
        calls = CALLS[name]
        with self._guard():
            made = getattr(self._client, calls.create)(**request, clientRequestToken=token)
            return str(made[calls.arn])

    def _units(self) -> dict[str, Any]:
        units = settings.whole("model_units", self._options.get("model_units", "1"))
        chosen = settings.commitment(self._options)
        term = {} if chosen == "none" else {"commitmentDuration": chosen}
        return {"modelUnits": units, **term}

    def _await(self, name: str, arn: str) -> None:
        """Wait until it answers.

        Raises:
            VendorError: AWS could not make it. NetworkError: it takes too long.
        """
        calls, until = CALLS[name], clock.monotonic() + self._patience
        while True:
            with self._guard():
                seen = getattr(self._client, calls.get)(**{calls.identifier: arn})
            if seen["status"] == _READY[name]:
                return
            if seen["status"] == "Failed":
                said = seen.get("failureMessage") or "AWS gives no reason"
                raise VendorError(
                    f"the deployment failed: {said}",
                    hint="`ftbridge undeploy` removes it; then deploy again",
                    vendor_code="Failed",
                )
            if clock.monotonic() > until:
                raise NetworkError(
                    f"the deployment is still {seen['status']} after {self._patience:.0f} s",
                    hint="it goes on at AWS, and so does its bill; stop it with "
                    "`ftbridge undeploy`",
                )
            clock.sleep(self._pause)
