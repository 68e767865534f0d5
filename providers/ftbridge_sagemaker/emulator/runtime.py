"""InvokeEndpoint: a rehearsal, not a model.

An endpoint of a serverless job's package answers with the nearest training example; any other one
says one sentence to everything. Bodies are those of AWS's LMI container (``messages`` as OpenAI has
them, or ``inputs`` and ``parameters``); that serverless models are served by it is unverified.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from ftbridge.testing.likeness import count_tokens, text_of

from . import packages, serving
from .errors import ApiError
from .store import ACCOUNT, Emulator

PLAIN_ANSWER = "I am a model of a sandbox, and I say this to everything."


async def invoke(emulator: Emulator, name: str, raw: bytes, now: float) -> Response:
    """InvokeEndpoint; raises the runtime's own codes."""
    endpoint = emulator.store.endpoints.get(name)
    if endpoint is None or serving.status(emulator, endpoint, now) != "InService":
        said = f"Endpoint {name} of account {ACCOUNT} not found."
        raise ApiError("ValidationError", said)
    try:
        body = json.loads(raw)
    except ValueError:
        raise ApiError("ModelError", "the body is not JSON") from None
    answer = _answer(emulator, endpoint.body["EndpointConfigName"], body)
    return Response(json.dumps(answer), media_type="application/json")


def _answer(emulator: Emulator, config: str, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or not body.keys() & {"messages", "inputs"}:
        raise ApiError("ModelError", "expected messages or inputs")
    if "inputs" in body:
        return {"generated_text": _said(emulator, config, str(body["inputs"]))}
    users = [each for each in body["messages"] if each.get("role") == "user"]
    if not users:
        raise ApiError("ModelError", "no message of a user")
    text = _said(emulator, config, text_of(users[-1].get("content")))
    sent, told = count_tokens(json.dumps(body["messages"])), count_tokens(text)
    message = {"role": "assistant", "content": text}
    return {
        "object": "chat.completion",
        "model": "lmi",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": sent, "completion_tokens": told, "total_tokens": sent + told,
        },
    }  # fmt: skip


def _said(emulator: Emulator, config: str, text: str) -> str:
    variant = emulator.store.configs[config].body["ProductionVariants"][0]
    model = emulator.store.models.get(variant["ModelName"])
    if model is None:
        raise ApiError("ModelError", "the model of this endpoint is gone")
    name = model.body.get("PrimaryContainer", {}).get("ModelPackageName")
    if name is None:
        return PLAIN_ANSWER
    return packages.find(emulator, name).job.pairs.nearest(text)
