"""Deployments (rented GPUs) and the LoRA add-ons loaded into them.

docs.fireworks.ai/fine-tuning/deploying-loras (read 2026-11-25): a tuned LoRA is deployed by itself
(live merge, recommended for one model), or loaded into a deployment of its base that was made with
add-ons enabled (multi-LoRA), and is then asked as ``MODEL#DEPLOYMENT``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ftbridge import clock
from ftbridge.dialects.openai import chat_body
from ftbridge.errors import NetworkError, VendorError
from ftbridge.provider import ChatReply, ChatRequest
from ftbridge.vendor_errors import unless_gone
from ftbridge_fireworks.failures import translated
from ftbridge_fireworks.wire import short

if TYPE_CHECKING:
    from fireworks import Fireworks

_LEAVING = ("DELETING", "DELETED", "UNDEPLOYING")


class Waiting:
    """How long to wait for something to be up, and how often to look (seconds)."""

    def __init__(self, patience: float, pause: float) -> None:
        self._patience, self._pause = patience, pause

    def until(self, ready: str, what: str, look: Callable[[], Any]) -> None:
        """Look until the state is ``ready``.

        Raises:
            VendorError: where it failed or is going away; NetworkError where it takes too long.
        """
        deadline = clock.monotonic() + self._patience
        while True:
            with translated():
                found = look()
                raw, status = str(found.state), found.status
            if raw == ready:
                return
            if raw == "FAILED" or raw in _LEAVING:
                said = f": {status.message}" if status and status.message else ""
                raise VendorError(
                    f"{what} is {raw} at Fireworks{said}",
                    hint="`ftbridge undeploy`, wait a minute, then deploy again",
                    vendor_code=raw,
                )
            if clock.monotonic() > deadline:
                raise NetworkError(
                    f"{what} is still {raw} after {self._patience:.0f} s",
                    hint="it goes on at Fireworks, and so does its bill; stop it with "
                    "`ftbridge undeploy`",
                )
            clock.sleep(self._pause)


def deploy_merged(client: Fireworks, model: str, shape: str, waiting: Waiting) -> str:
    """A deployment of the tuned model alone, named after it; one that is there is waited for."""
    wanted = short(model)
    with _unless_taken(), translated():
        client.deployments.create(
            base_model=model, deployment_id=wanted, deployment_shape=shape, max_replica_count=1
        )
    waiting.until("READY", f"the deployment {wanted}", lambda: client.deployments.get(wanted))
    return model


def undeploy_merged(client: Fireworks, model: str) -> None:
    """Delete that deployment whether or not it is in use, so that its bill ends, and free its
    name, so that the model can be deployed again."""
    with unless_gone(), translated():
        client.deployments.delete(short(model), hard=True, ignore_checks=True)


def load(client: Fireworks, model: str, deployment: str, waiting: Waiting) -> str:
    """Load the add-on into a deployment that is up already; the name to ask for."""
    addons: list[str] = []
    with _unless_taken(), translated():
        addons.append(short(str(client.lora.load(model=model, deployment=deployment).name)))
    addons = addons or _loaded(client, model, deployment)
    if not addons:
        raise VendorError(
            f"Fireworks does not show {model} on {deployment}",
            hint="look there, then deploy again",
            vendor_code="not_listed",
        )
    waiting.until("DEPLOYED", f"{model} on {deployment}", lambda: client.lora.get(addons[0]))
    return f"{model}#{deployment}"


def unload(client: Fireworks, model: str, deployment: str) -> None:
    """Unload the add-on; the deployment, and its bill, go on."""
    for addon in _loaded(client, model, deployment):
        with unless_gone(), translated():
            client.lora.unload(addon)


def ask(client: Fireworks, model: str, request: ChatRequest) -> ChatReply:
    """POST /v1/chat/completions of a client whose address is that of inference."""
    began = clock.monotonic()
    with translated():
        made: Any = client.chat.completions.create(**chat_body(model, request))
        choice, usage = made.choices[0], made.usage
        return ChatReply(
            text=choice.message.content or "",
            tool_calls=tuple(call.to_dict() for call in choice.message.tool_calls or ()),
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=(usage.completion_tokens or 0) if usage else 0,
            finish_reason=choice.finish_reason or "stop",
            seconds=clock.monotonic() - began,
        )


def _loaded(client: Fireworks, model: str, deployment: str) -> list[str]:
    with translated():
        return [
            short(str(found.name))
            for found in client.lora.list(page_size=200)
            if (found.model, found.deployment) == (model, deployment)
        ]


@contextmanager
def _unless_taken() -> Iterator[None]:
    """For a create under a name of ours: a 409 says that it is there already."""
    try:
        yield
    except VendorError as error:
        if error.status != 409:
            raise
