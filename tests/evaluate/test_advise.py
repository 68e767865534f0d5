"""Advice: each rule by what it rests on, the classifier on real data, and the whole by a model."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.advise.advice import Baseline, Known, advise
from ftbridge.advise.classifier import Classifier, classify
from ftbridge.advise.failures import MEANINGS, Failures, cause
from ftbridge.cli import run
from ftbridge.dataset import Dataset
from ftbridge.dataset.types import Kind
from ftbridge.evaluate import rows as rows_of
from ftbridge.evaluate.rows import Row
from ftbridge.provider import ChatReply

SUPPORT = Path(__file__).parents[2] / "examples" / "customer_support"


def row(reference: str, *calls: dict[str, Any]) -> Row:
    return Row(3, ({"role": "user", "content": "q"},), None, reference, calls, b"")


@pytest.mark.parametrize(
    ("reference", "reply", "labels", "code"),
    [
        ("refund", ChatReply("Refund."), None, None),
        ("refund", ChatReply("The label is refund"), {"refund", "card"}, "format"),
        ("refund", ChatReply("card"), {"refund", "card"}, "label_confusion"),
        ("refund", ChatReply("I'm sorry, I cannot do that"), {"refund"}, "refusal"),
        ('{"a": 1}', ChatReply('{"a": 1.0}'), None, None),
        ('{"a": 1}', ChatReply('Sure: {"a": 1}'), None, "format"),
        ('{"a": 1}', ChatReply('{"a": 2}'), None, "content"),
        ("It costs 30 EUR at Berlin", ChatReply("It costs nothing"), None, "missing_facts"),
        ("It costs 30 EUR at Berlin", ChatReply("At Berlin 30 EUR are due"), None, "wording"),
        ("Das ist gut", ChatReply("это хорошо, спасибо"), None, "language"),
        ("A long story", ChatReply("A long", finish_reason="length"), None, "truncated"),
    ],
)
def test_causes(
    reference: str, reply: ChatReply, labels: set[str] | None, code: str | None
) -> None:
    assert cause(row(reference), reply, frozenset(labels) if labels else None) == code


def test_causes_of_calls() -> None:
    call = {"function": {"name": "f", "arguments": '{"a": 1}'}}
    asked = row("", call)
    assert cause(asked, ChatReply("", (call,)), None) is None
    assert cause(asked, ChatReply("I will look it up"), None) == "format"
    assert cause(asked, ChatReply('{"name": "f", "arguments": {"a": 2}}'), None) == "content"


def base(right: int, *causes: tuple[str, int]) -> Baseline:
    found = tuple(Failures(code, n, (1,), MEANINGS[code]) for code, n in causes)
    return Baseline("m", 60, right, found)


def known(**more: Any) -> Known:
    return Known(**({"kind": Kind.CHAT, "examples": 500} | more))


@pytest.mark.parametrize(
    ("found", "first"),
    [
        (known(), "tune"),
        (known(examples=30), "collect"),
        (known(labels=Counter({"a": 100, "b": 3, "c": 4})), "collect"),
        (known(baseline=base(60)), "prompt"),
        (known(baseline=base(10, ("format", 40), ("content", 10))), "prompt"),
        (known(baseline=base(10, ("missing_facts", 30), ("wording", 20))), "retrieve"),
        (known(baseline=base(10, ("content", 26), ("format", 24))), "tune"),
        (known(classifier=Classifier(0.95, (0.92, 0.97), 400, 12, 1.0)), "classifier"),
        (known(classifier=Classifier(0.80, (0.76, 0.84), 400, 12, 1.0)), "tune"),
        (known(kind=Kind.PREFERENCE), "tune"),
    ],
)
def test_what_comes_first(found: Known, first: str) -> None:
    advice = advise(found)
    assert advice.recommendation == first == advice.statements[0].code
    assert all(each.evidence for each in advice.statements)
    assert advice.statements[-1].code == "tune"


def test_how_many_are_missing() -> None:
    assert advise(known(labels=Counter(a=100, b=3, c=19))).missing == {"b": 17, "c": 1}
    tune = advise(known(kind=Kind.PREFERENCE)).statements[-1]
    assert "dpo" in tune.text


def test_a_classifier_ties_on_the_support_data() -> None:
    found = classify(rows_of.load(Dataset(SUPPORT / "train.jsonl"), None))
    assert found is not None and found.labels == 12
    assert found.accuracy > 0.85 and found.ci[0] < found.accuracy < found.ci[1]
    assert classify([row("a")] * 20 + [row("b")] * 3) is None


@pytest.fixture
def bridge(vendor: Account) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def test_a_baseline_is_asked_a_sample_once(
    bridge: ftbridge.Bridge, tmp_path: Path, vendor: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_chats(tmp_path / "d.jsonl", "number", count=120)
    alone = bridge.advise(data)
    assert alone.known.baseline is None and any("--baseline" in text for text in alone.unknown)
    reference = "openai:gpt-4.1-2025-04-14"
    for _ in range(2):
        said = bridge.advise(data, baseline=reference, sample=20).to_dict()
        assert said["baseline"]["n"] == 20 and len(said["offers"]) == 3
    calls = sum(r.path == "/v1/chat/completions" for r in vendor.store.requests)
    assert calls == 20
    assert run(["advise", str(data), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recommendation"] and told["statements"][0]["evidence"]
    assert run(["advise", str(data)]) == 0
    assert "first: " in capsys.readouterr().out
    with pytest.raises(ftbridge.UsageError):
        bridge.advise(data, sample=3)


def test_restricted_rows_are_asked_of_nobody(
    bridge: ftbridge.Bridge, tmp_path: Path, vendor: Account
) -> None:
    data = write_chats(tmp_path / "d.jsonl", "number", count=30)
    (tmp_path / "d.jsonl.ftbridge.toml").write_text('privacy = "restricted"\n')
    with pytest.raises(ftbridge.PolicyRefused):
        bridge.advise(data, baseline="openai:gpt-4.1-2025-04-14", sample=10)
    assert vendor.store.requests == []


def test_data_without_answers(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    texts = tmp_path / "t.jsonl"
    texts.write_text("".join(json.dumps({"text": f"text {n}"}) + "\n" for n in range(60)))
    advice = bridge.advise(texts)
    assert advice.recommendation == "tune" and "kind text" in advice.unknown[0]
