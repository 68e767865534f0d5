"""An evaluation against the emulator: what it refuses, and that no call is paid twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge

N = 30


@pytest.fixture
def bridge(vendor: Account) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


@pytest.fixture
def job(bridge: ftbridge.Bridge, tmp_path: Path) -> ftbridge.Job:
    data = write_chats(tmp_path / "train.jsonl", "colour")
    return bridge.submit(bridge.plan(data, provider="openai")).wait(0.05)


@pytest.fixture
def held(tmp_path: Path) -> Path:
    return write_chats(tmp_path / "held.jsonl", "number", count=N)


def _calls(vendor: Account) -> int:
    return sum(r.path == "/v1/chat/completions" for r in vendor.store.requests)


def test_rows_that_were_trained_on_are_refused(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    mixed = tmp_path / "mixed.jsonl"
    row = {"messages": [{"role": "user", "content": "  COLOUR   3"},
                        {"role": "assistant", "content": "no"}]}  # fmt: skip
    mixed.write_text(held.read_text() + json.dumps(row) + "\n")
    with pytest.raises(ftbridge.DataError) as caught:
        bridge.evaluate(mixed, model=job.id)
    assert caught.value.code == "trained_rows"
    assert "1 of its prompts" in caught.value.message
    assert _calls(vendor) == 0
    assert bridge.evaluate(mixed, model=job.id, allow_trained_rows=True).n == N + 1


def test_a_second_evaluation_calls_nobody(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, vendor: Account
) -> None:
    first = bridge.evaluate(held, model=job.id)
    assert (first.n, _calls(vendor)) == (N, 2 * N)
    main = first.main
    assert (main.baseline.value, main.tuned.value, first.verdict) == (0.0, 1.0, "better")
    second = bridge.evaluate(held, model=job.id)
    assert _calls(vendor) == 2 * N
    assert (second.baseline.cached, second.tuned.cached) == (N, N)
    assert second.comparisons == first.comparisons


def test_rows_that_ask_the_same_are_asked_once(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    twice = tmp_path / "twice.jsonl"
    twice.write_text(held.read_text() * 2)
    shown: list[float] = []
    result = bridge.evaluate(twice, model=job.id, on_progress=lambda done, _: shown.append(done))
    assert (result.n, _calls(vendor)) == (2 * N, 2 * N)
    assert shown[-1] == 1.0


def test_calls_made_before_a_crash_are_not_made_again(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, vendor: Account
) -> None:
    class Crash(Exception):
        pass

    def crash(share: float, _: str) -> None:
        if share >= 0.3:
            raise Crash

    with pytest.raises(Crash):
        bridge.evaluate(held, model=job.id, on_progress=crash)
    kept = bridge.ledger.evaluations
    assert kept is not None
    made = _calls(vendor)
    assert made < 2 * N
    result = bridge.evaluate(held, model=job.id)
    assert result.baseline.cached >= int(0.3 * 2 * N)
    assert _calls(vendor) == made + 2 * N - result.baseline.cached - result.tuned.cached


def test_answers_beside_a_failed_call_are_kept(
    bridge: ftbridge.Bridge,
    job: ftbridge.Job,
    held: Path,
    vendor: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ftbridge_openai.adapter import OpenAIProvider

    real = OpenAIProvider.chat
    answered: list[str] = []

    def fragile(self: OpenAIProvider, model: str, request: object) -> object:
        content = str(request.messages[-1]["content"])  # type: ignore[attr-defined]
        if content == "number 4":
            raise ftbridge.NetworkError("no answer")
        reply = real(self, model, request)  # type: ignore[arg-type]
        answered.append(content)
        return reply

    with monkeypatch.context() as patch:
        patch.setattr(OpenAIProvider, "chat", fragile)
        with pytest.raises(ftbridge.NetworkError):
            bridge.evaluate(held, model=job.id)
    assert len(answered) < N
    assert bridge.evaluate(held, model=job.id).baseline.cached == len(answered)
    assert _calls(vendor) == 2 * N


def test_another_prompt_is_another_call(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    bridge.evaluate(held, model=job.id, limit=3)
    shots = write_chats(tmp_path / "shots.jsonl", "shot", count=2)
    result = bridge.evaluate(held, model=job.id, limit=3, few_shot=shots)
    assert (result.baseline.cached, result.tuned.cached, result.few_shot) == (0, 3, 2)
    assert _calls(vendor) == 9


def test_what_cannot_be_evaluated(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path
) -> None:
    with pytest.raises(ftbridge.UsageError):
        bridge.evaluate(held, model=f"openai:{job.model}")
    with pytest.raises(ftbridge.UsageError):
        bridge.evaluate(held, model=job.id, limit=0)
    with pytest.raises(ftbridge.UsageError):
        bridge.evaluate(held, model="job_none")
    with pytest.raises(ftbridge.DataError):
        bridge.evaluate(tmp_path / "none.jsonl", model=job.id)
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "once"}\n')
    with pytest.raises(ftbridge.DataError):
        bridge.evaluate(texts, model=job.id)


def test_a_model_against_itself_shows_nothing(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path
) -> None:
    result = bridge.evaluate(held, model=job.id, baseline=f"openai:{job.model}")
    assert (result.main.difference, result.main.p, result.verdict) == (0.0, 1.0, "no evidence")


def test_several_metrics_read_the_same_replies(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, vendor: Account
) -> None:
    bridge.evaluate(held, model=job.id)
    names = ["normalized_match", "exact_match", "chrf"]
    result = bridge.evaluate(held, model=job.id, metrics=names)
    assert _calls(vendor) == 2 * N
    assert [each.metric for each in result.comparisons] == names
    assert [each.test for each in result.comparisons] == ["mcnemar", "mcnemar", "sign"]
    told = result.to_dict()
    assert told["metric"] == "normalized_match" and len(told["metrics"]) == 3
    assert told["metrics"][2]["tuned"] == {"value": 1.0, "ci": [1.0, 1.0]}
    assert 0 < told["minimum_detectable"] < 1
    with pytest.raises(ftbridge.UsageError):
        bridge.evaluate(held, model=job.id, metrics=[])


def test_labels_are_told_one_by_one(
    bridge: ftbridge.Bridge, job: ftbridge.Job, tmp_path: Path
) -> None:
    path = tmp_path / "labels.jsonl"
    rows = [("good", 6), ("bad", 4)]
    lines = [
        json.dumps({"messages": [{"role": "user", "content": f"{label} {n}"},
                                 {"role": "assistant", "content": label}]})
        for label, count in rows for n in range(count)
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    labels = bridge.evaluate(path, model=job.id).to_dict()["labels"]
    assert [(row["label"], row["n"]) for row in labels["classes"]] == [("bad", 4), ("good", 6)]
    told = {row["label"]: row["tuned"] for row in labels["classes"]}
    wrong = sum(row["count"] for row in labels["confusion"])
    assert wrong == round(sum((1 - told[label]) * count for label, count in rows))


def test_the_baselines_prompt_is_its_own(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    bridge.evaluate(held, model=job.id, limit=2)
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Be exact. {system}")
    result = bridge.evaluate(held, model=job.id, limit=2, baseline_prompt=prompt)
    assert (result.baseline.cached, result.tuned.cached) == (0, 2)
    asked = [r for r in vendor.store.requests if r.path == "/v1/chat/completions"][-1]
    first = asked.body["messages"][0]
    assert first["role"] == "system" and first["content"].startswith("Be exact. ")
    with pytest.raises(ftbridge.DataError):
        bridge.evaluate(held, model=job.id, baseline_prompt=tmp_path / "none.txt")


def test_a_metric_that_the_references_say_nothing_to(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    calls = tmp_path / "calls.jsonl"
    turns = [{"role": "user", "content": "go"}, {"role": "assistant", "tool_calls": [call]}]
    calls.write_text(json.dumps({"messages": turns, "tools": [tool]}) + "\n")
    for data, metric in ((calls, "exact_match"), (held, "tool_call")):
        with pytest.raises(ftbridge.DataError, match=r":1: the reference calls .* cannot judge"):
            bridge.evaluate(data, model=job.id, metrics=[metric])
    assert _calls(vendor) == 0
    assert bridge.evaluate(calls, model=job.id, metrics=["tool_call"]).main.metric == "tool_call"


def test_near_duplicates_of_training_rows_are_refused(
    bridge: ftbridge.Bridge, held: Path, tmp_path: Path, vendor: Account
) -> None:
    def chat(question: str) -> str:
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": "yes"}]
        return json.dumps({"messages": turns}) + "\n"

    words = [f"word{n}" for n in range(60)]
    train = tmp_path / "long.jsonl"
    train.write_text("".join(chat(" ".join(words[n:] + words[:n])) for n in range(0, 60, 5)))
    job = bridge.submit(bridge.plan(train, provider="openai")).wait(0.05)
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text(held.read_text() + chat(" ".join([*words[:30], "changed", *words[31:]])))
    with pytest.raises(ftbridge.DataError) as caught:
        bridge.evaluate(mixed, model=job.id)
    assert caught.value.code == "trained_rows"
    assert "1 of its rows nearly repeat" in caught.value.message
    assert f"lines {N + 1})" in caught.value.message and _calls(vendor) == 0
    assert bridge.evaluate(mixed, model=job.id, limit=N).held_out.checked.endswith("duplicates")
    told = bridge.evaluate(mixed, model=job.id, allow_trained_rows=True).to_dict()
    assert told["held_out"] == {"checked": "waived", "reason": ""}
    train.write_text(train.read_text() * 2)
    told = bridge.evaluate(mixed, model=job.id).to_dict()
    assert told["held_out"]["checked"] == "prompts" and "changed" in told["held_out"]["reason"]


def test_rows_that_must_stay_are_asked_of_nobody(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, vendor: Account
) -> None:
    with pytest.raises(ftbridge.PolicyRefused):
        bridge.evaluate(held, model=job.id, privacy="restricted")
    assert _calls(vendor) == 0
    with pytest.raises(ftbridge.UsageError):
        bridge.evaluate(held, model=job.id, privacy="secret")
    assert bridge.evaluate(held, model=job.id, privacy="internal").n == N
