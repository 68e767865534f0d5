"""A judge that is fair, one that likes the first place, one that says nothing; where it may be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from emulated import Account
from evaluate.conftest import JUDGE, Say

import ftbridge
from ftbridge.cli import run
from ftbridge.evaluate.metrics.judge import verdict

N = 30
Judged = Callable[[Say], list[str]]


def fair(first: str, second: str) -> str:
    """Prefers the tuned model's `yes`."""
    return "A" if first == "yes" else "B"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A", "A"), (" **B**.", "B"), ("TIE", "TIE"), ("Verdict: B", "B"), ("winner is A!", "A"),
        ("A good answer is short", None), ("neither", None), ("", None), ("A or B", None),
        ("Both say the same. Answer: TIE", "TIE"),
    ],
)  # fmt: skip
def test_verdicts(text: str, said: str | None) -> None:
    assert verdict(text) == said


def test_a_fair_judge_and_both_orders(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, judged: Judged
) -> None:
    asked = judged(fair)
    result = bridge.evaluate(held, model=job.id, metrics=["judge"], judge=f"openai:{JUDGE}")
    assert len(asked) == 2 * N
    assert all("<reference_answer>\nyes\n</reference_answer>" in text for text in asked)
    main = result.main
    assert (main.baseline.value, main.tuned.value, result.verdict) == (0.0, 1.0, "better")
    assert main.test == "sign" and main.p < 1e-6
    told = result.to_dict()["metrics"][0]["detail"]
    assert (told["wins"], told["losses"], told["ties"], told["unreadable"]) == (N, 0, 0, 0)
    bias = told["position_bias"]
    assert (bias["order_changed_winner"], bias["first_place_won"]) == (0, 0.5)
    assert bias["ci"][0] < 0.5 < bias["ci"][1]


def test_a_judge_that_likes_the_first_place_shows_nothing(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, judged: Judged
) -> None:
    judged(lambda first, second: "A")
    result = bridge.evaluate(held, model=job.id, metrics=["judge"], judge=f"openai:{JUDGE}")
    assert (result.main.difference, result.verdict) == (0.0, "no evidence")
    told = result.main.detail or {}
    assert told["ties"] == N
    assert told["position_bias"]["order_changed_winner"] == N
    assert told["position_bias"]["first_place_won"] == 1.0
    assert told["position_bias"]["ci"][0] > 0.9


def test_equal_answers_are_a_tie_that_nobody_is_asked(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, judged: Judged
) -> None:
    asked = judged(fair)
    result = bridge.evaluate(
        held, model=job.id, baseline=job.id, metrics=["judge"], judge=f"openai:{JUDGE}"
    )
    assert asked == [] and (result.main.detail or {})["identical"] == N
    assert (result.main.tuned.value, result.verdict) == (0.5, "no evidence")


def test_verdicts_are_kept_and_paid_once(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, judged: Judged
) -> None:
    asked = judged(fair)
    names = ["exact_match", "judge"]
    first = bridge.evaluate(held, model=job.id, metrics=names, judge=f"openai:{JUDGE}").judge
    again = bridge.evaluate(held, model=job.id, metrics=names, judge=f"openai:{JUDGE}").judge
    assert first and again and len(asked) == 2 * N
    assert (first.calls, first.cached, again.cached) == (2 * N, 0, 2 * N)
    assert first.usd and first.usd == first.usd_paid == again.usd
    assert again.usd_paid == 0


def test_a_judge_that_says_nothing_is_refused(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, judged: Judged
) -> None:
    judged(lambda first, second: "It depends on many things.")
    with pytest.raises(ftbridge.OperationFailed) as caught:
        bridge.evaluate(held, model=job.id, metrics=["judge"], judge=f"openai:{JUDGE}")
    assert caught.value.code == "no_verdict" and "60 of 60" in caught.value.message


def test_the_judges_place_needs_the_same_clearance(
    bridge: ftbridge.Bridge,
    job: ftbridge.Job,
    held: Path,
    vendor: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = held.with_name("ftbridge.toml")
    rules.write_text('[[policy.allow]]\nlabels = ["internal"]\nproviders = ["openai"]\n')
    monkeypatch.setenv("MISTRAL_API_KEY", "none")
    before = len(vendor.store.requests)
    with pytest.raises(ftbridge.PolicyRefused, match="mistral"):
        bridge.evaluate(held, model=job.id, metrics=["judge"], judge="mistral:mistral-large-latest")
    chats = [r for r in vendor.store.requests[before:] if r.path == "/v1/chat/completions"]
    assert chats == []


def test_what_leaves_to_the_judge_is_in_the_account(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, judged: Judged
) -> None:
    judged(fair)
    bridge.evaluate(held, model=job.id, metrics=["judge"], judge=f"openai:{JUDGE}")
    asked = [each for each in bridge.ledger.egress.entries() if each.action == "asked"]
    assert asked[-1].remote_id == JUDGE and asked[-1].rows == 2 * N


def test_a_judge_must_be_named_and_used(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path
) -> None:
    with pytest.raises(ftbridge.UsageError, match="needs a model that judges"):
        bridge.evaluate(held, model=job.id, metrics=["judge"])
    with pytest.raises(ftbridge.UsageError, match="no metric asks it"):
        bridge.evaluate(held, model=job.id, judge=f"openai:{JUDGE}")


def test_by_the_command_line(
    bridge: ftbridge.Bridge,
    job: ftbridge.Job,
    held: Path,
    judged: Judged,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = judged(fair)
    criteria = held.with_name("criteria.txt")
    criteria.write_text("Which is shorter?")
    words = ["eval", str(held), "--model", job.id, "--metric", "judge", "--judge",
             f"openai:{JUDGE}", "--judge-criteria", str(criteria)]  # fmt: skip
    assert run(words) == 0
    out = capsys.readouterr().out
    assert "judged each pair in both orders: tuned won 30, lost 0, tied 0" in out
    assert len(asked) == 2 * N
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["judge"]["cached"] == 2 * N and told["judge"]["usd_paid"] == 0
    assert told["usd"]["paid"] == 0 and told["usd"]["unknown"] == []
