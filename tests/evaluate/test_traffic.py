"""Coverage and diversity of a data set's inputs against real ones."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ftbridge
from ftbridge.cli import run
from ftbridge.dataset import Dataset
from ftbridge.evaluate import traffic
from ftbridge.evaluate.traffic import coverage

TOPICS = {
    "card": ["card", "lost", "arrive", "block", "pin", "bank", "delivery", "post"],
    "loan": ["loan", "rate", "month", "house", "repay", "early", "interest", "offer"],
    "app": ["app", "phone", "login", "crash", "update", "screen", "version", "store"],
}


def inputs(topics: list[str], count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.sample(TOPICS[topics[n % len(topics)]], 5)) for n in range(count)]


def chats(path: Path, texts: list[str]) -> Path:
    lines = (
        {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "ok"}]}
        for text in texts
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def compared(tmp_path: Path, training: list[str], real: list[str]) -> traffic.Coverage:
    files = [chats(tmp_path / "t.jsonl", training), chats(tmp_path / "r.jsonl", real)]
    return coverage(*(Dataset(file).examples() for file in files))


def test_the_same_source_covers_about_nine_tenths_or_more(tmp_path: Path) -> None:
    found = compared(tmp_path, inputs([*TOPICS], 300, 1), inputs([*TOPICS], 200, 2))
    assert found.covered >= 0.85 and found.ci[0] <= found.covered <= found.ci[1]
    assert found.verdict == "the data's inputs cover the traffic"
    assert found.diversity == pytest.approx(found.traffic_diversity, abs=0.05)


def test_a_topic_that_is_missing_is_found_by_its_lines(tmp_path: Path) -> None:
    found = compared(tmp_path, inputs(["card", "loan"], 200, 1), inputs([*TOPICS], 150, 2))
    assert 0.5 <= found.covered <= 0.68
    assert found.verdict.startswith("much of the traffic is like nothing")
    assert found.uncovered >= 50 and len(found.lines) == 10
    # every third real input, from the third on, is of the missing topic
    assert sum(line % 3 == 0 for line in found.lines) >= 7


def test_inputs_that_are_all_alike_are_less_diverse(tmp_path: Path) -> None:
    real = inputs([*TOPICS], 150, 2)
    narrow = [*inputs(["card"], 190, 1), *inputs([*TOPICS], 30, 4)]
    found = compared(tmp_path, narrow, real)
    assert found.diversity < 0.8 * found.traffic_diversity
    assert "more alike" in found.verdict or "much of the traffic" in found.verdict


def test_the_formulas_by_hand(tmp_path: Path) -> None:
    """Cosines and diversity as the module's text says, without its tricks."""
    training, real = ["a b", "b c c"], ["a b", "a d", "c e"]
    rows = {word: sum(word in text.split() for text in real) for word in "abcde"}
    idf = {word: np.log((1 + 3) / (1 + n)) + 1 for word, n in rows.items()}

    def vector(text: str) -> np.ndarray:
        counts = [text.split().count(word) for word in "abcde"]
        raw = [(1 + np.log(n)) * idf[w] if n else 0.0 for n, w in zip(counts, "abcde", strict=True)]
        return np.array(raw) / np.linalg.norm(raw)

    nearest = [max(vector(r) @ vector(t) for t in training) for r in real]
    found = compared(tmp_path, training, real)
    assert found.nearest == pytest.approx(np.mean(nearest), abs=1e-4)
    first, second, third = map(vector, real)
    mean = np.mean([first @ second, first @ third, second @ third])
    assert found.traffic_diversity == pytest.approx(1 - mean, abs=1e-4)


def test_a_long_stream_is_sampled_evenly_and_the_same_every_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(traffic, "SAMPLE", 100)
    texts = inputs([*TOPICS], 1_000, 3)
    found = compared(tmp_path, texts[:50], texts)
    assert found.traffic == 100 and found.examples == 50
    assert found == compared(tmp_path, texts[:50], texts)

    def items() -> Iterator[object]:
        yield from Dataset(chats(tmp_path / "x.jsonl", texts)).examples()

    kept = [item.line for item in traffic._sampled(items())]  # type: ignore[arg-type]
    assert 350 < np.mean(kept) < 650


@pytest.mark.parametrize("form", ["prompts", "texts"])
def test_traffic_needs_no_answers(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = chats(tmp_path / "train.jsonl", inputs([*TOPICS], 60, 1))
    real = inputs([*TOPICS], 40, 2)
    file = tmp_path / "real.jsonl"
    rows = (
        {"text": text} if form == "texts" else {"messages": [{"role": "user", "content": text}]}
        for text in real
    )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(["check", str(data), "--traffic", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["traffic"]
    assert told["traffic"] == 40 and told["covered"] > 0.7
    assert run(["check", str(data), "--traffic", str(file)]) == 0
    assert "real inputs have a near one here" in capsys.readouterr().out


def test_a_bad_traffic_file(tmp_path: Path, closed_world: Path) -> None:
    data = chats(tmp_path / "train.jsonl", inputs([*TOPICS], 20, 1))
    with pytest.raises(ftbridge.DataError):
        ftbridge.Bridge().coverage(data, tmp_path / "none.jsonl")
