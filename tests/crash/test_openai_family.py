"""kill -9 around every call of a submit to Azure OpenAI, whose jobs are found by reading their
list, and to Nebius as a compatible server, whose jobs carry our key in their suffix; and around the
commits that tell whether the job exists. Afterwards `ftbridge resume` ends with one remote job and
one set of files. The commits that all vendors share are OpenAI's matrix."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crash.conftest import Children
from crash.recovery import CREATE_POINTS, WHEN, Call, param, revive, strike
from emulated import Switch

from ftbridge.testing.openai_wire import Store
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_azure_openai.emulator import JOB_TIMELINE
from ftbridge_azure_openai.emulator import create_app as azure
from ftbridge_openai_compatible.emulator import SANDBOX_KEY
from ftbridge_openai_compatible.emulator import create_app as compatible

CALLS: dict[str, Call] = {
    "upload training": ("POST", r"/files$", 0),
    "upload validation": ("POST", r"/files$", 1),
    "see training file": ("GET", r"/files/[^/]+$", 0),
    "see validation file": ("GET", r"/files/[^/]+$", 1),
    "create": ("POST", r"/fine_tuning/jobs$", 0),
}
SPEED = 100
LAGGED = {"lists lag": 0.3, "lists are prompt": 0.0}


@dataclass(frozen=True)
class Vendor:
    """How a place is served and reached."""

    app: Callable[[], Any]
    env: Callable[[str], dict[str, str]]
    options: tuple[str, ...]
    carried: Callable[[Any], str]
    """Our key, as the remote job shows it."""
    reserved: int
    """Reservations of a budget: none where the price is unknown."""


VENDORS = {
    "azure_openai": Vendor(
        # files are imported at once, jobs last as long as ever
        lambda: azure(speed=SPEED, timeline=JOB_TIMELINE.scaled(1 / SPEED)),
        lambda url: {"AZURE_OPENAI_ENDPOINT": url, "AZURE_OPENAI_API_KEY": "azure-sandbox-key"},
        ("--option", "training_type=global"),
        lambda remote: remote.metadata["ftbridge_key"],
        1,
    ),
    "openai_compatible": Vendor(
        compatible,
        lambda url: {"FTBRIDGE_OPENAI_COMPATIBLE_BASE_URL": f"{url}/nebius/v1",
                     "NEBIUS_API_KEY": SANDBOX_KEY},
        ("--option", "profile=nebius", "--allow-unknown-cost"),
        lambda remote: remote.suffix,
        0,
    ),
}  # fmt: skip
CASES = [
    (vendor, kind, point, lag)
    for vendor in VENDORS
    for lag in LAGGED
    for kind, point in (
        *(("commit", point) for point in CREATE_POINTS),
        *((f"call {when}", name) for name in CALLS for when in WHEN),
    )
]
FAST = {
    (vendor, *case)
    for vendor in VENDORS
    for case in (
        ("call after", "create", "lists lag"),
        ("call instead", "create", "lists lag"),
        ("call after", "upload training", "lists are prompt"),
    )
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


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    switch = Switch(compatible())
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(switch)))
        yield Account(switch, injector, stack.enter_context(injector.serve()))


def _env(account: Account, vendor: str, home: Path, lag: str) -> dict[str, str]:
    account.switch.app = VENDORS[vendor].app()
    account.injector.heal()
    account.store.list_lag = LAGGED[lag]
    prefix = f"FTBRIDGE_{vendor.upper()}"
    return {
        "FTBRIDGE_HOME": str(home),
        **VENDORS[vendor].env(account.url),
        # Room for a loaded machine: a list that lags must never lag longer than the window.
        f"{prefix}_SETTLE_SECONDS": "0.9" if LAGGED[lag] else "0.1",
        f"{prefix}_POLL_SECONDS": "0.05",
        f"{prefix}_PATIENCE_SECONDS": "1",
    }


def _check(account: Account, vendor: str, home: Path, job: str) -> None:
    (remote,) = account.store.jobs.values()
    sent = {file.id for file in account.store.files.values() if file.purpose == "fine-tune"}
    assert sent == {remote.training_file, remote.validation_file} and len(sent) == 2
    with sqlite3.connect(home / "ledger.db") as ledger:
        (row,) = ledger.execute("select id, remote_id, key, error, stopping from jobs").fetchall()
        assert row[:2] == (job, remote.id) and row[3:] == (None, 0)
        assert VENDORS[vendor].carried(remote) == row[2]
        assert {row[0] for row in ledger.execute("select remote_id from files")} == sent
        reserved = ledger.execute("select count(*) from reservations").fetchone()
        assert reserved == (VENDORS[vendor].reserved,)
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()


@pytest.mark.parametrize(("vendor", "kind", "point", "lag"), [param(case, FAST) for case in CASES])
def test_killed_once(
    children: Children, account: Account, data: tuple[Path, Path], tmp_path: Path,
    vendor: str, kind: str, point: str, lag: str,
) -> None:  # fmt: skip
    env = _env(account, vendor, tmp_path, lag)
    train, valid = map(str, data)
    submit = ["submit", train, "--provider", vendor, "--validation", valid, "--yes", "--json",
              *VENDORS[vendor].options]  # fmt: skip
    strike(children, account.injector, CALLS, kind, point, submit, env)
    _check(account, vendor, tmp_path, revive(children, env, submit))
