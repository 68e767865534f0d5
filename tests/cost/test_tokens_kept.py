"""A file is counted once, on as many cores as there are, and every output says how well."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from emulated import write_chats

import ftbridge
from cost.counters import framed, written
from cost.rows import chats
from ftbridge.cli import run
from ftbridge.cost.tokens import Framed, Totals, count_file, count_kept, tallying
from ftbridge.cost.tokens import tally as tally_module
from ftbridge.dataset import Dataset
from ftbridge.dataset.types import to_json


class Watched:
    """A counter that tells how much it was asked."""

    def __init__(self) -> None:
        self.inner, self.asked = framed(), 0
        self.name, self.id, self.grade, self.slow = "watched", "watched 1", self.inner.grade, False

    def count(self, examples: Any) -> Any:
        self.asked += len(examples)
        return self.inner.count(examples)


def tallied(data: Dataset, counter: Any, home: Path, limit: int | None = None) -> Totals:
    with tallying(data, counter, home, limit) as tally:
        examples = [item.example for item in data.examples()]
        tally.add(examples, [len(to_json(example)) for example in examples])
        return tally.finish()


def test_a_file_is_counted_once_until_it_changes(tmp_path: Path) -> None:
    counter, home = Watched(), tmp_path / "home"
    data = written(tmp_path / "a.jsonl", 30)
    first = tallied(data, counter, home)
    assert tallied(Dataset(data.path), counter, home) == first and counter.asked == 30
    assert home.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (home / "counts").iterdir())
    with data.path.open("a") as stream:
        stream.write(json.dumps(next(chats(1, 9))) + "\n")
    assert tallied(Dataset(data.path), counter, home).expected > first.expected
    assert counter.asked == 61
    tallied(Dataset(data.path), counter, home, limit=10)
    assert counter.asked == 92, "the caller must know of each example"


def test_a_spoilt_or_unwritable_count_is_counted_again(tmp_path: Path) -> None:
    counter, home = Watched(), tmp_path / "home"
    data = written(tmp_path / "a.jsonl", 10)
    first = tallied(data, counter, home)
    for path in (home / "counts").iterdir():
        path.write_text("{")
    assert tallied(data, counter, home) == first and counter.asked == 20
    (tmp_path / "file").write_text("")
    assert tallied(data, counter, tmp_path / "file" / "home") == first


def test_plan_then_submit_then_compare_count_once(
    closed_world: Path, tmp_path: Path, vendor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()
    count = Framed.count

    def watched(self: Framed, some: Any) -> Any:
        asked[self.id] += len(some)
        return count(self, some)

    monkeypatch.setattr(Framed, "count", watched)
    data = write_chats(tmp_path / "train.jsonl")
    bridge = ftbridge.Bridge()
    plan = bridge.plan(data, provider="openai")
    (openai,) = asked
    assert asked[openai] == plan.training.examples
    bridge.submit(bridge.plan(data, provider="openai"))
    offers = [offer for offer in bridge.compare(data).offers if offer.provider == "openai"]
    assert {offer.tokens.expected for offer in offers} == {plan.tokens.expected}
    assert asked[openai] == plan.training.examples
    bridge.ledger.close()


@pytest.mark.parametrize("name", ["llama3", "o200k_base"])
def test_other_processes_count_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written(tmp_path / "a.jsonl", 5000)
    assert data.bytes > 8 * 1024 * 1024
    alone = count_file(data, framed(name))
    assert count_file(data, framed(name), workers=2) == alone
    monkeypatch.setattr(tally_module, "SHARED_ABOVE", 0)
    monkeypatch.setattr(tally_module, "_alone", lambda: True)
    monkeypatch.setattr(tally_module, "_cores", lambda: 2)
    assert tallied(data, framed(name), tmp_path / "home") == alone


def test_a_slow_vocabulary_samples_large_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally_module, "SLOW_SAMPLED_ABOVE", 0)
    data = written(tmp_path / "a.jsonl", 2200)
    home = tmp_path / "home"
    sampled = tallied(data, framed("gemma3"), home)
    exact = count_file(data, framed("gemma3"))
    assert sampled.grade == "estimated" and "a sample of" in sampled.counter
    margin = (sampled.high - sampled.low) / 2
    assert abs(sampled.expected - exact.expected) <= 2 * margin  # one draw; 95 % lie within one
    assert margin < exact.expected * 0.01
    assert tallied(data, framed("gemma3"), home) == sampled


def test_any_vocabulary_samples_very_large_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By bytes, until somebody has counted all."""
    data, home = written(tmp_path / "a.jsonl", 2500), tmp_path / "home"
    exact = count_file(data, framed())
    monkeypatch.setattr(tally_module, "SAMPLED_ABOVE", 0)
    first = tallied(data, framed(), home)
    assert first.grade == "estimated" and "`ftbridge tokens` counts all" in first.counter
    assert abs(first.expected / exact.expected - 1) < 0.005
    assert count_kept(data, framed(), home) == exact
    assert tallied(data, framed(), home) == exact
    longest = exact.longest
    with tallying(data, framed(), tmp_path / "other", limit=longest) as tally:
        examples = [item.example for item in data.examples()]
        counted = tally.add(examples, [len(to_json(example)) for example in examples])
    assert counted is not None and max(counted) == longest


def test_a_limit_is_looked_at_exactly_when_sampling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally_module, "SLOW_SAMPLED_ABOVE", 0)
    data = written(tmp_path / "a.jsonl", 40)
    examples = [item.example for item in data.examples()]
    exact = framed("gemma3").count(examples).low
    with tallying(data, framed("gemma3"), tmp_path / "home", limit=max(exact)) as tally:
        counted = tally.add(examples, [0] * 40)
    assert counted is not None and max(counted) == max(exact)


def test_every_output_carries_the_grade(
    closed_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(write_chats(tmp_path / "train.jsonl"))

    def asked(*words: str) -> dict[str, Any]:
        assert run([*words, "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    counts = [
        asked("plan", data, "--provider", "openai")["tokens"],
        asked("check", data, "--provider", "openai")["tokens"],
        asked("tokens", data),
        asked("tokens", data, "--fast"),
        asked("tokens", data, "--model", "nova-lite"),
        *[offer["tokens"] for offer in asked("compare", data)["offers"]],
    ]
    for count in counts:
        assert count["low"] <= count["expected"] <= count["high"]
        assert count["label"].startswith(count["grade"]) and count["counter"]
    assert counts[0]["expected"] == counts[1]["expected"]
    assert counts[0]["grade"] == "exact text, assumed frame"
    assert (counts[4]["grade"], counts[4]["band"][0] < 0 < counts[4]["band"][1]) == (
        "estimated", True,
    )  # fmt: skip
    for words in (["plan", data, "--provider", "openai"], ["compare", data], ["check", data]):
        assert run(words) == 0
        assert "exact text, assumed frame" in capsys.readouterr().out
