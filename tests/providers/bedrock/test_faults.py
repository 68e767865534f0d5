"""Every fault at every call: what comes out is an answer or an error for people, never botocore's
exception, and once the connection is sound again the call works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from bedrock_sandbox import ROLE, Account, account

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
from ftbridge_bedrock import Provider

LIST = "modelCustomizationJobSummaries"
MODEL = "amazon.nova-lite-v1:0:300k"
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
    "invented_state": lambda: replaced("status", "Reticulating"),
    "null": lambda: Answers(200, body=b"null"),
    "reordered": lambda: reordered(LIST),
    "twice": lambda: repeated(LIST),
}
OF_LISTS = {"twice", "reordered"}


@pytest.fixture(scope="module")
def _served() -> Iterator[Account]:
    with account() as made:
        yield made


class Place:
    """An account with some jobs that were just made."""

    def __init__(self, served: Account, home: Path, jobs: int) -> None:
        self.account, self.home = served, home
        path = home / "train.jsonl"
        turns = [{"role": role, "content": [{"text": "a"}]} for role in ("user", "assistant")]
        row = {"schemaVersion": "bedrock-conversation-2024", "messages": turns}
        path.write_text((json.dumps(row) + "\n") * 12)
        self.sound = self.connect()
        where = self.sound.destination
        self.upload = check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, where)
        self.file = self.sound.upload(self.upload).id
        training = {"path": "t", "sha256": "0" * 64, "kind": "chat", "examples": 12, "bytes": 9}
        self.spec = JobSpec.model_validate(
            {"provider": "bedrock", "model": MODEL, "training": training}
        )
        self.ids = [self._create(f"ftb-{number}") for number in range(jobs)]
        self.first = self.ids[0]

    def connect(self, **options: str) -> Provider:
        quick = {"poll_seconds": "0.02", "bucket": self.account.bucket, "role_arn": ROLE}
        return Provider(Context(self.home, quick | options))

    def _create(self, key: str) -> str:
        return self.sound.create(self.sound.request(self.spec, self.file, None, key), key).id

    def model(self) -> str:
        """The tuned model of the first job, which has ended by then."""
        if not self.account.ahead:
            self.account.pass_time(60)
        return str(self.sound.get(self.first).model)


def _cancel(place: Place, provider: Provider) -> RemoteJob:
    """A job that is stopping already is not stopped again: the engine looks, and so does this."""
    with suppress(VendorError):
        return provider.cancel(place.first)
    return provider.get(place.first)


JOB = r"^/model-customization-jobs/"
OPERATIONS: dict[str, tuple[str, str, Callable[[Place, Provider], Any]]] = {
    "cancel": ("POST", r"/stop$", _cancel),
    "chat": ("POST", r"/converse$", lambda place, it: it.chat(MODEL, ASK)),
    "deploy": ("POST", r"-deployments$", lambda place, it: it.deploy(place.model())),
    "doctor": ("GET", r"^/foundation-models$", lambda place, it: it.doctor()),
    "file_state": ("HEAD", r"/data/", lambda place, it: it.file_state(place.file)),
    "find": ("GET", JOB, lambda place, it: it.find("ftb-0")),
    "find_upload": ("HEAD", r"/data/", lambda place, it: it.find_upload(place.upload)),
    "get": ("GET", JOB, lambda place, it: it.get(place.first)),
    "get_many": (
        "GET",
        r"^/model-customization-jobs(\?|$)",
        lambda place, it: it.get_many(place.ids),
    ),
    "metrics": ("GET", r"\.csv", lambda place, it: it.metrics(place.first)),
    "preflight": ("GET", r"^/foundation-models/", lambda place, it: it.preflight(place.spec)),
    "purge": ("DELETE", r"/data/", lambda place, it: it.purge(place.file)),
    "sees_it_gone": ("GET", r"^/ftb-[0-9a-f]+/?(\?|$)", lambda place, it: it.purge(place.file)),
    "undeploys": ("GET", r"-deployments(\?|$)", lambda place, it: it.undeploy(place.model())),
    "upload": ("PUT", r"/data/", lambda place, it: it.upload(place.upload)),
}
FAST = {("get", fault) for fault in ("503", "cut_json", "drop_after", "null")} | {
    ("get_many", "twice"), ("upload", "drop_after"), ("deploy", "null"), ("chat", "html"),
}  # fmt: skip
CASES = [
    (name, fault)
    for name in OPERATIONS
    for fault in FAULTS
    if fault not in OF_LISTS or name == "get_many"
]


def _param(case: tuple[str, str]) -> object:
    marks = [] if case in FAST else [pytest.mark.long]
    return pytest.param(*case, id="-".join(case), marks=marks)


@pytest.mark.parametrize(("name", "fault"), [_param(case) for case in CASES])
def test_fault(
    _served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    _served.reset()
    for key, value in _served.env(tmp_path).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(clock, "sleep", lambda _: _served.pass_time(5))
    place = Place(_served, tmp_path, 5 if name == "get_many" else 1)
    if name in ("deploy", "metrics", "undeploys"):
        place.model()
    method, path, act = OPERATIONS[name]
    rule = _served.injector.on(method, path, FAULTS[fault]())
    try:
        act(place, place.connect(timeout_seconds="0.5" if fault == "hangs" else "20"))
    except FtbridgeError as error:
        assert isinstance(error, ProviderError) and error.hint, error
        assert fault != "delay" and fault not in OF_LISTS
    assert rule.done, "the fault was never met"
    _served.injector.heal()
    act(place, place.connect())
    if name == "cancel":
        seen = place.sound.get(place.first)
        assert seen.stopping or seen.state is State.CANCELLED
    if name == "deploy":
        assert len(_served.store.deployments) == 1
