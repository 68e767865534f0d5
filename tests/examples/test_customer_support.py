"""The example's data: balanced, disjoint, free of near-duplicates, and honestly easy."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "customer_support"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_data = load("make_data")
naive_bayes = load("naive_bayes")


def rows(name: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


TRAIN, HELDOUT, FEWSHOT = rows("train"), rows("heldout"), rows("fewshot")


@pytest.mark.parametrize(("data", "each"), [(TRAIN, 40), (HELDOUT, 20), (FEWSHOT, 1)])
def test_balance_and_shape(data: list[dict[str, Any]], each: int) -> None:
    assert Counter(row["metadata"]["label"] for row in data) == dict.fromkeys(
        make_data.INTENTS, each
    )
    for row in data:
        assert set(row) == {"messages", "metadata"}
        system, user, assistant = row["messages"]
        assert (system["role"], user["role"], assistant["role"]) == ("system", "user", "assistant")
        assert system["content"].splitlines()[1:] == list(make_data.INTENTS)
        assert assistant["content"] == row["metadata"]["label"]
        assert user["content"] == user["content"].strip() != ""


def test_disjoint() -> None:
    train = {row["metadata"]["source"] for row in TRAIN}
    heldout = {row["metadata"]["source"] for row in HELDOUT}
    assert len(train) == 480
    assert len(heldout) == 240
    assert not train & heldout
    assert all(row in TRAIN for row in FEWSHOT)


def test_no_held_out_row_resembles_another_row() -> None:
    known = [make_data.shingles(row["messages"][1]["content"]) for row in TRAIN]
    for row in HELDOUT:
        mine = make_data.shingles(row["messages"][1]["content"])
        assert all(make_data.jaccard(mine, other) < 0.5 for other in known)
        known.append(mine)


def stand_in(path: Path) -> Path:
    """A file like the original: 70 unlike messages an intent, each with a shouted copy."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "category"])
        for intent in (*make_data.INTENTS, "another_intent"):
            for i in range(70):
                text = f"{intent} a{i},\nb{i} c{i}"
                writer.writerows([(text, intent), (f"{text.upper()}!!", intent)])
    return path


def test_near_duplicates_are_left_out_and_order_is_fixed(tmp_path: Path) -> None:
    found = make_data.read(stand_in(tmp_path / "train.csv"), "train")
    assert len(found) == 12 * 140
    train, heldout = make_data.pick(found)
    assert (train, heldout) == make_data.pick(found)
    words = [tuple(make_data.normalise(text)) for _, text, _ in heldout]
    assert len(words) == len(set(words)) == 240
    assert not set(words) & {tuple(make_data.normalise(text)) for _, text, _ in train}


def test_too_few_rows_are_an_error() -> None:
    same = [(f"train:{i}", "one message", c) for c in make_data.INTENTS for i in range(70)]
    with pytest.raises(SystemExit, match="only 0 held-out rows"):
        make_data.pick(same)


def test_naive_bayes_does_well(capsys: pytest.CaptureFixture[str]) -> None:
    """The row that keeps the example honest."""
    naive_bayes.main(FOLDER / "train.jsonl", FOLDER / "heldout.jsonl")
    printed = json.loads(capsys.readouterr().out)
    assert printed["n"] == 240
    assert printed["accuracy"] >= 0.85
