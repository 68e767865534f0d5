"""The vendor-free plumbing below the emulator: timelines, body rules, the server."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from ftbridge.testing.server import serve
from ftbridge.testing.timeline import Moment, Phase, Stopwatch, Timeline
from ftbridge.testing.wire import Anything, Fault, Field, Flag, Items, Number, Pairs, Record, Text

COURSE = Timeline((Phase("a", 2), Phase("b", 0), Phase("c", 4)), "done")


def test_a_timeline_knows_state_and_progress() -> None:
    seen = [COURSE.at(seconds) for seconds in (0, 1, 2, 5, 6, 99)]
    assert seen == [
        Moment("a", 0),
        Moment("a", 0.5),
        Moment("c", 0),
        Moment("c", 0.75),
        Moment("done", 1),
        Moment("done", 1),
    ]
    assert (COURSE.starts("c"), COURSE.starts("done"), COURSE.lasts("c")) == (2, 6, 4)
    assert COURSE.scaled(2).seconds == 3
    with pytest.raises(ValueError, match="speed"):
        COURSE.scaled(0)
    with pytest.raises(KeyError):
        COURSE.starts("z")


gaps = st.lists(st.integers(1, 50), min_size=0, max_size=6)


@given(gaps=gaps, elapsed=st.integers(0, 200))
def test_a_stopwatch_leaves_out_its_stops(gaps: list[int], elapsed: int) -> None:
    watch, now = Stopwatch(100.0), 100.0
    for gap in gaps:
        now += gap
        watch.stop(now)
        assert watch.stopped(now)
        before = watch.elapsed(now)
        now += gap
        assert watch.elapsed(now) == before
        watch.restart(now)
    moment = watch.moment(elapsed)
    assert watch.elapsed(moment) == elapsed
    assert watch.moment(watch.elapsed(now + 1)) == now + 1


def test_a_second_stop_prolongs_the_first() -> None:
    watch = Stopwatch(0)
    watch.stop(5)
    watch.stop(7)
    assert watch.elapsed(100) == 5
    watch.restart(10)
    watch.stop(9)
    assert watch.stops == [(5, float("inf"))]


def test_rules_find_every_problem() -> None:
    rule = Record(
        {
            "name": Field(Text(longest=3), required=True),
            "count": Field(Number(integer=True, least=1, most=5, words=("auto",))),
            "flag": Field(Flag(), nullable=True),
            "tags": Field(Pairs(Text(), most=1, longest_key=2)),
            "list": Field(Items(Number(above=0), most=2)),
            "any": Field(Anything()),
        }
    )
    assert not list(rule.problems({"name": "abc", "count": "auto", "flag": None, "any": [1]}))
    wrong: dict[str, Any] = {
        "count": 6,
        "flag": 1,
        "tags": {"abc": 1, "d": "x"},
        "list": [1, 0, "x"],
        "more": 1,
    }
    assert [(each.path, each.fault) for each in rule.problems(wrong)] == [
        ("more", Fault.UNKNOWN),
        ("name", Fault.MISSING),
        ("count", Fault.ABOVE),
        ("flag", Fault.TYPE),
        ("tags", Fault.MANY),
        ("tags", Fault.LONG),
        ("tags.abc", Fault.TYPE),
        ("list", Fault.MANY),
        ("list[1]", Fault.BELOW),
        ("list[2]", Fault.TYPE),
    ]
    assert [each.fault for each in rule.problems(7)] == [Fault.TYPE]


def _hello() -> Starlette:
    return Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])


def test_servers_start_and_stop_many_times_and_free_their_port() -> None:
    for _ in range(5):
        with serve(_hello()) as url, urllib.request.urlopen(url) as answer:
            assert answer.read() == b"hello"
            port = int(url.rpartition(":")[2])
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_foreground_server_announces_itself_and_stops_on_sigterm() -> None:
    program = (
        "from ftbridge_openai.emulator import create_app\n"
        "from ftbridge.testing.server import run_foreground\n"
        "run_foreground(create_app(), ready=lambda url: print(url, flush=True))\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"{url}/v1/models")
        with refusal.value:
            assert refusal.value.code == 401
        process.terminate()
        assert process.wait(timeout=10) is not None
