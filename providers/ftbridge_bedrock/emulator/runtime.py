"""Converse and InvokeModel: a rehearsal, not a model.

A tuned model answers with the answer of the nearest training example, but only through an active
deployment or a throughput in service; bases and imported models say one sentence to everything.
Unverified: the codes for what is not ready yet (here ValidationException for a deployment,
ModelNotReadyException for a throughput), and that a custom model's own ARN is refused.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from ftbridge.testing.likeness import count_tokens

from . import foundation, imports, models, serving
from .bases import Base
from .errors import ApiError, invalid
from .store import Emulator, Job
from .surface import Asked

BASE_ANSWER = "I am the base model of a sandbox, and I say this to everything."
IMPORTED_ANSWER = "I am an imported model of a sandbox, and I say this to everything."
_PROFILES = ("us.", "eu.", "apac.", "global.")


def _served(emulator: Emulator, identifier: str, now: float) -> tuple[str, Job | None]:
    """Who answers: a family, and the tuned model if it is one; raises the vendor's refusal."""
    store = emulator.store
    if deployment := store.deployments.get(identifier):
        if serving.deployment_status(deployment, now, emulator) != "Active":
            raise invalid("The custom model deployment is not active")
        return _of(emulator, deployment.model_arn, now)
    if throughput := store.throughputs.get(identifier):
        if serving.throughput_status(throughput, now, emulator) != "InService":
            raise ApiError("ModelNotReadyException", "The provisioned model is not in service")
        return _of(emulator, throughput.model_arn, now)
    if imports.find(emulator, identifier, now):
        return "imported", None
    for profile in _PROFILES:
        identifier = identifier.removeprefix(profile)
    base = foundation.find(identifier, store.region)
    if base is None or base.types:
        raise invalid("The provided model identifier is invalid.")
    if foundation.ended(emulator, base, now):
        raise ApiError(
            "ResourceNotFoundException", "This model version has reached the end of its life."
        )
    return base.family, None


def _of(emulator: Emulator, model_arn: str, now: float) -> tuple[str, Job | None]:
    job = models.find(emulator, model_arn, now)
    base: Base | None = job.base if job else foundation.find(model_arn, emulator.store.region)
    assert base is not None  # a model in use cannot be deleted
    return base.family, job


def _answer(family: str, job: Job | None, text: str) -> str:
    if job is not None:
        return job.data.pairs.nearest(text)
    return IMPORTED_ANSWER if family == "imported" else BASE_ANSWER


def _cut(text: str, most: int | None) -> tuple[str, bool]:
    """As many words as tokens are allowed."""
    words = text.split(" ")
    return (text, False) if most is None or len(words) <= most else (" ".join(words[:most]), True)


def _last_user(messages: Any) -> str:
    """The text of the last turn of the user, in Nova's parts or as plain text."""
    if not isinstance(messages, list) or not messages:
        raise invalid("messages are missing")
    if not all(isinstance(each, dict) for each in messages) or messages[0].get("role") != "user":
        raise invalid("A conversation must start with a user message.")
    content = [each.get("content") for each in messages if each.get("role") == "user"][-1]
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(part["text"] for part in parts if isinstance(part, dict) and "text" in part)


async def converse(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """Converse: one shape for every family."""
    params = asked.params
    family, job = _served(emulator, params["modelId"], asked.now)
    text = _last_user(params.get("messages"))
    told, cut = _cut(_answer(family, job, text), params.get("inferenceConfig", {}).get("maxTokens"))
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": told}]}},
        "stopReason": "max_tokens" if cut else "end_turn",
        "usage": _usage(json.dumps(params["messages"]), told),
        "metrics": {"latencyMs": 1},
    }


def _usage(prompt: str, told: str) -> dict[str, int]:
    sent, said = count_tokens(prompt), count_tokens(told)
    return {"inputTokens": sent, "outputTokens": said, "totalTokens": sent + said}


async def invoke(emulator: Emulator, asked: Asked) -> Response:
    """InvokeModel: each family's own body."""
    family, job = _served(emulator, asked.params["modelId"], asked.now)
    try:
        body = json.loads(asked.params.get("body") or b"{}")
    except ValueError:
        raise invalid("Malformed input request: the body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("Malformed input request: the body is not a JSON object")
    prompted = family in ("llama", "imported", "titan")
    if prompted and not isinstance(body.get("prompt"), str):
        raise invalid("Malformed input request: required key [prompt] not found")
    text = body["prompt"] if prompted else _last_user(body.get("messages"))
    told = _answer(family, job, text)
    answer = _shaped(family, told, _usage(json.dumps(body), told))
    return Response(json.dumps(answer), media_type="application/json")


def _shaped(family: str, told: str, usage: dict[str, int]) -> dict[str, Any]:
    if family == "claude":
        return {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": told}],
            "stop_reason": "end_turn",
            "usage": {
                "input_tokens": usage["inputTokens"],
                "output_tokens": usage["outputTokens"],
            },
        }
    if family == "nova":
        message = {"role": "assistant", "content": [{"text": told}]}
        return {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
    return {
        "generation": told,
        "prompt_token_count": usage["inputTokens"],
        "generation_token_count": usage["outputTokens"],
        "stop_reason": "stop",
    }
