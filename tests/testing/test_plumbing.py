"""What every emulator is made of, on an application without a vendor."""

from __future__ import annotations

import io
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from ftbridge.testing.likeness import Learned, count_tokens, text_of
from ftbridge.testing.plumbing import (
    Call,
    Emulator,
    Manners,
    Memory,
    Refused,
    build,
    is_form,
    read_json,
)
from ftbridge.testing.timeline import Timeline


class No(Refused):
    def response(self) -> Response:
        return JSONResponse({"no": str(self)}, 418)


def authorise(request: Request) -> None:
    if request.headers.get("key") != "k":
        raise No("key")


async def read(request: Request) -> Any:
    if request.method == "PUT":
        return await request.body()
    return dict(await request.form()) if is_form(request) else await read_json(request, No("json"))


def unrouted(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"lost": error.status_code}, error.status_code)


async def echo(emulator: Emulator[Memory], call: Call) -> dict[str, Any]:
    return {"path": call.path, "query": call.query, "body": str(call.body), "now": call.now}


@pytest.fixture
def client() -> TestClient:
    emulator = Emulator(Memory(), lambda: 7.0, Timeline((), "done"))
    rows = [(method, "/things/{id}", echo) for method in ("GET", "POST", "PUT")]
    app = build(emulator, rows, Manners(authorise, read, unrouted, ("x-id", lambda: "1")))
    return TestClient(app, headers={"key": "k"})


def test_a_request_goes_from_its_route_to_its_answer(client: TestClient) -> None:
    answer = client.post("/things/a?b=1&b=2", json={"c": 1})
    assert answer.json() == {
        "path": {"id": "a"}, "query": {"b": "2"}, "body": "{'c': 1}", "now": 7.0,
    }  # fmt: skip
    (record,) = client.app.state.store.requests  # type: ignore[attr-defined]
    assert (record.method, record.path, record.status) == ("POST", "/things/a", 200)
    assert record.query == [("b", "1"), ("b", "2")] and record.body == {"c": 1}


def test_every_answer_has_its_id_and_the_vendors_shape(client: TestClient) -> None:
    for answer, status, body in (
        (client.get("/other"), 404, {"lost": 404}),
        (client.delete("/things/a"), 405, {"lost": 405}),
        (client.get("/things/a", headers={"key": "x"}), 418, {"no": "key"}),
        (client.post("/things/a", content=b"{"), 418, {"no": "json"}),
        (client.post("/things/a", content=b"NaN"), 418, {"no": "json"}),
    ):
        assert (answer.status_code, answer.json()) == (status, body)
        assert answer.headers["x-id"] == "1"
    assert client.head("/things/a").status_code == 200


def test_uploads_are_logged_without_their_bytes(client: TestClient) -> None:
    client.put("/things/a", content=b"12345")
    client.post("/things/a", files={"file": ("a.txt", io.BytesIO(b"123"))}, data={"x": "1"})
    seen = [record.body for record in client.app.state.store.requests]  # type: ignore[attr-defined]
    assert seen == [{"bytes": 5}, {"file": {"filename": "a.txt", "bytes": 3}, "x": "1"}]


def test_lists_lag_by_a_time_or_until_a_moment() -> None:
    memory = Memory(list_lag=5.0)
    assert [memory.listed("a", 10.0, now) for now in (10.0, 14.9, 15.0)] == [False, False, True]
    memory.lag_lists_until("a", 30.0)
    assert not memory.listed("a", 10.0, 29.0) and memory.listed("a", 10.0, 30.0)


def test_the_nearest_example_answers() -> None:
    learned: Learned[str] = Learned([("the red fox", "fox"), ("a blue whale", "whale")])
    assert learned.nearest("the red fox") == "fox"
    assert learned.nearest("Whale of BLUE") == "whale"
    assert (count_tokens("one two three"), text_of([{"text": "a"}, {"text": "b"}])) == (4, "a b")
