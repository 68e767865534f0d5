"""A run folder as the protocol shows it, without any process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbridge.jobs.states import State
from ftbridge_local import status
from ftbridge_local.runs import Run


def _run(folder: Path, **content: object) -> Run:
    (folder / "recipe.json").write_text("{}")
    (folder / "status.json").write_text(json.dumps(content))
    return Run(folder)


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ("preparing", State.PAUSED),
        ("running", State.PAUSED),
        ("paused", State.PAUSED),
        ("failed", State.FAILED),
        ("cancelled", State.CANCELLED),
        ("new_word", State.PAUSED),
    ],
)
def test_states_of_a_run_without_a_process(tmp_path: Path, raw: str, state: State) -> None:
    job = status.job("x", _run(tmp_path, state=raw, step=3, total_steps=12))
    assert job.state is state
    assert job.progress == 0.25


def test_an_error_says_the_next_step_in_words_of_the_command_line(tmp_path: Path) -> None:
    error = {"code": "out_of_memory", "message": "the device ran out", "hint": "recipe words"}
    job = status.job("x", _run(tmp_path, state="failed", error=error))
    assert job.error is not None
    assert job.error["message"] == "the device ran out"
    assert "--batch-size" in job.error["hint"]
    unknown = {"code": "nobody_knows", "message": "m", "hint": "the trainer's own"}
    other = status.job("x", _run(tmp_path, state="failed", error=unknown))
    assert other.error == unknown


def test_half_a_line_is_left_out(tmp_path: Path) -> None:
    run = _run(tmp_path, state="running")
    rows = [{"step": 1, "time": "t", "loss": 2.0}, {"step": 2, "time": "t", "loss": 1.0}]
    text = "\n".join(map(json.dumps, rows))
    (tmp_path / "metrics.jsonl").write_text(text + '\n{"step": 3, "lo')
    assert [(m.step, m.value) for m in status.metrics(run)] == [(1, 2.0), (2, 1.0)]
