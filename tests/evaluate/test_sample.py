"""Rows that are kept for reading: some of each kind, by line and hash, never by their text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.evaluate.sample import MOST_OF_A_KIND, pick


def test_of_each_kind_some_over_the_whole_file() -> None:
    n = 400
    base = [float(i % 4 >= 2) for i in range(n)]
    tuned = [float(i % 2) for i in range(n)]
    calls = [str(i) for i in range(n)]
    found = pick(range(1, n + 1), (calls, calls), (base, tuned))
    assert Counter(row.kind for row in found) == dict.fromkeys(
        ("gained", "lost", "neither", "both"), MOST_OF_A_KIND
    )
    assert max(row.line for row in found) > n * 3 / 4
    assert found == pick(range(1, n + 1), (calls, calls), (base, tuned))
    assert pick([], ([], []), ([], [])) == ()


@pytest.fixture
def bridge(vendor: Account) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def test_the_kept_result_finds_rows_and_replies_again(
    bridge: ftbridge.Bridge, tmp_path: Path
) -> None:
    data = write_chats(tmp_path / "train.jsonl", "colour")
    job = bridge.submit(bridge.plan(data, provider="openai")).wait(0.05)
    held = write_chats(tmp_path / "held.jsonl", "number", count=12)
    bridge.evaluate(held, model=job.id, privacy="confidential")
    kept = bridge.ledger.evaluations.of_job(job.id)[0]["sample"]
    assert (kept["file"], kept["privacy"]) == (str(held), "confidential")
    assert kept["sha256"] == ftbridge.Dataset(held).sha256
    first = kept["rows"][0]
    assert (first["line"], first["kind"], first["tuned_score"]) == (1, "gained", 1.0)
    known = bridge.ledger.evaluations.cached([first["baseline"], first["tuned"]])
    assert known[first["tuned"]].text == "yes" != known[first["baseline"]].text
    assert "number" not in json.dumps(kept["rows"])
