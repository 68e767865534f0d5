"""A sweep at the emulator: one budget, the best by held-out rows, and going on after a kill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.cli.sweep import parse
from ftbridge.evaluate.result import Result
from ftbridge.sweep import Trial

GRID = {"n_epochs": [1, 3], "learning_rate_multiplier": [0.5, 2.0]}


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest) -> None:
    """Jobs at the emulator that end at once."""
    if "vendor" in request.fixturenames:
        request.getfixturevalue("vendor").reset(speed=5_000)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_chats(tmp_path / "train.jsonl", "colour", count=16)


@pytest.fixture
def held(tmp_path: Path) -> Path:
    return write_chats(tmp_path / "held.jsonl", "number", count=12)


def _posts(vendor: Account, path: str) -> int:
    return sum(r.path == path and r.method == "POST" for r in vendor.store.requests)


def test_every_combination_is_a_job_with_the_tag(
    bridge: ftbridge.Bridge, data: Path, held: Path, vendor: Account
) -> None:
    found = bridge.sweep(data, GRID, validation=held, provider="openai")
    assert [trial.values for trial in found.trials] == [
        {"n_epochs": 1, "learning_rate_multiplier": 0.5},
        {"n_epochs": 1, "learning_rate_multiplier": 2.0},
        {"n_epochs": 3, "learning_rate_multiplier": 0.5},
        {"n_epochs": 3, "learning_rate_multiplier": 2.0},
    ]
    jobs = bridge.jobs(tag=("sweep", found.id))
    assert {job.id for job in jobs} == {trial.job for trial in found.trials}
    assert found.best is found.trials[0] and found.best.score == 1.0
    assert len(found.close) == 3
    # the base is asked once for all, each model once
    assert _posts(vendor, "/v1/chat/completions") == 12 * 5
    assert bridge.ledger.evaluations.latest(found.best.job) is not None
    body = next(r.body for r in vendor.store.requests if r.path == "/v1/fine_tuning/jobs")
    assert body.get("validation_file") is None


def test_started_again_it_takes_what_has_ended(
    bridge: ftbridge.Bridge, data: Path, held: Path, vendor: Account
) -> None:
    first = bridge.sweep(data, GRID, validation=held, provider="openai")
    made = _posts(vendor, "/v1/fine_tuning/jobs"), _posts(vendor, "/v1/chat/completions")
    again = bridge.sweep(data, GRID, validation=held, provider="openai", max_usd=0)
    assert [t.job for t in again.trials] == [t.job for t in first.trials]
    assert (again.id, again.planned_usd) == (first.id, 0)
    assert made == (
        _posts(vendor, "/v1/fine_tuning/jobs"), _posts(vendor, "/v1/chat/completions"),
    )  # fmt: skip


def test_killed_between_trials_it_goes_on(
    bridge: ftbridge.Bridge, data: Path, held: Path, vendor: Account
) -> None:
    class Kill(BaseException):
        pass

    def kill(share: float, text: str) -> None:
        if share >= 0.25:
            raise Kill

    with pytest.raises(Kill):
        bridge.sweep(data, GRID, validation=held, provider="openai", on_progress=kill)
    assert 0 < _posts(vendor, "/v1/fine_tuning/jobs") < 4
    found = bridge.sweep(data, GRID, validation=held, provider="openai")
    assert all(trial.result for trial in found.trials)
    assert _posts(vendor, "/v1/fine_tuning/jobs") == 4


def test_one_budget_over_all_trials(
    bridge: ftbridge.Bridge, data: Path, held: Path, vendor: Account
) -> None:
    alone = bridge.plan(data, provider="openai", n_epochs=3, learning_rate_multiplier=2.0)
    assert alone.usd.high
    with pytest.raises(ftbridge.BudgetRefused, match="4 trials may cost"):
        bridge.sweep(data, GRID, validation=held, provider="openai", max_usd=alone.usd.high)
    assert _posts(vendor, "/v1/files") == _posts(vendor, "/v1/fine_tuning/jobs") == 0


def test_a_share_is_held_out_of_training(
    bridge: ftbridge.Bridge, data: Path, vendor: Account
) -> None:
    found = bridge.sweep(data, {"n_epochs": [1, 2]}, validation=0.25, provider="openai")
    spec = json.loads(bridge.job(found.trials[0].job).row.spec)
    assert spec["training"]["examples"] == 12 and spec["validation"] is None
    assert found.trials[0].result and found.trials[0].result.n == 4


def test_a_trial_that_fails_is_told_in_its_row(
    bridge: ftbridge.Bridge,
    data: Path,
    held: Path,
    vendor: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = ftbridge.Job.require_success

    def fail(self: ftbridge.Job) -> None:
        if json.loads(self.row.spec)["hyperparameters"]["n_epochs"] == 1:
            raise ftbridge.JobFailed("it has failed")
        real(self)

    monkeypatch.setattr(ftbridge.Job, "require_success", fail)
    found = bridge.sweep(data, {"n_epochs": [1, 2]}, validation=held, provider="openai")
    assert [trial.error for trial in found.trials] == ["it has failed", None]
    assert found.best is found.trials[1]


@pytest.mark.parametrize(
    ("texts", "grid"),
    [
        (["n_epochs=1,3"], {"n_epochs": [1, 3]}),
        (["lora-r=8", "learning_rate=1e-4,1e-3"], {"lora_r": [8], "learning_rate": [1e-4, 1e-3]}),
    ],
)
def test_values_by_the_command_line(texts: list[str], grid: dict[str, list[float]]) -> None:
    assert parse(texts) == grid
    kinds = [type(value) for values in parse(texts).values() for value in values]
    assert kinds == [type(value) for values in grid.values() for value in values]


@pytest.mark.parametrize("grid", [{}, {"n_epochs": []}, {"speed": [1]}, {"n_epochs": [0]},
                                  {"n_epochs": list(range(1, 26))}])  # fmt: skip
def test_what_is_no_grid(bridge: ftbridge.Bridge, data: Path, grid: dict[str, Any]) -> None:
    with pytest.raises(ftbridge.UsageError):
        bridge.sweep(data, grid, provider="openai")


def test_the_best_is_the_highest_and_close_ones_are_named() -> None:
    from ftbridge.evaluate.result import Comparison, Share
    from ftbridge.sweep import Sweep

    def trial(job: str, value: float, ci: tuple[float, float]) -> Trial:
        none, tuned = Share(0, (0, 0)), Share(value, ci)
        main = Comparison("m", none, tuned, 0, (0, 0), 1, "sign", 0, "better")
        result = object.__new__(Result)
        object.__setattr__(result, "comparisons", (main,))
        return Trial({}, job, "succeeded", result)

    low, best = trial("low", 0.5, (0.4, 0.6)), trial("best", 0.8, (0.7, 0.9))
    near = trial("near", 0.75, (0.6, 0.85))
    found = Sweep("s", "m", "h", (low, best, near, Trial({}, "", "failed", error="no")), None)
    assert found.best is best and found.close == [near]


def test_by_the_command_line(
    data: Path, held: Path, vendor: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sweep", str(data), "--provider", "openai", "--validation", str(held),
             "--vary", "n_epochs=1,2"]  # fmt: skip
    assert run(words) == 2
    assert "needs --yes" in capsys.readouterr().err
    assert run([*words, "--yes"]) == 0
    out = capsys.readouterr().out
    assert "n_epochs=1\tjob_" in out and "cannot tell it from job_" in out
    assert run([*words, "--yes", "--json", "--max-usd", "0"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["best"]["values"] == {"n_epochs": 1} and len(told["trials"]) == 2
    assert run([*words, "--yes", "--vary", "n_epochs"]) == 2


@pytest.mark.long
@pytest.mark.training
def test_here_a_better_rate_wins(
    tmp_path: Path, closed_world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real sweep of a tiny model: a rate of nearly nothing against one that learns."""
    pytest.importorskip("torch")
    from ftbridge.testing.tiny_model import build

    model = build(tmp_path / "model")
    data = write_chats(tmp_path / "train.jsonl", "card", count=24)
    held = write_chats(tmp_path / "held.jsonl", "number", count=8)
    words = ["sweep", str(data), "--provider", "local", "--model", str(model), "--adapter", "lora",
             "--validation", str(held), "--vary", "learning_rate=1e-9,1e-2", "--n-epochs", "2",
             "--metric", "log_likelihood", "--max-tokens", "2", "--option", "threads=1",
             "--option", "compute_dtype=fp32", "--json"]  # fmt: skip
    assert run(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["best"]["values"] == {"learning_rate": 1e-2}
    assert told["best"]["verdict"] == "better"
    assert run(words) == 0
    again = json.loads(capsys.readouterr().out)
    assert [t["job"] for t in again["trials"]] == [t["job"] for t in told["trials"]]
