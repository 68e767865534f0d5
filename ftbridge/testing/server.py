"""Serve an ASGI application on a real socket: in a thread for tests, or in the foreground.

Vendors' SDKs bring their own HTTP clients, and not all of them can be intercepted: a real
server is the one double that fits them all. Needs uvicorn (the extra ``sandbox``).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import uvicorn

START_SECONDS = 10.0
STOP_SECONDS = 5.0

Application = Callable[..., Any]


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that the port is known before the server runs (port 0: any free one)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's delay on: 40 ms for every request.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket, host: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def _config(app: Application) -> uvicorn.Config:
    # A client may keep its connection open for ever: the stop must not wait for it. A slow one must
    # find it open: botocore without retries fails on one that was closed in between.
    return uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=1,
        timeout_keep_alive=120,
    )  # fmt: skip


@contextmanager
def serve(app: Application, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve in a thread and yield the address, once requests are being answered."""
    server = uvicorn.Server(_config(app))
    with closing(_listen(host, port)) as listener:
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="emulator", daemon=True
        )
        thread.start()
        try:
            _await_start(server, thread)
            yield _url(listener, host)
        finally:
            server.should_exit = True
            thread.join(STOP_SECONDS)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server stopped before it was ready")
        if time.monotonic() > give_up:
            raise TimeoutError(f"the server was not ready within {START_SECONDS:.0f} s")
        time.sleep(0.002)


class _Announcing(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


def run_foreground(
    app: Application,
    port: int = 0,
    host: str = "127.0.0.1",
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until interrupted (Ctrl-C or SIGTERM); ``ready`` gets the address once it is served."""
    with closing(_listen(host, port)) as listener:
        url = _url(listener, host)
        _Announcing(_config(app), lambda: ready(url)).run(sockets=[listener])
