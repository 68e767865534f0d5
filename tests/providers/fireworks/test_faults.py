"""Every fault at every call: what comes out is an answer or an error for people, never the SDK's
exception, and once the connection is sound again the call works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fireworks_sandbox import Account, account
from fireworks_spec import BASE, spec

from ftbridge import clock
from ftbridge.errors import FtbridgeError, ProviderError, VendorError
from ftbridge.files import sha256_of
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
from ftbridge_fireworks import Provider

LIST = "supervisedFineTuningJobs"
FAULTS: dict[str, Callable[[], Fault]] = {
    "delay": lambda: Delay(0.05),
    "hangs": lambda: Delay(0.6),
    "drop_before": DropBefore,
    "drop_after": DropAfter,
    "cut_body": CutBody,
    "cut_json": lambda: CutBody(clean=True),
    "429": lambda: Answers(429, 1),
    "500": lambda: Answers(500),
    "503": lambda: Answers(503, 1),
    "html": lambda: Answers(200, body=b"<html>proxy</html>"),
    "empty": lambda: Answers(200, body=b"{}"),
    "null": lambda: Answers(200, body=b"null"),
    "twice": lambda: repeated(LIST),
    "reordered": lambda: reordered(LIST),
    "invented_state": lambda: replaced("state", "JOB_STATE_RETICULATING"),
}
OF_LISTS = {"twice", "reordered"}
HARMLESS = {"delay", *OF_LISTS, "invented_state"}


@pytest.fixture(scope="module")
def _served() -> Iterator[Account]:
    with account() as made:
        yield made


class Place:
    """An account with some jobs that were just made."""

    def __init__(self, served: Account, home: Path, jobs: int) -> None:
        self.account, self.home = served, home
        served.reset()
        path = home / "train.jsonl"
        user, answer = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}
        row = json.dumps({"messages": [user, answer]}).encode()
        path.write_bytes((row + b"\n") * 12)
        self.sound = self.connect()
        self.upload = check_upload(
            path, sha256_of(path), "training", Privacy.PUBLIC, self.sound.destination
        )
        file = self.sound.upload(self.upload)
        self.file = file.id
        self.ids = [self._create(f"ftb-{number}") for number in range(jobs)]
        self.first = self.ids[0]

    def connect(self, **options: str) -> Provider:
        quick = {"poll_seconds": "0.02", "deploy_seconds": "5"}
        return Provider(Context(self.home, quick | options))

    def _create(self, key: str) -> str:
        return self.sound.create(self.sound.request(spec(), self.file, None, key), key).id

    def finish(self) -> None:
        self.account.ahead += 60


def _model(place: Place) -> str:
    return str(place.sound.get(place.first).model)


def _download(place: Place, provider: Provider) -> Path:
    number = len(list(place.home.glob("weights*")))
    return provider.download(place.first, place.home / f"weights{number}")


def _cancel(place: Place, provider: Provider) -> RemoteJob:
    """A job that is stopping already is not stopped again: the engine looks, and so does this."""
    with suppress(VendorError):
        return provider.cancel(place.first)
    return provider.get(place.first)


OPERATIONS: dict[str, tuple[str, str, Callable[[Place, Provider], Any]]] = {
    "get": ("GET", rf"{LIST}/[^/]+$", lambda place, it: it.get(place.first)),
    "find": ("GET", rf"{LIST}/[^/]+$", lambda place, it: it.find("ftb-0")),
    "get_many": ("GET", rf"{LIST}$", lambda place, it: it.get_many(place.ids)),
    "file_state": ("GET", r"/datasets/", lambda place, it: it.file_state(place.file)),
    "find_upload": ("GET", r"/datasets/", lambda place, it: it.find_upload(place.upload)),
    "cancel": ("POST", r":cancel$", _cancel),
    "preflight": ("GET", r"/models/", lambda place, it: it.preflight(spec())),
    "doctor": ("GET", rf"{LIST}$", lambda place, it: it.doctor()),
    "deploy": ("POST", r"/deployments$", lambda place, it: it.deploy(_model(place))),
    "waits": ("GET", r"/deployments/", lambda place, it: it.deploy(_model(place))),
    "chat": ("POST", r"/completions$", lambda place, it: it.chat(BASE, ASK)),
    "weights": ("GET", r":getDownloadEndpoint$", _download),
    "purge": ("DELETE", r"/datasets/", lambda place, it: it.purge(place.file)),
}
FINISHED = {"deploy", "waits", "weights"}
FAST = {"drop_after", "cut_json", "null", "503", "invented_state"}
ASK = ChatRequest([{"role": "user", "content": "a"}])
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
    _served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    for key, value in _served.env(tmp_path).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(clock, "sleep", lambda _: _served.pass_time(1))
    place = Place(_served, tmp_path, 5 if name == "get_many" else 1)
    if name in FINISHED:
        place.finish()
    method, path, act = OPERATIONS[name]
    rule = _served.injector.on(method, path, FAULTS[fault]())
    try:
        act(place, place.connect(timeout_seconds="0.3" if fault == "hangs" else "20"))
    except FtbridgeError as error:
        assert isinstance(error, ProviderError) and error.hint, error
        assert fault not in HARMLESS or fault == "invented_state"
    assert rule.done, "the fault was never met"
    _served.injector.heal()
    act(place, place.connect())
    if name == "cancel":
        seen = place.sound.get(place.first)
        assert seen.stopping or seen.state is State.CANCELLED
