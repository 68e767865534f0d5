"""Preferences by a person and by a judge: pairs for DPO that plan takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from emulated import Account
from evaluate.conftest import JUDGE, Say

import ftbridge
from ftbridge.cli import run
from ftbridge.curate import files
from ftbridge.curate.pairs import Pair
from ftbridge.dataset import Dataset
from ftbridge.provider import ChatReply, ChatRequest

N = 30
Judged = Callable[[Say], list[str]]


def _calls(vendor: Account) -> int:
    return sum(r.path == "/v1/chat/completions" for r in vendor.store.requests)


def _prefer_yes(pair: Pair, left: int) -> str:
    return "1" if pair.shown[0] == "yes" else "2"


def test_a_person_chooses_without_knowing_who_answered(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    out = tmp_path / "pairs.jsonl"
    places: list[str] = []

    def ask(pair: Pair, left: int) -> str:
        places.append(_prefer_yes(pair, left))
        return places[-1]

    models = [job.id, f"openai:{job.row.model}"]
    told = bridge.rate(held, out, ask, models=models, rater="ann")
    assert (told["pairs"], told["kept"], told["ties"]) == (N, N, 0)
    assert told["usd"] and 5 < places.count("1") < 25  # the order is drawn
    rows = files.read(out)
    assert {row["chosen"][0]["content"] for row in rows} == {"yes"}
    note = rows[0]["metadata"]["preference"]
    assert (note["chosen_by"], note["kind"]) == ("ann", "person")
    assert note["chosen"] == f"openai:{job.model}" and note["rejected"] == models[1]
    assert str(Dataset(out).kind) == "preference" and bridge.check(out).ok
    assert bridge.plan(out, provider="openai", method="dpo").spec.training.examples == N


def test_what_is_rated_is_kept_at_once_and_not_asked_again(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    out = tmp_path / "pairs.jsonl"
    models = [job.id, f"openai:{job.row.model}"]
    words = iter(["1", "t", "2", "s", "q"])
    told = bridge.rate(held, out, lambda pair, left: next(words), models=models)
    assert (told["kept"], told["ties"]) == (2, 1) and len(files.read(out)) == 2
    before = _calls(vendor)
    shown: list[int] = []
    bridge.rate(held, out, lambda pair, left: shown.append(left) or "q", models=models)
    assert shown == [N - 2] and _calls(vendor) == before


def test_one_model_answers_twice(
    bridge: ftbridge.Bridge, held: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftbridge_openai.adapter import OpenAIProvider

    asked: list[ChatRequest] = []

    def chat(self: Any, model: str, request: ChatRequest) -> ChatReply:
        asked.append(request)
        return ChatReply(f"answer {request.seed}")

    monkeypatch.setattr(OpenAIProvider, "chat", chat)
    told = bridge.rate(held, tmp_path / "p.jsonl", _prefer_yes, models=[f"openai:{JUDGE}"], limit=3)
    assert told["pairs"] == 3
    assert {(request.temperature, request.seed) for request in asked} == {(1.0, 0), (1.0, 1)}


def test_a_judge_keeps_what_wins_in_both_orders(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, judged: Judged
) -> None:
    asked = judged(lambda first, second: "A" if first == "yes" else "B")
    out = tmp_path / "pairs.jsonl"
    models = [job.id, f"openai:{job.row.model}"]
    told = bridge.judge(held, out, models=models, judge=f"openai:{JUDGE}")
    assert (told["pairs"], told["kept"], told["judge"]["losses"]) == (N, N, N)
    assert len(asked) == 2 * N and "<reference_answer>" not in asked[0]
    rows = files.read(out)
    assert {row["chosen"][0]["content"] for row in rows} == {"yes"}
    assert rows[0]["metadata"]["preference"]["chosen_by"] == f"openai:{JUDGE}"
    assert bridge.plan(out, provider="openai", method="dpo").spec.training.examples == N


def test_a_judge_that_likes_a_place_keeps_nothing(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, judged: Judged
) -> None:
    judged(lambda first, second: "B")
    out = tmp_path / "pairs.jsonl"
    models = [job.id, f"openai:{job.row.model}"]
    told = bridge.judge(held, out, models=models, judge=f"openai:{JUDGE}")
    assert told["kept"] == 0 and not out.exists()
    assert told["judge"]["position_bias"]["order_changed_winner"] == N


def test_the_policy_and_the_budget_come_first(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    out, models = tmp_path / "pairs.jsonl", [job.id, f"openai:{job.row.model}"]
    before = _calls(vendor)
    with pytest.raises(ftbridge.PolicyRefused):
        bridge.rate(held, out, _prefer_yes, models=models, privacy="restricted")
    with pytest.raises(ftbridge.BudgetRefused):
        bridge.rate(held, out, _prefer_yes, models=models, max_usd=0)
    with pytest.raises(ftbridge.UsageError, match="3 models answer"):
        bridge.rate(held, out, _prefer_yes, models=[*models, job.id])
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "once"}\n')
    with pytest.raises(ftbridge.DataError, match="no prompt to answer"):
        bridge.rate(texts, out, _prefer_yes, models=models)
    assert _calls(vendor) == before


def test_by_the_command_line(
    job: ftbridge.Job,
    held: Path,
    tmp_path: Path,
    judged: Judged,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from click.testing import CliRunner

    from ftbridge.cli import cli

    judged(lambda first, second: "A" if first == "yes" else "B")
    base = ["--model", job.id, "--model", f"openai:{job.row.model}", "--limit", "3"]
    rated = CliRunner().invoke(
        cli, ["data", "rate", str(held), *base, "-o", str(tmp_path / "r.jsonl")], input="1\n2\nq\n"
    )
    assert rated.exit_code == 0, rated.output
    assert "answer 1:" in rated.output and "2 pairs kept" in rated.output
    assert job.id not in rated.output and job.row.model not in rated.output
    words = ["data", "judge", str(held), *base, "-o", str(tmp_path / "j.jsonl")]
    assert run([*words, "--judge", f"openai:{JUDGE}", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pairs"], told["kept"]) == (3, 3) and told["usd"] > 0
    assert run(["data", "rate", str(held), *base, "-o", "x", "--json"]) == 2
