"""kill -9 around every call of a submit to Together, whose upload is three of them, and around the
commits that tell whether its job exists: afterwards `ftbridge resume` ends with one remote job and
one set of usable files. The commits that all vendors share are OpenAI's matrix."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crash.conftest import Children
from crash.recovery import CREATE_POINTS, WHEN, Call, param, revive, strike
from emulated import Switch
from starlette.types import ASGIApp, Receive, Scope, Send

from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_together.emulator import JOB_TIMELINE, Store, create_app
from ftbridge_together.request import mark

CALLS: dict[str, Call] = {
    "limits": ("GET", r"/models/limits", 0),
    "announce training": ("POST", r"/v1/files$", 0),
    "send training": ("PUT", r"/upload/", 0),
    "validate training": ("POST", r"/preprocess$", 0),
    "announce validation": ("POST", r"/v1/files$", 1),
    "send validation": ("PUT", r"/upload/", 1),
    "validate validation": ("POST", r"/preprocess$", 1),
    "see training file": ("GET", r"/v1/files/[^/]+$", 0),
    "ask the price": ("POST", r"/estimate-price$", 0),
    "create": ("POST", r"/fine-tunes$", 0),
}
SPEED = 100
LAGGED = {"lists lag": 0.3, "lists are prompt": 0.0}
Case = tuple[str, str, str]
CASES: list[Case] = [
    *(("commit", point, lag) for point in CREATE_POINTS for lag in LAGGED),
    *((f"call {when}", name, lag) for name in CALLS for when in WHEN for lag in LAGGED),
]
FAST = {
    ("commit", "adopt:before", "lists are prompt"),
    ("call after", "create", "lists lag"),
    ("call instead", "create", "lists lag"),
    ("call after", "send training", "lists are prompt"),
    ("call after", "validate training", "lists lag"),
}


@dataclass
class Account:
    """One emulated account behind the injector."""

    switch: Switch
    injector: Injector
    url: str
    app: Any = None

    def reset(self, lag: float) -> Store:
        # files are validated at once, jobs last as long as ever
        app = create_app(speed=SPEED, clock=time.time, timeline=JOB_TIMELINE.scaled(1 / SPEED))
        self.switch.app = _named(app, self.url)
        self.injector.heal()
        self.app = app
        self.store.list_lag = lag
        return self.store

    @property
    def store(self) -> Store:
        store = self.app.state.store
        assert isinstance(store, Store)
        return store


def _named(app: Any, url: str) -> ASGIApp:
    """The emulator under the injector's address, so that uploads too are sent to that."""

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            kept = [pair for pair in scope["headers"] if pair[0] != b"host"]
            host = url.removeprefix("http://").encode()
            scope = {**scope, "headers": [*kept, (b"host", host)]}
        await app(scope, receive, send)

    return named


@pytest.fixture(scope="module")
def together() -> Iterator[Account]:
    switch = Switch(create_app())
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(switch)))
        yield Account(switch, injector, stack.enter_context(injector.serve()))


def _env(together: Account, home: Path, lag: str) -> dict[str, str]:
    together.reset(LAGGED[lag])
    return {
        "FTBRIDGE_HOME": str(home),
        "TOGETHER_API_KEY": "together-sandbox",
        "TOGETHER_BASE_URL": together.url,
        # Room for a loaded machine: a list that lags must never lag longer than the window.
        "FTBRIDGE_TOGETHER_SETTLE_SECONDS": "0.9" if LAGGED[lag] else "0.1",
        "FTBRIDGE_TOGETHER_POLL_SECONDS": "0.05",
        "FTBRIDGE_TOGETHER_PATIENCE_SECONDS": "1",
    }


def _check(together: Account, home: Path, job: str) -> None:
    (remote,) = together.store.jobs.values()
    usable = [file for file in together.store.files.values() if file.preprocessed_at is not None]
    assert len(usable) == 2 and len({file.checksum for file in usable}) == 2
    assert {file.id for file in usable} == {remote.body["training_file"],
                                            remote.body["validation_file"]}  # fmt: skip
    with sqlite3.connect(home / "ledger.db") as ledger:
        (row,) = ledger.execute("select id, remote_id, key, error, stopping from jobs").fetchall()
        assert row[:2] == (job, remote.id) and row[3:] == (None, 0)
        assert remote.body["suffix"] == mark(row[2])
        known = {row[0] for row in ledger.execute("select remote_id from files")}
        assert known == {file.id for file in usable}
        assert ledger.execute("select count(*) from reservations").fetchone() == (1,)
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()


@pytest.mark.parametrize(("kind", "point", "lag"), [param(case, FAST) for case in CASES])
def test_killed_once(
    children: Children, together: Account, data: tuple[Path, Path], tmp_path: Path,
    kind: str, point: str, lag: str,
) -> None:  # fmt: skip
    env = _env(together, tmp_path, lag)
    train, valid = map(str, data)
    submit = ["submit", train, "--provider", "together", "--validation", valid, "--yes", "--json"]
    strike(children, together.injector, CALLS, kind, point, submit, env)
    _check(together, tmp_path, revive(children, env, submit))
