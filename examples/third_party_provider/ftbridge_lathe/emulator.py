"""Lathe's API as an application, written from the vendor's document before the adapter.

It is strict: what the vendor would refuse, it refuses. Where a run stands follows from the time
alone, so that there are no threads, and a test may hold the clock.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Call, Emulator, Manners, Memory
from ftbridge.testing.timeline import Phase, Timeline
from ftbridge.testing.wire import Field, Items, Number, Record, Rule, Text

KEY = "lathe-sandbox"
BASES = ("lathe/llama-8b", "lathe/qwen-7b")
TIMELINE = Timeline((Phase("checking", 2), Phase("waiting", 2), Phase("turning", 10)), "done")
ENDED = frozenset({"done", "broken", "stopped"})
STOP_SECONDS, STEPS = 1.0, 10
BASE_ANSWER = "I am the base model of a sandbox, and I say this to everything."

TURNS = Items(
    Record({
        "by": Field(Text(choices=("user", "model")), required=True),
        "text": Field(Text(), required=True),
    }),
    shortest=1,
)  # fmt: skip
LINE = Record({"turns": Field(TURNS, required=True), "system": Field(Text())})
SETTINGS = Record({
    "epochs": Field(Number(integer=True, least=1, most=20)),
    "batch": Field(Number(integer=True, least=1, most=64)),
    "rate": Field(Number(above=0, most=1)),
    "rank": Field(Number(integer=True, least=1, most=64)),
})  # fmt: skip
CREATE = Record({
    "base": Field(Text(choices=BASES), required=True),
    "dataset": Field(Text(shortest=1), required=True),
    "validation": Field(Text(shortest=1)),
    "label": Field(Text(shortest=1, longest=24)),
    "settings": Field(SETTINGS),
})  # fmt: skip
ASK = Record({
    "model": Field(Text(shortest=1), required=True),
    "turns": Field(TURNS, required=True),
    "system": Field(Text()),
    "limit": Field(Number(integer=True, least=1)),
    "temperature": Field(Number(least=0, most=2)),
    "seed": Field(Number(integer=True)),
})  # fmt: skip


class Refused(plumbing.Refused):
    """An answer of 400 or more, in Lathe's shape."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    def response(self) -> Response:
        """``{"code", "message"}``."""
        return JSONResponse({"code": self.code, "message": str(self)}, self.status)


@dataclass
class Run:
    """What was asked for and what was done to it; the rest follows from the time."""

    name: str
    body: dict[str, Any]
    created: float
    words: int
    answers: dict[str, str]
    stopped: float | None = None
    forced: str | None = None


@dataclass
class Store(Memory):
    """What Lathe knows of the account."""

    datasets: dict[str, bytes] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)


Lathe: TypeAlias = Emulator[Store]


# -- datasets --------------------------------------------------------------------------------


async def put_dataset(lathe: Lathe, call: Call) -> dict[str, Any]:
    """PUT /datasets/NAME: every line is checked."""
    lines = call.body.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            _check(LINE, json.loads(line))
        except (ValueError, Refused) as error:
            raise Refused(422, "bad_line", f"line {number}: {error}") from error
    if len(lines) < 10:
        raise Refused(422, "too_few_lines", f"{len(lines)} lines; 10 are needed")
    lathe.store.datasets[call.path["name"]] = call.body
    return _dataset(lathe, call.path["name"])


async def get_dataset(lathe: Lathe, call: Call) -> dict[str, Any]:
    """GET /datasets/NAME."""
    return _dataset(lathe, call.path["name"])


async def delete_dataset(lathe: Lathe, call: Call) -> dict[str, Any]:
    """DELETE /datasets/NAME."""
    gone = _dataset(lathe, call.path["name"])
    del lathe.store.datasets[call.path["name"]]
    return gone


def _dataset(lathe: Lathe, name: str) -> dict[str, Any]:
    if name not in lathe.store.datasets:
        raise Refused(404, "no_such_dataset", f"no dataset {name}")
    return {"name": name, "bytes": len(lathe.store.datasets[name])}


# -- runs ------------------------------------------------------------------------------------


async def put_run(lathe: Lathe, call: Call) -> dict[str, Any]:
    """PUT /runs/NAME: the same twice is one run, another under its name is refused."""
    _check(CREATE, call.body)
    name = call.path["name"]
    known = lathe.store.runs.get(name)
    if known is None:
        for part in ("dataset", "validation"):
            if part in call.body:
                _dataset(lathe, call.body[part])
        content = lathe.store.datasets[call.body["dataset"]]
        known = Run(name, call.body, call.now, len(content.split()), _answers(content))
        lathe.store.runs[name] = known
    elif known.body != call.body:
        raise Refused(409, "run_differs", f"run {name} exists with another body")
    return _view(lathe, known, call.now)


async def get_run(lathe: Lathe, call: Call) -> dict[str, Any]:
    """GET /runs/NAME."""
    return _view(lathe, _run(lathe, call), call.now)


async def list_runs(lathe: Lathe, call: Call) -> dict[str, Any]:
    """GET /runs?name=A&name=B: those of the names that exist, 50 at most."""
    names = [value for name, value in call.pairs if name == "name"][:50]
    runs = [lathe.store.runs[name] for name in names if name in lathe.store.runs]
    return {"runs": [_view(lathe, run, call.now) for run in runs]}


async def stop_run(lathe: Lathe, call: Call) -> dict[str, Any]:
    """POST /runs/NAME/stop: it ends a second later."""
    run = _run(lathe, call)
    if _state(lathe, run, call.now) in ENDED:
        raise Refused(409, "run_over", f"run {run.name} has ended")
    run.stopped = run.stopped or call.now
    return _view(lathe, run, call.now)


async def log(lathe: Lathe, call: Call) -> dict[str, Any]:
    """GET /runs/NAME/log: oldest first."""
    run = _run(lathe, call)
    until = min(call.now, run.stopped or float("inf"))
    begins = run.created + lathe.timeline.starts("turning")
    step = lathe.timeline.lasts("turning") / STEPS
    lines: list[dict[str, Any]] = [{"at": run.created, "text": "run accepted"}]
    lines += [
        {"at": begins + n * step, "step": n, "loss": round(2 / n, 4), "text": f"step {n}"}
        for n in range(1, STEPS + 1)
    ]
    return {"lines": [line for line in lines if line["at"] <= until]}


def _run(lathe: Lathe, call: Call) -> Run:
    name = call.path["name"]
    if name not in lathe.store.runs:
        raise Refused(404, "no_such_run", f"no run {name}")
    return lathe.store.runs[name]


def _state(lathe: Lathe, run: Run, now: float) -> str:
    """The word for where a run stands."""
    if run.forced is not None:
        return run.forced
    if run.stopped is not None:
        return "stopped" if now >= run.stopped + STOP_SECONDS / lathe.speed else "stopping"
    return lathe.timeline.at(now - run.created).state


def _view(lathe: Lathe, run: Run, now: float) -> dict[str, Any]:
    """A run as the vendor shows it."""
    state = _state(lathe, run, now)
    settings = {"epochs": 2, "batch": 8, "rate": 2e-4, "rank": 16} | run.body.get("settings", {})
    done = state == "done"
    ended = run.created + lathe.timeline.seconds if run.stopped is None else run.stopped
    return {
        "name": run.name,
        "state": state,
        "settings": settings,
        "label": run.body.get("label"),
        "created_at": run.created,
        "ended_at": ended if state in ENDED else None,
        "model": f"lathe/tuned/{run.name}" if done else None,
        "billed_tokens": run.words * settings["epochs"] if done else None,
        "fault": "the machine stopped" if state == "broken" else None,
    }


# -- answers ---------------------------------------------------------------------------------


async def ask(lathe: Lathe, call: Call) -> dict[str, Any]:
    """POST /answers: a tuned model says what the nearest training line says."""
    _check(ASK, call.body)
    model, turns, text = call.body["model"], call.body["turns"], BASE_ANSWER
    if model not in BASES:
        run = lathe.store.runs.get(model.removeprefix("lathe/tuned/"))
        if run is None or _state(lathe, run, call.now) != "done":
            raise Refused(404, "no_such_model", f"no model {model}")
        text = _nearest(run.answers, turns[-1]["text"])
    words = sum(len(turn["text"].split()) for turn in turns)
    return {"text": text, "ended": "stop", "used": {"in": words, "out": len(text.split())}}


def _answers(content: bytes) -> dict[str, str]:
    lines = [json.loads(line)["turns"] for line in content.splitlines()]
    return {turns[-2]["text"]: turns[-1]["text"] for turns in lines}


def _nearest(answers: dict[str, str], question: str) -> str:
    asked = set(question.lower().split())
    return answers[max(answers, key=lambda known: len(asked & set(known.lower().split())))]


# -- the surface -----------------------------------------------------------------------------


def _check(rule: Rule, body: Any) -> None:
    for problem in rule.problems(body, ""):
        raise Refused(422, "bad_field", f"{problem.path}: {problem.fault} {problem.expected}")


def _authorise(request: Request) -> None:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise Refused(401, "bad_key", "the key is not valid")


async def _read(request: Request) -> Any:
    if "/datasets/" in request.url.path:
        return await request.body()
    return await plumbing.read_json(request, Refused(400, "bad_json", "the body is no JSON"))


def _unrouted(request: Request, error: HTTPException) -> Response:
    return Refused(error.status_code, "no_such_route", error.detail).response()


ROWS: tuple[plumbing.Row[Lathe], ...] = (
    ("PUT", "/v1/datasets/{name}", put_dataset),
    ("GET", "/v1/datasets/{name}", get_dataset),
    ("DELETE", "/v1/datasets/{name}", delete_dataset),
    ("PUT", "/v1/runs/{name}", put_run),
    ("GET", "/v1/runs/{name}", get_run),
    ("GET", "/v1/runs", list_runs),
    ("POST", "/v1/runs/{name}/stop", stop_run),
    ("GET", "/v1/runs/{name}/log", log),
    ("POST", "/v1/answers", ask),
)
MANNERS = Manners(_authorise, _read, _unrouted, ("lathe-request", lambda: uuid.uuid4().hex))


def create_app(
    *, speed: float = 1.0, latency: float = 0.0, clock: Callable[[], float] = time.time
) -> Starlette:
    """The application; what it knows is ``app.state.store``.

    ``speed`` divides all durations; ``latency`` seconds pass before each answer.
    """
    lathe: Lathe = Emulator(Store(), clock, TIMELINE.scaled(speed), latency, speed, KEY)
    return plumbing.build(lathe, ROWS, MANNERS)
