"""A vendor's emulator behind a recording proxy, which is the only way out of the process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from emulated import point
from starlette.types import Message, Receive, Scope, Send

from ftbridge import registry
from ftbridge.provider import Sandbox
from ftbridge.testing.faults import Exchange
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


@dataclass
class Recorder:
    """An application in front of the emulator that keeps all it is sent, by whatever address:
    some vendors hand out addresses of their storage, past the proxy."""

    app: Any
    seen: list[bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.seen.append(scope.get("raw_path", b"") + scope.get("query_string", b""))
            self.seen += [value for _, value in scope["headers"]]

        async def kept() -> Message:
            message = await receive()
            self.seen.append(message.get("body", b""))
            return message

        await self.app(scope, kept, send)


@dataclass
class Gate:
    """One vendor: what went through the proxy and to the emulator, and what tried another way."""

    name: str
    injector: Injector | None = None
    url: str = ""
    seen: list[bytes] = field(default_factory=list)
    ports: frozenset[int] = frozenset()
    strayed: list[Any] = field(default_factory=list)
    recorder: Recorder | None = None
    stack: ExitStack = field(default_factory=ExitStack)
    sandbox: Sandbox | None = None
    beside: dict[str, str] = field(default_factory=dict)
    """What else the sandbox serves (an S3), and its own way out that is looked into."""

    def __call__(self, exchange: Exchange) -> None:
        """What the proxy does with each request: keep it, pass it on."""
        headers = getattr(exchange, "headers", {})
        self.seen += [exchange.path.encode(), exchange.body, str(dict(headers)).encode()]
        exchange.answer(exchange.forward())

    def reset(self) -> None:
        """Begin anew: an empty account and nothing seen."""
        self.seen.clear()
        self.strayed.clear()
        self.sandbox = registry.load(self.name).sandbox()
        if self.sandbox is None or self.recorder is None or self.injector is None:
            return
        self.recorder.app = self.sandbox.app(200.0, 0.0)
        hold = getattr(self.recorder.app.state.store, "hold", None)
        if hold is not None:  # a machine that trains: not what is asked here
            hold()
        self.injector.heal()
        self._look_into(self.injector)

    def _look_into(self, injector: Injector) -> None:
        for method in METHODS:
            injector.on(method, "", self, times=None)

    def _way(self, value: str) -> str:
        """A variable's value; the address of something beside the emulator goes through a proxy."""
        parts = urlsplit(value)
        if parts.hostname != "127.0.0.1" or parts.port in self.ports:
            return value
        if value not in self.beside:
            injector = Injector(value)
            self._look_into(injector)
            self.beside[value] = self.stack.enter_context(injector.serve())
        own = {parts.port, urlsplit(self.beside[value]).port}
        self.ports |= {port for port in own if port is not None}
        return self.beside[value]

    def leaked(self, canary: str) -> bool:
        """Whether a text left in any way: on the wire, or into a store beside it."""
        store = self.recorder and self.recorder.app and self.recorder.app.state.store
        holds = getattr(store, "holds", None)
        stored = holds is not None and holds(canary)
        return stored or any(canary.encode() in item for item in self.seen)

    def point(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the environment lead here, and nowhere else."""
        variables = self.sandbox.variables(self.url) if self.sandbox else {}
        variables = {name: self._way(value) for name, value in variables.items()}
        short = {"SETTLE": "0.1", "POLL": "0.02", "PATIENCE": "1"}
        for key, value in short.items():
            variables[f"FTBRIDGE_{self.name.upper()}_{key}_SECONDS"] = value
        point(monkeypatch, variables)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # boto3 looks for keys there
        known, connect = self, socket.socket.connect

        def guarded(self: socket.socket, address: Any) -> None:
            if self.family in (socket.AF_INET, socket.AF_INET6) and address[1] not in known.ports:
                known.strayed.append(address)
                raise OSError(f"no way to {address}")
            connect(self, address)

        monkeypatch.setattr(socket.socket, "connect", guarded)


@contextmanager
def gates() -> Iterator[dict[str, Gate]]:
    """One for each provider; the emulators' servers are started once."""
    found: dict[str, Gate] = {}
    with ExitStack() as stack:
        for name in registry.names():
            gate = found[name] = Gate(name, stack=stack)
            if registry.load(name).sandbox() is None:
                continue
            gate.recorder = Recorder(None, gate.seen)
            upstream = stack.enter_context(serve(gate.recorder))
            gate.injector = Injector(upstream)
            gate.url = stack.enter_context(gate.injector.serve())
            ports = {urlsplit(url).port for url in (upstream, gate.url)}
            gate.ports = frozenset(port for port in ports if port is not None)
        yield found
