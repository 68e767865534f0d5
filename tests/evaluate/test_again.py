"""A tuned model on fresh rows, measured as before: has it drifted?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run


@pytest.fixture
def evaluated(bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path) -> ftbridge.Job:
    bridge.evaluate(held, model=job.id, metrics=["normalized_match"], max_tokens=9)
    return job


def mixed(path: Path, wrong: int, right: int) -> Path:
    """Rows whose reference the tuned model (which says `yes`) misses, and meets."""
    rows = [("no", n) for n in range(wrong)] + [("yes", n) for n in range(right)]
    path.write_text(
        "".join(
            json.dumps({"messages": [{"role": "user", "content": f"fresh {said} {n}"},
                                     {"role": "assistant", "content": said}]}) + "\n"
            for said, n in rows
        )
    )  # fmt: skip
    return path


def test_fresh_rows_of_the_same_kind_show_none(
    bridge: ftbridge.Bridge, evaluated: ftbridge.Job, tmp_path: Path, vendor: Account
) -> None:
    fresh = write_chats(tmp_path / "fresh.jsonl", "word", count=25)
    result = bridge.evaluate_again(evaluated.id, fresh)
    told = result.to_dict()
    drift = told["drift"]
    assert (drift["verdict"], drift["advice"]) == ("no evidence of drift", "nothing to do")
    assert (drift["metric"], drift["n_before"], told["n"]) == ("normalized_match", 30, 25)
    assert drift["tuned"]["before"] == drift["tuned"]["now"] == 1.0
    asked = [r for r in vendor.store.requests if r.path == "/v1/chat/completions"][-1]
    assert 9 in (asked.body.get("max_tokens"), asked.body.get("max_completion_tokens"))


def test_rows_that_it_misses_are_drift_and_the_baseline_says_why(
    bridge: ftbridge.Bridge, evaluated: ftbridge.Job, tmp_path: Path
) -> None:
    bridge.alias("router", evaluated.id, reason="the first")
    fresh = mixed(tmp_path / "fresh.jsonl", 15, 10)
    drift = bridge.evaluate_again("router", fresh).drift
    assert drift and drift.verdict == "worse" and drift.tuned.test == "fisher"
    assert drift.tuned.now == 0.4 and drift.tuned.ci[1] < 0
    assert "the baseline did not fall" in drift.advice
    # a second look is held against the same evaluation, not against the first look
    more = mixed(tmp_path / "more.jsonl", 16, 10)
    again = bridge.evaluate_again("router", more).drift
    assert again and again.evaluation == drift.evaluation


def test_what_cannot_have_drifted(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path
) -> None:
    with pytest.raises(ftbridge.UsageError, match="was not evaluated yet"):
        bridge.evaluate_again(job.id, held)
    bridge.evaluate(held, model=job.id)
    with pytest.raises(ftbridge.UsageError, match=r"is what eval_.* was made on"):
        bridge.evaluate_again(job.id, held)
    kept = bridge.ledger.evaluations.of_job(job.id)[0]
    old = {name: value for name, value in kept.items() if name != "scores"}
    bridge.ledger.evaluations.finish(kept["evaluation"], old)
    with pytest.raises(ftbridge.UsageError, match="older version"):
        bridge.evaluate_again(job.id, write_chats(tmp_path / "fresh.jsonl", "word"))


def test_prompt_and_examples_come_again(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path
) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Be exact. {system}")
    bridge.evaluate(held, model=job.id, few_shot=2, baseline_prompt=prompt)
    again = bridge.evaluate_again(job.id, write_chats(tmp_path / "fresh.jsonl", "word"))
    assert again.few_shot == 2
    prompt.unlink()
    with pytest.raises(ftbridge.DataError, match=r"prompt\.txt"):
        bridge.evaluate_again(job.id, write_chats(tmp_path / "later.jsonl", "later"))


def test_by_the_command_line(
    evaluated: ftbridge.Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = mixed(tmp_path / "fresh.jsonl", 15, 10)
    words = ["eval", "--again", evaluated.id, "--data", str(fresh)]
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["drift"]["verdict"] == "worse"
    assert run(["eval", str(fresh), "--again", evaluated.id]) == 0
    assert "drift: worse (30 rows then, 25 now" in capsys.readouterr().out
    for wrong in (["--metric", "chrf"], ["--max-tokens", "3"], ["--model", "x"], [str(fresh)]):
        assert run([*words, *wrong]) == 2
    assert run(["eval", str(fresh)]) == 2
    assert "--model REF, or --again JOB" in capsys.readouterr().err
