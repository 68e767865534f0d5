"""Reinforcement through TRL's GRPO, on a tiny model, with every kind of grader."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftbridge_trainer import guard, recipe
from ftbridge_trainer.__main__ import main
from ftbridge_trainer.errors import TrainerError

from .conftest import read, read_lines, write_rows
from .test_run import error_code, stop_after, types, weights

pytest.importorskip("trl")
Run = Callable[..., Path]
MANY_E = {
    "type": "python",
    "name": "many e",
    "source": "def grade(sample, item):\n"
    "    text = sample['output_text']\n"
    "    return text.count(item['wanted']) / max(1, len(text))\n",
}
NO_SUCH_KEY = {"type": "string_check", "name": "n", "operation": "eq", "input": "{{ item.x }}",
               "reference": ""}  # fmt: skip
QUICK = {"method": "rl", "grader": MANY_E, "group_size": 4, "max_new_tokens": 8,
         "lora_dropout": 0.0, "learning_rate": 0.05, "lr_scheduler": "constant"}  # fmt: skip


def prompts(run: Path, count: int = 8) -> Path:
    rows = [
        {"messages": [{"role": "user", "content": f"Say it {i}"}], "wanted": "e"}
        for i in range(count)
    ]
    return write_rows(run / "train.jsonl", rows)


@pytest.mark.parametrize("name", ["grader", "group_size", "max_new_tokens", "temperature"])
def test_what_only_rl_knows_is_refused_elsewhere(name: str) -> None:
    given = {"schema": 1, "model": "m", "train": "t", name: MANY_E if name == "grader" else 2}
    with pytest.raises(TrainerError, match=f"{name} is rl's alone"):
        recipe.resolve(given, 8, 1000)


@pytest.mark.long
def test_the_reward_rises(new_run: Run) -> None:
    run = new_run(**QUICK | {"n_epochs": 12, "adapter": "qlora", "checkpoint_steps": 50})
    prompts(run)
    assert main([str(run)]) == 0
    rewards = [row["reward"] for row in read_lines(run / "metrics.jsonl")]
    assert len(rewards) == 24
    assert sum(rewards[-4:]) > sum(rewards[:4]) + 0.4  # mean reward up by more than 0.1
    result = read(run / "result.json")
    assert (result["method"], result["steps"], result["output"]) == ("rl", 24, "adapter")
    with pytest.raises(guard.NetworkRefused):
        socket.create_connection(("192.0.2.1", 443), timeout=1)


@pytest.mark.long
def test_paused_and_resumed_ends_bit_identical(new_run: Run) -> None:
    straight, paused = (new_run(name, **QUICK | {"n_epochs": 4}) for name in ("straight", "paused"))
    for run in (straight, paused):
        prompts(run)
    with stop_after(paused, 3, "pause"):
        assert main([str(paused)]) == 0
    assert read(paused / "status.json")["state"] == "paused"
    done = read(paused / "status.json")["step"]
    assert (paused / "checkpoints" / f"step-{done:06d}" / "complete.json").exists()
    for run in (paused, straight):
        assert main([str(run)]) == 0
    assert "resumed" in types(paused)
    assert weights(paused) == weights(straight)
    one, two = (read_lines(run / "metrics.jsonl") for run in (straight, paused))
    assert [row["reward"] for row in one] == [row["reward"] for row in two]
    assert [row["tokens"] for row in one] == [row["tokens"] for row in two]
    assert not list((paused / "checkpoints").glob(".*"))


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"grader": None}, "recipe_invalid"),
        ({"validation": "train.jsonl"}, "validation_unused"),
        ({"grader": {**MANY_E, "source": "def grade(sample, item):\n    return 1 / 0\n"}},
         "grader_failed"),
        ({"grader": NO_SUCH_KEY}, "grader_failed"),
        ({"max_length": 9}, "example_too_long"),
    ],
)  # fmt: skip
def test_what_cannot_run_says_why(new_run: Run, keys: dict[str, Any], code: str) -> None:
    run = new_run(**QUICK | keys)
    prompts(run)
    assert main([str(run)]) == 1
    assert error_code(run) == code


def test_no_text_of_the_data_in_what_a_run_writes(new_run: Run) -> None:
    canary = "zanzibar-passphrase"
    run = new_run(**QUICK | {"n_epochs": 1})
    rows = [{"messages": [{"role": "user", "content": canary}], "wanted": canary} for _ in range(4)]
    write_rows(run / "train.jsonl", rows)
    assert main([str(run)]) == 0
    for file in run.rglob("*"):
        if file.is_file() and file.name != "train.jsonl":
            assert canary.encode() not in file.read_bytes(), file
    assert json.loads((run / "resolved.json").read_text())["values"]["group_size"]["value"] == 4
