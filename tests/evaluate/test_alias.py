"""A name means a model once it was shown to be better; what it meant is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run


@pytest.fixture
def bridge(vendor: Account) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def _job(bridge: ftbridge.Bridge, path: Path, word: str) -> ftbridge.Job:
    data = write_chats(path / f"{word}.jsonl", word)
    return bridge.submit(bridge.plan(data, provider="openai")).wait(0.05)


def _refused(bridge: ftbridge.Bridge, name: str, job: ftbridge.Job) -> str:
    with pytest.raises(ftbridge.FtbridgeError) as caught:
        bridge.alias(name, job.id)
    assert caught.value.exit_code == 5 and caught.value.hint
    return caught.value.code


def test_only_a_better_model_is_promoted(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    first, second = (_job(bridge, tmp_path, word) for word in ("colour", "shape"))
    held = write_chats(tmp_path / "held.jsonl", "number", count=30)
    assert _refused(bridge, "router", first) == "not_evaluated"
    bridge.evaluate(held, model=first.id, baseline=f"openai:{first.model}")
    assert _refused(bridge, "router", first) == "not_better"
    evaluated = bridge.evaluate(held, model=first.id)
    alias = bridge.alias("router", first.id)
    assert alias.job == first.id and evaluated.id in alias.reason
    assert bridge.model("router").name == first.model
    assert bridge.job("router").id == first.id
    # The next one must beat the one in use, not just any baseline.
    bridge.evaluate(held, model=second.id)
    assert _refused(bridge, "router", second) == "not_evaluated"
    bridge.evaluate(held, model=second.id, baseline="router")
    assert _refused(bridge, "router", second) == "not_better"
    bridge.alias("router", second.id, reason="the first is retired")
    told = [(each.job, each.reason, each.until is None) for each in bridge.aliases("router")]
    assert told == [
        (second.id, "the first is retired", True), (first.id, alias.reason, False),
    ]  # fmt: skip
    assert bridge.alias("router", second.id) == bridge.aliases("router")[0]
    assert len(bridge.aliases()) == 2


@pytest.mark.parametrize("name", ["base", "Router", "", "a/b", "job_123", "a" * 65])
def test_names_that_mean_something_else(bridge: ftbridge.Bridge, tmp_path: Path, name: str) -> None:
    job = _job(bridge, tmp_path, "colour")
    with pytest.raises(ftbridge.UsageError):
        bridge.alias(name, job.id, reason="because")


def test_by_the_command_line(
    bridge: ftbridge.Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = _job(bridge, tmp_path, "colour")
    assert run(["alias", "router", job.id]) == 5
    assert "ftbridge eval HELDOUT --model" in capsys.readouterr().err
    assert run(["alias", "router", job.id, "--reason", "first one"]) == 0
    assert run(["alias"]) == 0
    out = capsys.readouterr().out
    assert "router" in out and job.id in out and "first one" in out
    assert run(["chat", "router", "number 3"]) == 0
