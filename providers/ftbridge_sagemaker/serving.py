"""A tuned model behind an endpoint: model, endpoint configuration and endpoint, all of one name.

Source: the service models sagemaker/2017-07-24 and sagemaker-runtime/2017-05-13 (botocore 1.43.117,
seen 2026-11-25). Unverified: that a serverless job's package is served as it is, by AWS's LMI
container, which speaks OpenAI's chat shape (docs.djl.ai).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ftbridge import clock
from ftbridge.dialects import aws
from ftbridge.errors import NetworkError, VendorError
from ftbridge.provider import ChatReply, ChatRequest
from ftbridge_sagemaker import settings

INSTANCE = "ml.g5.12xlarge"
"""What an endpoint runs on unless option ``instance`` says otherwise."""
DEPLOY_SECONDS = 1800.0


def name_of(package: str) -> str:
    """The endpoint's name: it follows from the package, so that one model has one endpoint."""
    tail = package.partition(":model-package/")[2].replace("/", "-") or package
    return f"ftb-{tail}"[:63].rstrip("-")


class Serving:
    """The calls about endpoints.

    Args:
        clients: boto3's clients by service. border: turns botocore's exceptions into ours.
        unless_absent: the answer of a describe, None where nothing has that name.
        patience: seconds to wait for an endpoint in all, and between two looks.
    """

    def __init__(
        self,
        clients: Any,
        border: Callable[[], AbstractContextManager[None]],
        unless_absent: Callable[[Callable[[], Any]], Any],
        options: Mapping[str, str],
        patience: tuple[float, float],
    ) -> None:
        self._clients, self._border, self._unless_absent = clients, border, unless_absent
        self._options = options
        self._patience, self._pause = patience

    def deploy(self, package: str) -> str:
        """Make what is missing of the three, and wait until the endpoint answers."""
        name = name_of(package)
        self._make("model", name, {
            "PrimaryContainer": {"ModelPackageName": package},
            "ExecutionRoleArn": settings.role(self._options),
        })  # fmt: skip
        variant = {
            "VariantName": "all",
            "ModelName": name,
            "InitialInstanceCount": 1,
            "InstanceType": self._options.get("instance", INSTANCE),
        }
        self._make("endpoint_config", name, {"ProductionVariants": [variant]})
        self._make("endpoint", name, {"EndpointConfigName": name})
        self._await(name)
        return name

    def undeploy(self, package: str) -> None:
        """Delete the endpoint, whose bill ends, and what it was made of."""
        name = name_of(package)
        for thing in ("endpoint", "endpoint_config", "model"):
            if self._seen(thing, name) is not None:
                with self._border():
                    getattr(self._clients["sagemaker"], f"delete_{thing}")(**_named(thing, name))

    def ask(self, name: str, request: ChatRequest) -> ChatReply:
        """InvokeEndpoint."""
        body: dict[str, Any] = {
            "messages": list(request.messages),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
        }
        if request.tools:
            body["tools"] = list(request.tools)
        if request.seed is not None:
            body["seed"] = request.seed
        began = clock.monotonic()
        with self._border():
            answer = self._clients["sagemaker-runtime"].invoke_endpoint(
                EndpointName=name, ContentType="application/json", Body=json.dumps(body)
            )
            told = json.loads(aws.whole(answer, "Body")["Body"].read())
        choice, usage = told["choices"][0], told.get("usage") or {}
        return ChatReply(
            text=choice["message"].get("content") or "",
            tool_calls=tuple(choice["message"].get("tool_calls") or ()),
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
            finish_reason=choice.get("finish_reason") or "stop",
            seconds=clock.monotonic() - began,
        )

    # -- private -----------------------------------------------------------------------------

    def _make(self, thing: str, name: str, body: Mapping[str, Any]) -> None:
        if self._seen(thing, name) is None:
            with self._border():
                call = getattr(self._clients["sagemaker"], f"create_{thing}")
                call(**_named(thing, name), **body)

    def _seen(self, thing: str, name: str) -> dict[str, Any] | None:
        def ask() -> Any:
            names = _named(thing, name)
            with self._border():
                describe = getattr(self._clients["sagemaker"], f"describe_{thing}")
                return aws.whole(describe(**names), *names)

        found: dict[str, Any] | None = self._unless_absent(ask)
        return found

    def _await(self, name: str) -> None:
        """Wait until it answers.

        Raises:
            VendorError: AWS could not make it. NetworkError: it takes too long.
        """
        until = clock.monotonic() + self._patience
        while True:
            seen = self._seen("endpoint", name) or {"EndpointStatus": "gone"}
            status = str(seen["EndpointStatus"])
            if status == "InService":
                return
            if status in ("Failed", "Deleting", "gone"):
                raise VendorError(
                    f"the endpoint {name} is {status}: "
                    f"{seen.get('FailureReason') or 'AWS gives no reason'}",
                    hint="`ftbridge undeploy` removes it; then deploy again",
                    vendor_code=status,
                )
            if clock.monotonic() > until:
                raise NetworkError(
                    f"the endpoint {name} is still {status} after {self._patience:.0f} s",
                    hint="it goes on at AWS, and so does its bill; stop it with "
                    "`ftbridge undeploy`",
                )
            clock.sleep(self._pause)


def _named(thing: str, name: str) -> dict[str, str]:
    """The argument that names a thing: ``ModelName``, ``EndpointConfigName``, ..."""
    words = "".join(word.capitalize() for word in thing.split("_"))
    return {f"{words}Name": name}
