"""Reinforcement through the library: a grader from the plan to the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ftbridge
from ftbridge.testing.tiny_model import build

pytest.importorskip("trl")
pytestmark = pytest.mark.training
SHORT = {
    "type": "python",
    "name": "short",
    "source": "def grade(sample, item):\n    return 1 / (1 + len(sample['output_text']))\n",
}
NAMED = {"type": "string_check", "name": "named", "operation": "like",
         "input": "{{ sample.output_text }}", "reference": "{{ item.reference }}"}  # fmt: skip
OPTIONS = {"compute_dtype": "fp32", "threads": "1", "group_size": "2", "max_new_tokens": "4"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.jsonl"
    rows = ({"messages": [{"role": "user", "content": f"Card {n}?"}], "reference": f"{n}"}
            for n in range(4))  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _plan(tmp_path: Path, data: Path, model: Path, grader: dict[str, Any]) -> Any:
    bridge = ftbridge.Bridge(tmp_path / "home")
    return bridge, bridge.plan(
        data, provider="local", model=str(model), method="rl", adapter="lora", grader=grader,
        n_epochs=1, batch_size=4, options=OPTIONS,
    )  # fmt: skip


@pytest.mark.long
def test_a_graded_job_runs_and_shows_its_reward(tmp_path: Path, data: Path, model: Path) -> None:
    judge = {"type": "score_model", "name": "judge", "model": str(model), "range": [0, 1],
             "input": [{"role": "user", "content": "Score: {{ sample.output_text }}"}],
             "sampling_params": {"max_completions_tokens": 2}}  # fmt: skip
    grader = {"type": "multi", "name": "all", "calculate_output": "short + named + 0.1 * judge",
              "graders": {"short": SHORT, "named": NAMED, "judge": judge}}  # fmt: skip
    bridge, plan = _plan(tmp_path, data, model, grader)
    assert plan.settings["group_size"].value == 2
    job = bridge.submit(plan).wait(0.05)
    rewards = [metric.value for metric in job.metrics() if metric.name == "reward"]
    assert len(rewards) == 1 and rewards[0] > 0
    assert Path(str(job.model), "adapter_model.safetensors").exists()
    assert (job.download(tmp_path / "out") / "README.md").read_text().count("score_model") == 1


def test_what_cannot_be_scored_here_is_said_in_the_plan(
    tmp_path: Path, data: Path, model: Path
) -> None:
    bleu = NAMED | {"type": "text_similarity", "evaluation_metric": "bleu"}
    del bleu["operation"]
    with pytest.raises(ftbridge.Unsupported, match="bleu is not computed here"):
        _plan(tmp_path, data, model, bleu)
    with pytest.raises(ftbridge.UsageError, match="needs a grader"):
        _plan(tmp_path, data, model, None)  # type: ignore[arg-type]


def test_what_it_will_cost_is_unknown_and_no_obstacle(
    tmp_path: Path, data: Path, model: Path
) -> None:
    _, plan = _plan(tmp_path, data, model, NAMED)
    assert plan.usd.high is None
    assert plan.allowed
