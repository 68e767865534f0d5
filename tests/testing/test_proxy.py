"""The fault injector itself, against a plain server."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from ftbridge.testing.faults import (
    Answers,
    CutBody,
    Delay,
    Does,
    DropAfter,
    DropBefore,
    reordered,
    repeated,
    replaced,
)
from ftbridge.testing.proxy import Injector


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(body)  # type: ignore[attr-defined]
        said = json.dumps({"data": [1, 2, 3], "status": "ok", "sent": body.decode()}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(said)))
        self.send_header("x-kept", "yes")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        server.got = []  # type: ignore[attr-defined]
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def injector(upstream: ThreadingHTTPServer) -> Iterator[Injector]:
    made = Injector(f"http://127.0.0.1:{upstream.server_port}")
    with made.serve() as url:
        made.url = url  # type: ignore[attr-defined]
        yield made


def _post(injector: Injector, chunked: bool = False) -> tuple[int, dict[str, object]]:
    address = urlsplit(injector.url).netloc  # type: ignore[attr-defined]
    connection = http.client.HTTPConnection(address, timeout=0.5)
    try:
        body = iter([b"a", b"b"]) if chunked else b"ab"
        connection.request("POST", "/jobs?x=1", body, encode_chunked=chunked)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_without_a_rule_everything_passes(injector: Injector) -> None:
    for chunked in (False, True):
        status, said = _post(injector, chunked)
        assert (status, said["sent"], said["status"]) == (200, "ab", "ok")
    assert injector.requests == [("POST", "/jobs?x=1")] * 2


@pytest.mark.parametrize(
    ("fault", "delivered"),
    [(DropBefore(), 0), (DropAfter(), 1), (CutBody(), 1), (CutBody(clean=True), 1),
     (Delay(0.8), 1), (Does(lambda: None, "instead"), 0)],
)  # fmt: skip
def test_lost_on_the_way(
    injector: Injector, upstream: ThreadingHTTPServer, fault: object, delivered: int
) -> None:
    injector.on("POST", "/jobs$", fault)  # type: ignore[arg-type]
    with pytest.raises((OSError, http.client.HTTPException, ValueError)):
        _post(injector)
    assert len(upstream.got) == delivered  # type: ignore[attr-defined]
    assert _post(injector)[0] == 200


def test_which_exchanges_are_taken(injector: Injector) -> None:
    rule = injector.on("POST", "/jobs$", Answers(503, 1), skip=1, times=2)
    injector.on("GET", "/jobs$", Answers(500))
    assert [_post(injector)[0] for _ in range(4)] == [200, 503, 503, 200]
    assert rule.done
    injector.on("POST", "/other", Answers(500), times=None)
    assert _post(injector)[0] == 200
    injector.heal()
    assert injector.rules == [] and injector.requests == []


def test_an_error_after_the_work_was_done(
    injector: Injector, upstream: ThreadingHTTPServer
) -> None:
    injector.on("POST", "/jobs$", Answers(500, delivered=True))
    assert _post(injector)[0] == 500
    assert len(upstream.got) == 1  # type: ignore[attr-defined]


def test_what_is_said_is_changed(injector: Injector) -> None:
    injector.on("POST", "/jobs$", repeated("data"))
    injector.on("POST", "/jobs$", reordered("data"))
    injector.on("POST", "/jobs$", replaced("status", "odd"))
    assert _post(injector)[1]["data"] == [1, 1, 2, 2, 3, 3]
    assert _post(injector)[1]["data"] == [3, 2, 1]
    assert _post(injector)[1]["status"] == "odd"
