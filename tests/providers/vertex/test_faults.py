"""Every fault at every call: what comes out is an answer or an error for people, never an SDK's
exception, and once the connection is sound again the call works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from vertex_sandbox import Project, project

from ftbridge import clock
from ftbridge.errors import FtbridgeError, ProviderError, VendorError
from ftbridge.files import sha256_of
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.policy import Privacy, check_upload
from ftbridge.provider import ChatRequest, Context, RemoteJob
from ftbridge.testing.faults import (
    Answers,
    CutBody,
    Delay,
    DropAfter,
    DropBefore,
    Fault,
    reordered,
    repeated,
    replaced,
)
from ftbridge_vertex import Provider
from ftbridge_vertex.emulator import BUCKET

LIST = "tuningJobs"
MODEL = "gemini-3.5-flash-lite"
ASK = ChatRequest([{"role": "user", "content": "a"}])
FAULTS: dict[str, Callable[[], Fault]] = {
    "429": lambda: Answers(429, 1),
    "500": lambda: Answers(500),
    "503": lambda: Answers(503, 1),
    "cut_body": CutBody,
    "cut_json": lambda: CutBody(clean=True),
    "delay": lambda: Delay(0.05),
    "drop_after": DropAfter,
    "drop_before": DropBefore,
    "empty": lambda: Answers(200, body=b"{}"),
    "hangs": lambda: Delay(1.5),
    "html": lambda: Answers(200, body=b"<html>proxy</html>"),
    "invented_state": lambda: replaced("state", "JOB_STATE_RETICULATING"),
    "null": lambda: Answers(200, body=b"null"),
    "reordered": lambda: reordered(LIST),
    "twice": lambda: repeated(LIST),
}
OF_LISTS = {"twice", "reordered"}
HARMLESS = {"delay", *OF_LISTS, "invented_state"}


@pytest.fixture(scope="module")
def _served() -> Iterator[Project]:
    with project() as made:
        yield made


class Place:
    """A project with some jobs that were just made."""

    def __init__(self, served: Project, home: Path, jobs: int) -> None:
        self.project, self.home = served, home
        served.reset()
        path = home / "train.jsonl"
        turns = [{"role": role, "parts": [{"text": "a"}]} for role in ("user", "model")]
        path.write_text((json.dumps({"contents": turns}) + "\n") * 12)
        self.sound = self.connect()
        where = self.sound.destination
        self.upload = check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, where)
        self.file = self.sound.upload(self.upload).id
        training = {"path": "t", "sha256": "0" * 64, "kind": "chat", "examples": 12, "bytes": 9}
        self.spec = JobSpec.model_validate(
            {"provider": "vertex", "model": MODEL, "adapter": "lora", "training": training}
        )
        self.ids = [self._create(f"ftb-{number}") for number in range(jobs)]
        self.first = self.ids[0]

    def connect(self, **options: str) -> Provider:
        quick = {"poll_seconds": "0.02", "bucket": BUCKET}
        return Provider(Context(self.home, quick | options))

    def _create(self, key: str) -> str:
        return self.sound.create(self.sound.request(self.spec, self.file, None, key), key).id

    def model(self) -> str:
        """The tuned model of the first job, which has ended by then."""
        if not self.project.ahead:
            self.project.pass_time(60)
        return str(self.sound.get(self.first).model)


def _cancel(place: Place, provider: Provider) -> RemoteJob:
    """A job that is stopping already is not stopped again: the engine looks, and so does this."""
    with suppress(VendorError):
        return provider.cancel(place.first)
    return provider.get(place.first)


OPERATIONS: dict[str, tuple[str, str, Callable[[Place, Provider], Any]]] = {
    "cancel": ("POST", r":cancel$", _cancel),
    "chat": ("POST", r":generateContent$", lambda place, it: it.chat(place.model(), ASK)),
    "checkpoints": ("GET", rf"{LIST}/", lambda place, it: it.checkpoints(place.first)),
    "doctor": ("GET", rf"{LIST}$", lambda place, it: it.doctor()),
    "file_state": ("GET", r"/o/", lambda place, it: it.file_state(place.file)),
    "find": ("GET", rf"{LIST}$", lambda place, it: it.find("ftb-0")),
    "find_upload": ("GET", r"/o/", lambda place, it: it.find_upload(place.upload)),
    "get": ("GET", rf"{LIST}/[^/]+$", lambda place, it: it.get(place.first)),
    "get_many": ("GET", rf"{LIST}$", lambda place, it: it.get_many(place.ids)),
    "purge": ("DELETE", r"/o/", lambda place, it: it.purge(place.file)),
    "sees_it_gone": ("GET", r"/o/", lambda place, it: it.purge(place.file)),
    "undeploys": ("POST", r":undeployModel$", lambda place, it: it.delete_model(place.model())),
    "upload": ("POST", r"^/upload/", lambda place, it: it.upload(place.upload)),
}
FAST = {"503", "cut_json", "drop_after", "invented_state", "null"}
CASES = [
    (name, fault)
    for name in OPERATIONS
    for fault in FAULTS
    if fault not in OF_LISTS or name == "get_many"
]


def _param(case: tuple[str, str]) -> object:
    marks = [] if case[1] in FAST else [pytest.mark.long]
    return pytest.param(*case, id="-".join(case), marks=marks)


@pytest.mark.parametrize(("name", "fault"), [_param(case) for case in CASES])
def test_fault(
    _served: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    for key, value in _served.env(tmp_path).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(clock, "sleep", lambda _: _served.pass_time(1))
    place = Place(_served, tmp_path, 5 if name == "get_many" else 1)
    if name in ("chat", "undeploys"):
        place.model()
    if name == "upload":
        place.sound.purge(place.file)
    method, path, act = OPERATIONS[name]
    rule = _served.injector.on(method, path, FAULTS[fault]())
    try:
        act(place, place.connect(timeout_seconds="0.5" if fault == "hangs" else "20"))
    except FtbridgeError as error:
        assert isinstance(error, ProviderError) and error.hint, error
        assert fault not in HARMLESS or fault == "invented_state"
    assert rule.done, "the fault was never met"
    _served.injector.heal()
    act(place, place.connect())
    if name == "cancel":
        seen = place.sound.get(place.first)
        assert seen.stopping or seen.state is State.CANCELLED
