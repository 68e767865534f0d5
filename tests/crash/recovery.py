"""What the matrices share: where a child is struck, and what a person does afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import pytest
from crash.conftest import Children

from ftbridge.testing.faults import Does
from ftbridge.testing.proxy import Injector

When = Literal["before", "after", "instead"]
WHEN: tuple[When, ...] = ("before", "after", "instead")
"""before: the request still arrives, after its sender has died; instead: it never does."""
Call = tuple[str, str, int]
"""Method, pattern of the path, and how many of them pass before."""
CREATE_POINTS = (
    "start.create:before", "start.create:after", "finish.create:before", "finish.create:after",
    "adopt:before", "adopt:after",
)  # fmt: skip
"""The commits that tell whether the vendor's job exists."""


def param(case: tuple[str, ...], fast: Collection[tuple[str, ...]]) -> object:
    """A case of a matrix; all but some are long."""
    marks = [] if case in fast else [pytest.mark.long]
    return pytest.param(*case, id="-".join(case).replace(" ", "_"), marks=marks)


def strike(
    children: Children, injector: Injector, calls: Mapping[str, Call], kind: str, point: str,
    submit: list[str], env: dict[str, str],
) -> None:  # fmt: skip
    """Run a submit that is killed: at a commit (``kind`` commit), or around a call (call WHEN)."""
    if kind != "commit":
        method, path, skip = calls[point]
        when = next(when for when in WHEN if kind.endswith(when))
        injector.on(method, path, Does(children.kill, when), skip=skip)
    killed = children.run(submit, env, crash=point if kind == "commit" else "")
    assert killed.code == -9, killed
    injector.heal()


def revive(children: Children, env: dict[str, str], submit: list[str]) -> str:
    """What a person does after a crash; returns the job's id."""
    listed = children.run(["jobs", "--json"], env).json()["jobs"]
    if listed:
        revived = children.run(["resume", listed[0]["job"], "--json"], env)
        assert (revived.code, revived.err) == (0, "")
    again = children.run(submit, env)  # the same plan attaches, or is new: nothing was promised
    assert again.code == 0, again
    return str(again.json()["job"])
