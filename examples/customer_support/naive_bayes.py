"""A multinomial naive Bayes on the same rows, as the honest classical row of the comparison.

`python naive_bayes.py [TRAIN.jsonl HELDOUT.jsonl]` prints one JSON document. Standard library only.
"""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path


def features(text: str) -> list[str]:
    """Word 1-grams and 2-grams, lower case."""
    words = re.findall(r"[a-z0-9']+", text.lower())
    return words + [" ".join(pair) for pair in pairwise(words)]


def read(path: Path) -> list[tuple[str, str]]:
    """(user message, label) of each line."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line)["messages"] for line in file]
    return [(messages[-2]["content"], messages[-1]["content"]) for messages in rows]


def fit_and_score(train: list[tuple[str, str]], heldout: list[tuple[str, str]]) -> float:
    """Accuracy 0..1 with add-one smoothing and class priors from the training rows."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text, label in train:
        counts[label].update(features(text))
    priors = Counter(label for _, label in train)
    vocabulary = len({word for counter in counts.values() for word in counter})
    totals = {label: counter.total() + vocabulary for label, counter in counts.items()}

    def score(label: str, words: list[str]) -> float:
        seen = counts[label]
        likelihood = sum(math.log((seen[word] + 1) / totals[label]) for word in words)
        return math.log(priors[label]) + likelihood

    hits = 0
    for text, truth in heldout:
        words = features(text)
        hits += max(priors, key=lambda label: score(label, words)) == truth
    return hits / len(heldout)


def main(train: Path, heldout: Path) -> None:
    """Print accuracy and time."""
    started = time.perf_counter()
    tested = read(heldout)
    accuracy = fit_and_score(read(train), tested)
    seconds = round(time.perf_counter() - started, 3)
    print(json.dumps({"n": len(tested), "accuracy": accuracy, "seconds": seconds}))


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    paths = [Path(arg) for arg in sys.argv[1:3]] or [here / "train.jsonl", here / "heldout.jsonl"]
    main(paths[0], paths[1])
