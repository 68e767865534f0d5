"""The trainer's start on a rented machine, without the training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbridge_trainer import remote


def machine(root: Path) -> tuple[Path, Path, Path]:
    """Where one machine has mounted the bundle and the data, and its run."""
    inputs, files, run = root / "in", root / "files", root / "run"
    for folder in (inputs, files, run):
        folder.mkdir(parents=True)
    recipe = {"train": "a.jsonl", "validation": "b.jsonl", "seed": 1}
    (inputs / "recipe.json").write_text(json.dumps(recipe))
    for name in ("a.jsonl", "b.jsonl"):
        (files / name).write_text(name)
    return inputs, files, run


def test_the_recipe_is_the_same_wherever_a_machine_mounts_the_data(tmp_path: Path) -> None:
    """Azure ML mounts below another folder each time; a run that lost a machine must go on."""
    made = []
    for name in ("first", "second"):
        inputs, files, run = machine(tmp_path / name)
        made.append(remote._recipe(inputs, [files], run))
        assert (run / made[-1]["train"]).read_text() == "a.jsonl"
        assert (run / made[-1]["validation"]).read_text() == "b.jsonl"
    assert made[0] == made[1]


def test_training_and_validation_may_be_one_file(tmp_path: Path) -> None:
    inputs, files, run = machine(tmp_path)
    (inputs / "recipe.json").write_text(json.dumps({"train": "a.jsonl", "validation": "a.jsonl"}))
    recipe = remote._recipe(inputs, [files], run)
    assert recipe["train"] == recipe["validation"] == "data/a.jsonl"


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    inputs, _, run = machine(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"a\.jsonl is in none of"):
        remote._recipe(inputs, [], run)
