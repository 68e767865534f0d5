"""A split is complete, disjoint, deterministic, leak-free, and blind to the order of the rows."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftbridge.dataset import Dataset, check, split
from ftbridge.errors import DataError, UsageError

from .rows import chat, clean, prose, write


def _sides(rows: list[object], share: float, seed: int) -> tuple[list[str], list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        data = Dataset(write(Path(folder) / "a.jsonl", rows))
        parts = split(data, share, seed, Path(folder) / "out")
        train, held = (
            path.read_text("utf-8").splitlines() for path in (parts.train, parts.validation)
        )
        assert (parts.train_rows, parts.validation_rows) == (len(train), len(held))
        return train, held


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=8, max_size=60),
    st.sampled_from([0.1, 0.25, 0.5]),
    st.integers(0, 2**64),
    st.randoms(use_true_random=False),
)
def test_properties(picks: list[tuple[int, int]], share: float, seed: int, order) -> None:
    rows = [
        chat(f"Question {question}?", f"Answer {answer}.", metadata={"group": question // 3})
        for question, answer in picks
    ]
    try:
        train, held = _sides(rows, share, seed)
    except DataError:
        assert len({question // 3 for question, _ in picks}) < 1 / share + 2
        return
    assert Counter(train + held) == Counter(json.dumps(row, separators=(",", ":")) for row in rows)
    groups = [{json.loads(line)["metadata"]["group"] for line in side} for side in (train, held)]
    assert not groups[0] & groups[1]
    assert len(held) <= max(1, round(share * len(rows)))
    order.shuffle(rows)
    again = _sides(rows, share, seed)
    assert [sorted(side) for side in again] == [sorted(train), sorted(held)]


def test_what_is_alike_stays_together_so_nothing_leaks(tmp_path: Path) -> None:
    rows = clean(400)
    rows += rows[:40]
    for row in rows[40:100]:
        user, answer = (turn["content"] for turn in row["messages"][1:])
        rows.append(chat(user, answer + " Thanks.", "Be brief and kind."))
    parts = split(Dataset(write(tmp_path / "a.jsonl", rows)), 0.2, 7, tmp_path)
    assert parts.validation_rows == 100 and parts.families == 400
    report = check(Dataset(parts.train), validation=Dataset(parts.validation))
    assert not [w.code for w in report.warnings if w.code.startswith("leak")]


def test_each_label_gets_its_share(tmp_path: Path) -> None:
    source = random.Random(1)
    counts = {"refund": 200, "delivery": 100, "other": 50}
    rows = [chat(prose(source, 14), label) for label, n in counts.items() for _ in range(n)]
    _, held = _sides(rows, 0.2, 3)
    labels = Counter(json.loads(line)["messages"][-1]["content"] for line in held)
    assert labels == {"refund": 40, "delivery": 20, "other": 10}


def test_another_seed_is_another_split() -> None:
    rows = clean(100)
    assert _sides(rows, 0.1, 1) != _sides(rows, 0.1, 2)
    assert _sides(rows, 0.1, 1) == _sides(rows, 0.1, 1)


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_a_share_out_of_range_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(UsageError, match="not between 0 and 1"):
        split(Dataset(write(tmp_path / "a.jsonl", clean(9))), share, 1, tmp_path)


def test_rows_that_are_all_alike_cannot_be_split_and_nothing_is_written(tmp_path: Path) -> None:
    data = Dataset(write(tmp_path / "a.jsonl", clean(1) * 9))
    with pytest.raises(DataError, match="one side would be empty"):
        split(data, 0.3, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()
