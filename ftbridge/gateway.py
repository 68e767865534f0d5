"""A model behind OpenAI's chat endpoint, so that any program that speaks it can ask the model.

``POST /v1/chat/completions`` (whole or as a stream of server-sent events) and ``GET /v1/models``,
in the shapes of OpenAI's OpenAPI document as the SDK openai 3.57.0 reads them (2026-11-25). What
the request cannot have here is an error, never ignored in silence.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ftbridge import clock
from ftbridge.errors import CredentialsError, DataError, FtbridgeError, NetworkError, UsageError
from ftbridge.job import Model
from ftbridge.provider import ChatReply, ChatRequest

MAX_BODY_BYTES = 16 * 1024 * 1024


class _Options(BaseModel):
    model_config = ConfigDict(extra="ignore")
    include_usage: bool = False


class _Asked(BaseModel):
    """What of a request is understood. Settings that change an answer and are not here (such as
    ``top_p`` or ``response_format``) are refused; those that do not (``user``) are taken."""

    model_config = ConfigDict(extra="forbid")

    model: str
    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]
    tools: list[dict[str, Any]] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    seed: int | None = None
    stream: bool = False
    stream_options: _Options | None = None
    n: Literal[1] = 1
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: Literal[False] = False

    def request(self) -> ChatRequest:
        """The prompt in our shape; greedy unless a temperature is asked for."""
        return ChatRequest(
            self.messages,
            tools=self.tools or None,
            max_tokens=self.max_completion_tokens or self.max_tokens or 512,
            temperature=self.temperature or 0.0,
            seed=self.seed,
        )


def application(name: str, model: Model, key: str | None = None) -> Starlette:
    """An ASGI application that answers for one model.

    Args:
        name: what the model is called in requests and answers.
        key: what a client must send as ``Authorization: Bearer KEY``; None asks for nothing.
    """
    gateway = _Gateway(name, model, key)
    routes = [
        Route("/v1/chat/completions", gateway.guarded(gateway.chat), methods=["POST"]),
        Route("/v1/models", gateway.guarded(gateway.models), methods=["GET"]),
        Route("/health", lambda _: JSONResponse({"status": "ok"}), methods=["GET"]),
    ]
    return Starlette(routes=routes)


Endpoint = Callable[[Request], Awaitable[Response]]


class _Gateway:
    def __init__(self, name: str, model: Model, key: str | None) -> None:
        self._name, self._model, self._key = name, model, key
        self._since = int(clock.now().timestamp())

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint behind the key, its errors in OpenAI's shape."""

        async def answer(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if self._key and not hmac.compare_digest(given, f"Bearer {self._key}"):
                return _error(401, "invalid_api_key", "the key is missing or wrong")
            try:
                return await endpoint(request)
            except FtbridgeError as error:
                return _error(_status(error), error.code, _said(error))

        return answer

    async def models(self, _: Request) -> Response:
        """The one model."""
        row = {"id": self._name, "object": "model", "created": self._since, "owned_by": "ftbridge"}
        return JSONResponse({"object": "list", "data": [row]})

    async def chat(self, request: Request) -> Response:
        """An answer, whole or in pieces."""
        asked = _read(await _body(request))
        if asked.model != self._name:
            message = f"there is no model `{asked.model}` here; ask for `{self._name}`"
            return _error(404, "model_not_found", message)
        place, name = self._model.provider, self._model.name
        if asked.stream and not asked.tools:
            pieces = place.chat_stream(name, asked.request())
            first = await run_in_threadpool(next, pieces, None)  # so that a failure has a status
            return _stream(self._events(first, pieces))
        reply = await run_in_threadpool(place.chat, name, asked.request())
        # Calls are known only when the answer is complete: they come in one piece.
        return _stream(self._at_once(reply)) if asked.stream else JSONResponse(self._whole(reply))

    def _head(self, kind: str) -> dict[str, Any]:
        created = int(clock.now().timestamp())
        ident = f"chatcmpl-{secrets.token_hex(12)}"
        return {"id": ident, "object": kind, "created": created, "model": self._name}

    def _whole(self, reply: ChatReply) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
        if reply.tool_calls:
            message |= {"tool_calls": list(reply.tool_calls), "content": reply.text or None}
        finish = "tool_calls" if reply.tool_calls else reply.finish_reason
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        total = reply.prompt_tokens + reply.completion_tokens
        return self._head("chat.completion") | {
            "choices": [choice],
            "usage": {
                "prompt_tokens": reply.prompt_tokens,
                "completion_tokens": reply.completion_tokens,
                "total_tokens": total,
            },
        }

    def _events(self, first: str | None, rest: Iterator[str]) -> Iterator[str]:
        event = self._chunks()
        yield event({"role": "assistant", "content": first or ""})
        try:
            for piece in rest:
                yield event({"content": piece})
        except FtbridgeError as error:  # the status is sent: the client learns it from the stream
            yield f"data: {json.dumps({'error': _shape(error.code, _said(error))})}\n\n"
            return
        yield event({}, "stop")
        yield "data: [DONE]\n\n"

    def _at_once(self, reply: ChatReply) -> Iterator[str]:
        event = self._chunks()
        calls = [{"index": i, **call} for i, call in enumerate(reply.tool_calls)]
        said = {"content": reply.text} if reply.text or not calls else {}
        yield event({"role": "assistant", **said} | ({"tool_calls": calls} if calls else {}))
        yield event({}, "tool_calls" if calls else reply.finish_reason)
        yield "data: [DONE]\n\n"

    def _chunks(self) -> Callable[..., str]:
        head = self._head("chat.completion.chunk")

        def event(delta: dict[str, Any], finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
            return f"data: {json.dumps(head | {'choices': [choice]}, ensure_ascii=False)}\n\n"

        return event


def _stream(events: Iterator[str]) -> StreamingResponse:
    return StreamingResponse(events, media_type="text/event-stream")


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise DataError(f"the request is longer than {MAX_BODY_BYTES} bytes")
    return body


def _read(body: bytes) -> _Asked:
    try:
        return _Asked.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "the body"
        said = "is not supported here" if fault["type"] == "extra_forbidden" else fault["msg"]
        raise UsageError(f"{where}: {said}", where=where) from None


def _status(error: FtbridgeError) -> int:
    if isinstance(error, UsageError | DataError):
        return 400
    if isinstance(error, CredentialsError | NetworkError):
        return 502
    return 500


def _said(error: FtbridgeError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _shape(code: str, message: str) -> dict[str, Any]:
    kind = "invalid_request_error" if code in ("usage", "bad_data") else "api_error"
    return {"message": message, "type": kind, "param": None, "code": code}


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": _shape(code, message)}, status_code=status)
