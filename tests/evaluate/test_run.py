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
    assert (first.baseline.value, first.tuned.value, first.verdict) == (0.0, 1.0, "better")
    second = bridge.evaluate(held, model=job.id)
    assert _calls(vendor) == 2 * N
    assert (second.baseline.cached, second.tuned.cached) == (N, N)
    assert (second.difference, second.difference_ci) == (first.difference, first.difference_ci)


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
    assert (result.difference, result.p, result.verdict) == (0.0, 1.0, "no evidence")
