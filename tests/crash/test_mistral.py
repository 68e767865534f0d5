"""kill -9 around every call of a submit to Mistral and around the commits that tell whether its job
exists, lists lagging or not: afterwards `ftbridge resume` ends with one remote job, found by the
mark in its suffix, and one set of files. The commits that all vendors share are OpenAI's matrix."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from crash.conftest import Children
from crash.recovery import CREATE_POINTS, WHEN, Call, param, revive, strike
from emulated import Switch

from ftbridge.testing.faults import Does, Exchange, Fault
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_mistral.emulator import Store, create_app
from ftbridge_mistral.request import mark

CALLS: dict[str, Call] = {
    "upload training": ("POST", r"/files$", 0),
    "upload validation": ("POST", r"/files$", 1),
    "see training file": ("GET", r"/files/[^/]+$", 0),
    "see validation file": ("GET", r"/files/[^/]+$", 1),
    "dry run": ("POST", r"/jobs$", 0),
    "create": ("POST", r"/jobs$", 0),
}
LAGGED = {"lists lag": 0.3, "lists are prompt": 0.0}
CASES = [
    *(("commit", point, lag) for point in CREATE_POINTS for lag in LAGGED),
    *((f"call {when}", name, lag) for name in CALLS for when in WHEN for lag in LAGGED),
]
FAST = {
    ("commit", "adopt:before", "lists are prompt"),
    ("call before", "create", "lists lag"),
    ("call after", "create", "lists lag"),
    ("call instead", "create", "lists lag"),
    ("call after", "upload training", "lists lag"),
}


@dataclass
class Account:
    """One emulated account behind the injector."""

    switch: Switch
    injector: Injector
    url: str

    @property
    def store(self) -> Store:
        store = self.switch.app.state.store
        assert isinstance(store, Store)
        return store


@dataclass
class _One:
    """A fault for the creates that are dry runs, or for those that are none."""

    fault: Fault
    dry: bool

    def __call__(self, exchange: Exchange) -> None:
        if ("dry_run" in exchange.path) is self.dry:
            self.fault(exchange)
        else:
            exchange.answer(exchange.forward())


@pytest.fixture(scope="module")
def mistral() -> Iterator[Account]:
    switch = Switch(create_app())
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(switch)))
        yield Account(switch, injector, stack.enter_context(injector.serve()))


def _env(mistral: Account, home: Path, lag: str) -> dict[str, str]:
    mistral.switch.app = create_app()
    mistral.injector.heal()
    mistral.store.list_lag = LAGGED[lag]
    return {
        "FTBRIDGE_HOME": str(home),
        "MISTRAL_API_KEY": "mistral-sandbox",
        "FTBRIDGE_MISTRAL_BASE_URL": mistral.url,
        # Room for a loaded machine: a list that lags must never lag longer than the window.
        "FTBRIDGE_MISTRAL_SETTLE_SECONDS": "0.9" if LAGGED[lag] else "0.1",
        "FTBRIDGE_MISTRAL_POLL_SECONDS": "0.05",
        "FTBRIDGE_MISTRAL_PATIENCE_SECONDS": "1",
    }


def _check(mistral: Account, home: Path, job: str) -> None:
    (remote,) = mistral.store.jobs.values()
    sent = {remote.body["training_files"][0]["file_id"], *remote.body["validation_files"]}
    assert set(mistral.store.files) == sent and len(sent) == 2
    with sqlite3.connect(home / "ledger.db") as ledger:
        (row,) = ledger.execute("select id, remote_id, key, error, stopping from jobs").fetchall()
        assert row[:2] == (job, remote.id) and row[3:] == (None, 0)
        assert remote.body["suffix"] == mark(row[2])
        assert {row[0] for row in ledger.execute("select remote_id from files")} == sent
        assert ledger.execute("select count(*) from reservations").fetchone() == (1,)
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()


@pytest.mark.parametrize(("kind", "point", "lag"), [param(case, FAST) for case in CASES])
def test_killed_once(
    children: Children, mistral: Account, data: tuple[Path, Path], tmp_path: Path,
    kind: str, point: str, lag: str,
) -> None:  # fmt: skip
    env = _env(mistral, tmp_path, lag)
    train, valid = map(str, data)
    submit = ["submit", train, "--provider", "mistral", "--validation", valid, "--yes", "--json"]
    if point in ("dry run", "create"):  # both are POST jobs, and told apart by the query
        when = next(when for when in WHEN if kind.endswith(when))
        kill = Does(children.kill, when)
        mistral.injector.on("POST", r"/jobs$", _One(kill, point == "dry run"), times=None)
        assert children.run(submit, env).code == -9
        mistral.injector.heal()
    else:
        strike(children, mistral.injector, CALLS, kind, point, submit, env)
    _check(mistral, tmp_path, revive(children, env, submit))
