"""A fault injector: a proxy in front of any HTTP emulator that can spoil what passes through it.

    injector = Injector("http://127.0.0.1:8000")
    with injector.serve() as url:                     # point the SDK at this address
        injector.on("POST", r"/jobs$", DropAfter())   # the next create is carried out, then lost
        ...

It is a server of its own on real sockets, since a lost connection cannot be told from inside
an application, and needs nothing but the standard library.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from ftbridge.testing.faults import Answer, Fault

UPSTREAM_SECONDS = 30.0
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


@dataclass
class Rule:
    """Which exchanges a fault takes: those that match, after ``skip``, ``times`` of them."""

    method: str
    path: re.Pattern[str]
    fault: Fault
    times: int | None
    skip: int
    hits: int = 0

    def takes(self, method: str, path: str) -> bool:
        """Whether this exchange is one of them; counts."""
        if method != self.method or not self.path.search(urlsplit(path).path):
            return False
        self.hits += 1
        return self.hits > self.skip and (self.times is None or self.hits <= self.skip + self.times)

    @property
    def done(self) -> bool:
        """Whether the fault was injected at least once."""
        return self.hits > self.skip


@dataclass
class Injector:
    """The proxy. Rules are asked in their order; without one, everything passes unchanged."""

    upstream: str
    rules: list[Rule] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(
        self, method: str, path: str, fault: Fault, *, times: int | None = 1, skip: int = 0
    ) -> Rule:
        """Add a rule. ``path`` is a pattern searched in the path; ``times`` None: for ever."""
        rule = Rule(method, re.compile(path), fault, times, skip)
        self.rules.append(rule)
        return rule

    def heal(self) -> None:
        """Forget all rules and requests."""
        self.rules.clear()
        self.requests.clear()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The fault that takes this request, if one does."""
        with self._lock:
            self.requests.append((method, path))
            return next((rule.fault for rule in self.rules if rule.takes(method, path)), None)

    @contextmanager
    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Serve in threads and yield the address."""
        server = _Server((host, port), _Handler)
        server.injector = self
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection open for ever
    injector: Injector


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    method: str
    body: bytes

    def handle(self) -> None:
        with suppress(OSError):  # the client is gone: often what a test is about
            super().handle()

    def _exchange(self) -> None:
        self.method = self.command
        self.body = self._read_body()
        # Where all calls go to one path, a header says which one it is (AWS's JSON protocol).
        target = self.headers.get("x-amz-target")
        path = f"{self.path}{target}" if target else self.path
        fault = self.server.injector.fault_for(self.command, path)
        if fault is None:
            self.answer(self.forward())
        else:
            fault(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _exchange

    def forward(self) -> Answer:
        upstream = urlsplit(self.server.injector.upstream)
        connection = http.client.HTTPConnection(upstream.netloc, timeout=UPSTREAM_SECONDS)
        try:
            connection.request(
                self.command, upstream.path + self.path, self.body, self._end_to_end(self.headers)
            )
            response = connection.getresponse()
            headers = self._end_to_end(response.headers)
            if self.command == "HEAD":  # the length of what a GET would bring, and no body
                headers["content-length"] = response.headers.get("content-length", "0")
            return Answer(response.status, tuple(headers.items()), response.read())
        finally:
            connection.close()

    def answer(self, answer: Answer, *, cut_at: int | None = None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if "content-length" not in dict(answer.headers):
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body if cut_at is None else answer.body[:cut_at])
        if cut_at is not None:
            self.wfile.flush()
            self.close_connection = True

    def hang_up(self) -> None:
        self.close_connection = True

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    @staticmethod
    def _end_to_end(headers: Message) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name.lower() not in _HOP}

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""
