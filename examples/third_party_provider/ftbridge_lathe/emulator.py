"""Lathe's API as an application, written from the vendor's document before the adapter.

It is strict: what the vendor would refuse, it refuses. Where a run stands follows from the time
alone, so that there are no threads, and a test may hold the clock.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

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


class Refused(Exception):
    """An answer of 400 or more."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"code": code, "message": message}


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
class Lathe:
    """One emulated account."""

    timeline: Timeline
    clock: Callable[[], float]
    datasets: dict[str, bytes] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)

    # -- datasets ----------------------------------------------------------------------------

    def put_dataset(self, name: str, body: bytes) -> dict[str, Any]:
        """PUT /datasets/NAME: every line is checked."""
        lines = body.splitlines()
        for number, line in enumerate(lines, 1):
            try:
                _check(LINE, json.loads(line))
            except (ValueError, Refused) as error:
                raise Refused(422, "bad_line", f"line {number}: {error}") from error
        if len(lines) < 10:
            raise Refused(422, "too_few_lines", f"{len(lines)} lines; 10 are needed")
        self.datasets[name] = body
        return self.get_dataset(name)

    def get_dataset(self, name: str) -> dict[str, Any]:
        """GET /datasets/NAME."""
        if name not in self.datasets:
            raise Refused(404, "no_such_dataset", f"no dataset {name}")
        return {"name": name, "bytes": len(self.datasets[name])}

    def delete_dataset(self, name: str) -> dict[str, Any]:
        """DELETE /datasets/NAME."""
        gone = self.get_dataset(name)
        del self.datasets[name]
        return gone

    # -- runs --------------------------------------------------------------------------------

    def put_run(self, name: str, body: Any) -> dict[str, Any]:
        """PUT /runs/NAME: the same twice is one run, another under its name is refused."""
        _check(CREATE, body)
        known = self.runs.get(name)
        if known is not None and known.body != body:
            raise Refused(409, "run_differs", f"run {name} exists with another body")
        if known is None:
            for part in ("dataset", "validation"):
                if part in body:
                    self.get_dataset(body[part])
            content = self.datasets[body["dataset"]]
            self.runs[name] = Run(name, body, self.clock(), len(content.split()), _answers(content))
        return self.view(self.runs[name])

    def get_run(self, name: str) -> dict[str, Any]:
        """GET /runs/NAME."""
        return self.view(self._run(name))

    def list_runs(self, names: list[str]) -> dict[str, Any]:
        """GET /runs?name=...: those of the names that exist, 50 at most."""
        found = [self.runs[name] for name in names[:50] if name in self.runs]
        return {"runs": [self.view(run) for run in found]}

    def stop_run(self, name: str) -> dict[str, Any]:
        """POST /runs/NAME/stop: it ends a second later."""
        run = self._run(name)
        if self.state(run) in ENDED:
            raise Refused(409, "run_over", f"run {name} has ended")
        run.stopped = run.stopped or self.clock()
        return self.view(run)

    def log(self, name: str) -> dict[str, Any]:
        """GET /runs/NAME/log: oldest first."""
        run = self._run(name)
        until = min(self.clock(), run.stopped or float("inf"))
        begins = run.created + self.timeline.starts("turning")
        step = self.timeline.lasts("turning") / STEPS
        lines: list[dict[str, Any]] = [{"at": run.created, "text": "run accepted"}]
        lines += [
            {"at": begins + n * step, "step": n, "loss": round(2 / n, 4), "text": f"step {n}"}
            for n in range(1, STEPS + 1)
        ]
        return {"lines": [line for line in lines if line["at"] <= until]}

    def state(self, run: Run) -> str:
        """The word for where a run stands."""
        if run.forced is not None:
            return run.forced
        if run.stopped is not None:
            return "stopped" if self.clock() >= run.stopped + STOP_SECONDS else "stopping"
        return self.timeline.at(self.clock() - run.created).state

    def view(self, run: Run) -> dict[str, Any]:
        """A run as the vendor shows it."""
        state = self.state(run)
        settings = {"epochs": 2, "batch": 8, "rate": 2e-4, "rank": 16}
        settings |= run.body.get("settings", {})
        done = state == "done"
        ended = run.created + self.timeline.seconds if run.stopped is None else run.stopped
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

    def _run(self, name: str) -> Run:
        if name not in self.runs:
            raise Refused(404, "no_such_run", f"no run {name}")
        return self.runs[name]

    # -- answers -----------------------------------------------------------------------------

    def ask(self, body: Any) -> dict[str, Any]:
        """POST /answers: a tuned model says what the nearest training line says."""
        _check(ASK, body)
        text = BASE_ANSWER
        if body["model"] not in BASES:
            run = self.runs.get(body["model"].removeprefix("lathe/tuned/"))
            if run is None or self.state(run) != "done":
                raise Refused(404, "no_such_model", f"no model {body['model']}")
            text = _nearest(run.answers, body["turns"][-1]["text"])
        words = sum(len(turn["text"].split()) for turn in body["turns"])
        return {"text": text, "ended": "stop", "used": {"in": words, "out": len(text.split())}}


def _check(rule: Rule, body: Any) -> None:
    for problem in rule.problems(body, ""):
        raise Refused(422, "bad_field", f"{problem.path}: {problem.fault} {problem.expected}")


def _answers(content: bytes) -> dict[str, str]:
    lines = [json.loads(line)["turns"] for line in content.splitlines()]
    return {turns[-2]["text"]: turns[-1]["text"] for turns in lines}


def _nearest(answers: dict[str, str], question: str) -> str:
    asked = set(question.lower().split())
    return answers[max(answers, key=lambda known: len(asked & set(known.lower().split())))]


def create_app(
    *, speed: float = 1.0, latency: float = 0.0, clock: Callable[[], float] = time.time
) -> Starlette:
    """The application; what it knows is ``app.state.lathe``.

    ``speed`` divides all durations; ``latency`` seconds pass before each answer.
    """
    lathe = Lathe(TIMELINE.scaled(speed), clock)

    async def endpoint(request: Request) -> Response:
        try:
            if request.headers.get("authorization") != f"Bearer {KEY}":
                raise Refused(401, "bad_key", "the key is not valid")
            answer = JSONResponse(_route(lathe, request, await request.body()))
        except Refused as error:
            answer = JSONResponse(error.body, error.status)
        await asyncio.sleep(latency)  # after the work: who gives up waiting has a run all the same
        return answer

    paths = {
        "/datasets/{name}": ["PUT", "GET", "DELETE"],
        "/runs": ["GET"],
        "/runs/{name}": ["PUT", "GET"],
        "/runs/{name}/stop": ["POST"],
        "/runs/{name}/log": ["GET"],
        "/answers": ["POST"],
    }
    routes = [Route(f"/v1{path}", endpoint, methods=each) for path, each in paths.items()]
    app = Starlette(routes=routes)
    app.state.lathe = lathe
    return app


def _route(lathe: Lathe, request: Request, raw: bytes) -> dict[str, Any]:
    name = request.path_params.get("name", "")
    match request.method, request.url.path.removeprefix("/v1/").split("/"):
        case "PUT", ["datasets", _]:
            return lathe.put_dataset(name, raw)
        case "DELETE", ["datasets", _]:
            return lathe.delete_dataset(name)
        case _, ["datasets", _]:
            return lathe.get_dataset(name)
        case "PUT", ["runs", _]:
            return lathe.put_run(name, _json(raw))
        case _, ["runs"]:
            return lathe.list_runs(request.query_params.getlist("name"))
        case _, ["runs", _]:
            return lathe.get_run(name)
        case _, ["runs", _, "stop"]:
            return lathe.stop_run(name)
        case _, ["runs", _, "log"]:
            return lathe.log(name)
        case _:
            return lathe.ask(_json(raw))


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise Refused(400, "bad_json", "the body is no JSON") from error
