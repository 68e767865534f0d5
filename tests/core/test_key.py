"""The idempotency key: what changes the training changes it, nothing else does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftbridge.jobs.spec import DataRef, Hyperparameters, JobSpec, Method

TEXT = st.text(max_size=12)
NAMES = st.dictionaries(TEXT, TEXT, max_size=3)


def _spec(**changes: Any) -> JobSpec:
    content: dict[str, Any] = {
        "provider": "openai",
        "model": "m",
        "training": DataRef(path="a", sha256="aa", kind="chat", examples=3, bytes=9),
        **changes,
    }
    return JobSpec(**content)


@settings(max_examples=60, deadline=None)
@given(tags=NAMES, connection=NAMES, path=TEXT, privacy=st.sampled_from(["public", "restricted"]))
def test_what_does_not_matter(
    tags: dict[str, str], connection: dict[str, str], path: str, privacy: str
) -> None:
    moved = DataRef(path=path, sha256="aa", kind="chat", examples=3, bytes=9)
    other = _spec(tags=tags, connection=connection, privacy=privacy, training=moved)
    assert other.key("me", 1) == _spec().key("me", 1)
    assert re.fullmatch(r"ftb-[a-f0-9]{32}", other.key("me", 1))


DATA = DataRef(path="a", sha256="bb", kind="chat", examples=3, bytes=9)


@pytest.mark.parametrize(
    "changes",
    [
        {"provider": "local"},
        {"model": "n"},
        {"method": Method.DPO},
        {"adapter": "lora"},
        {"seed": 0},
        {"suffix": "s"},
        {"options": {"a": "b"}},
        {"training": DATA},
        {"validation": DATA},
        {"hyperparameters": Hyperparameters(n_epochs=1)},
        {"hyperparameters": Hyperparameters(beta=0.1)},
    ],
)
def test_what_matters(changes: dict[str, Any]) -> None:
    assert _spec(**changes).key("me", 1) != _spec().key("me", 1)


@given(epochs=st.lists(st.integers(1, 1000), min_size=2, max_size=2, unique=True))
def test_each_value_has_its_own(epochs: list[int]) -> None:
    keys = {_spec(hyperparameters=Hyperparameters(n_epochs=n)).key("me", 1) for n in epochs}
    assert len(keys) == 2


def test_account_and_attempt() -> None:
    assert len({_spec().key(who, n) for who in ("me", "you") for n in (1, 2)}) == 4
