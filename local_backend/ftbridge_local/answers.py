"""Answers from models on this machine. One model is kept in memory, since loading costs seconds."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ftbridge.errors import UsageError
from ftbridge.provider import ChatReply, ChatRequest
from ftbridge_local import models
from ftbridge_local.failures import quiet, translated

_lock = threading.Lock()
_kept: dict[tuple[str, str | None], Any] = {}


def chat_many(
    cache: Path,
    model: str,
    requests: Sequence[ChatRequest],
    on_reply: Callable[[int, ChatReply], None],
) -> None:
    """Answer all; prompts with equal settings run together."""
    groups: dict[Any, list[int]] = {}
    for index, request in enumerate(requests):
        tools = json.dumps(request.tools) if request.tools else ""
        settings = (tools, request.max_tokens, request.temperature, request.seed)
        groups.setdefault(settings, []).append(index)
    with _lock, translated(), quiet():
        generator = _generator(cache, model)
        for indices in groups.values():
            first = requests[indices[0]]
            answers = generator.generate(
                [[dict(m) for m in requests[index].messages] for index in indices],
                tools=[dict(tool) for tool in first.tools] if first.tools else None,
                max_new_tokens=first.max_tokens,
                temperature=first.temperature,
                seed=first.seed,
            )
            for index, answer in zip(indices, answers, strict=True):
                on_reply(index, _reply(answer))


def log_likelihoods(
    cache: Path, model: str, requests: Sequence[ChatRequest], texts: Sequence[str]
) -> list[float]:
    """The mean log-likelihood of each given answer, in nats a token."""
    with _lock, translated(), quiet():
        from ftbridge_trainer.likelihood import mean_log_likelihood

        generator = _generator(cache, model)
        return [
            mean_log_likelihood(
                generator,
                [dict(message) for message in request.messages],
                text,
                [dict(tool) for tool in request.tools] if request.tools else None,
            )
            for request, text in zip(requests, texts, strict=True)
        ]


def stream(cache: Path, model: str, request: ChatRequest) -> Iterator[str]:
    """One answer in pieces."""
    with _lock, translated(), quiet():
        yield from _generator(cache, model).chat_stream(
            [dict(message) for message in request.messages],
            max_new_tokens=request.max_tokens,
            temperature=request.temperature,
        )


def _reply(answer: Any) -> ChatReply:
    return ChatReply(
        text=answer.text,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        finish_reason=answer.finish_reason,
        seconds=answer.seconds,
    )


def _generator(cache: Path, model: str) -> Any:
    base, adapter = _parts(cache, model)
    key = (str(base), str(adapter) if adapter else None)
    if key not in _kept:
        from ftbridge_trainer.generate import Generator

        _kept.clear()
        _kept[key] = Generator(base, adapter)
    return _kept[key]


def _parts(cache: Path, model: str) -> tuple[Path, Path | None]:
    """The base model's folder and, where ``model`` is an adapter, the adapter's."""
    path = Path(model).expanduser()
    config = path / "adapter_config.json"
    if not config.is_file():
        return models.require(model, cache), None
    base = json.loads(config.read_text("utf-8")).get("base_model_name_or_path")
    if not base:
        raise UsageError(f"{config} names no base model", hint="use an adapter made by ftbridge")
    return models.require(base, cache), path
