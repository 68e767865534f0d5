"""What can go wrong between a client and a vendor, one small class each.

They are given to :class:`ftbridge.testing.proxy.Injector`; anything that can be called with an
:class:`Exchange` will do.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class Answer:
    """An answer as it passes through."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Exchange(Protocol):
    """One request, and what a fault may do with it."""

    method: str
    path: str
    body: bytes

    def forward(self) -> Answer:
        """Deliver the request to the emulator."""
        ...

    def answer(self, answer: Answer, *, cut_at: int | None = None) -> None:
        """Send an answer to the client; with ``cut_at``, hang up after so many bytes."""
        ...

    def hang_up(self) -> None:
        """Close the connection without a word."""
        ...


class Fault(Protocol):
    """What happens instead of a plain exchange."""

    def __call__(self, exchange: Exchange) -> None:
        """Take the exchange to its end."""
        ...


@dataclass(frozen=True)
class Delay:
    """The answer comes late; the request was carried out at once."""

    seconds: float

    def __call__(self, exchange: Exchange) -> None:
        answer = exchange.forward()
        time.sleep(self.seconds)
        exchange.answer(answer)


@dataclass(frozen=True)
class DropBefore:
    """The connection is lost before the request arrives."""

    def __call__(self, exchange: Exchange) -> None:
        exchange.hang_up()


@dataclass(frozen=True)
class DropAfter:
    """The request is carried out, its answer is lost."""

    def __call__(self, exchange: Exchange) -> None:
        exchange.forward()
        exchange.hang_up()


@dataclass(frozen=True)
class CutBody:
    """The answer ends in the middle; ``clean``: with a length that fits, so only a parser sees."""

    clean: bool = False

    def __call__(self, exchange: Exchange) -> None:
        answer = exchange.forward()
        half = len(answer.body) // 2
        if self.clean:
            exchange.answer(Answer(answer.status, answer.headers, answer.body[:half]))
        else:
            exchange.answer(answer, cut_at=half)


@dataclass(frozen=True)
class Answers:
    """An error instead of the emulator's answer; ``delivered``: after it carried the request out.

    ``retry_after`` as seconds, or as the text of an HTTP date.
    """

    status: int
    retry_after: float | str | None = None
    body: bytes = b'{"error": {"message": "injected"}}'
    delivered: bool = False

    def __call__(self, exchange: Exchange) -> None:
        if self.delivered:
            exchange.forward()
        headers = [("content-type", "application/json")]
        if self.retry_after is not None:
            headers.append(("retry-after", str(self.retry_after)))
        exchange.answer(Answer(self.status, tuple(headers), self.body))


@dataclass(frozen=True)
class Rewrites:
    """The JSON of a good answer is changed on its way."""

    change: Callable[[Any], Any]

    def __call__(self, exchange: Exchange) -> None:
        answer = exchange.forward()
        body = answer.body
        if answer.status < 300:
            with suppress(ValueError):
                body = json.dumps(self.change(json.loads(body))).encode()
        exchange.answer(Answer(answer.status, answer.headers, body))


@dataclass(frozen=True)
class Does:
    """Something is done before the request is delivered, after, or instead: a signal, say."""

    action: Callable[[], None]
    when: Literal["before", "after", "instead"]

    def __call__(self, exchange: Exchange) -> None:
        if self.when != "after":
            self.action()
        if self.when == "instead":
            exchange.hang_up()
            return
        answer = exchange.forward()
        if self.when == "after":
            self.action()
        exchange.answer(answer)


def repeated(key: str) -> Rewrites:
    """Every entry of the list under ``key`` comes twice."""
    return Rewrites(lambda data: {**data, key: [item for item in data[key] for _ in range(2)]})


def reordered(key: str) -> Rewrites:
    """The list under ``key`` comes the other way round."""
    return Rewrites(lambda data: {**data, key: data[key][::-1]})


def replaced(key: str, value: Any) -> Rewrites:
    """Whatever stands under ``key``, anywhere in the answer, is ``value``: an invented state."""

    def change(data: Any) -> Any:
        if isinstance(data, dict):
            return {name: value if name == key else change(item) for name, item in data.items()}
        return [change(item) for item in data] if isinstance(data, list) else data

    return Rewrites(change)
