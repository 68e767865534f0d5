"""Make the data of all 77 intents from the two original files: `make_all.py TRAIN.csv DEV.csv`.

The same two files give the same bytes again. What is near to another row is left out as in
``make_data.py``. The system message names no label: the tuned model learns them, and prompts are
short; the baseline is told all 77 by ``all_prompt.txt`` and shown one example of each.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from pathlib import Path

from make_data import MAX_JACCARD, SEED, Row, jaccard, shingles

SYSTEM = "Classify the customer's message to the bank. Answer with its label and nothing else."
TRAIN_PER_INTENT, HELDOUT_PER_INTENT = 20, 5


def read(path: Path, name: str) -> list[Row]:
    """All rows, each with its place in the original file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(r["text"], r["category"]) for r in csv.DictReader(file)]
    return [(f"{name}:{i}", text.strip(), label) for i, (text, label) in enumerate(rows)]


def pick(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Training rows by seed, then held-out rows from what resembles no row taken before."""
    rng = random.Random(SEED)
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[2], []).append(row)
    for label in sorted(groups):
        rng.shuffle(groups[label])
    train = [row for label in sorted(groups) for row in groups[label][:TRAIN_PER_INTENT]]
    known = [shingles(text) for _, text, _ in train]
    heldout: list[Row] = []
    for label in sorted(groups):
        kept = 0
        for row in groups[label][TRAIN_PER_INTENT:]:
            mine = shingles(row[1])
            if kept < HELDOUT_PER_INTENT and all(jaccard(mine, k) < MAX_JACCARD for k in known):
                heldout.append(row)
                known.append(mine)
                kept += 1
        if kept < HELDOUT_PER_INTENT:
            raise SystemExit(f"{label}: only {kept} held-out rows are left")
    rng.shuffle(train)
    rng.shuffle(heldout)
    return train, heldout


def example(row: Row) -> str:
    """One line of canonical chat JSONL."""
    source, text, label = row
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": text},
        {"role": "assistant", "content": label},
    ]
    metadata = {"source": source, "label": label}
    return json.dumps({"messages": messages, "metadata": metadata}, ensure_ascii=False)


def main(train_csv: Path, dev_csv: Path) -> None:
    """Write all_train, all_heldout and all_fewshot.jsonl and all_prompt.txt beside this script."""
    train, heldout = pick(read(train_csv, "train") + read(dev_csv, "dev"))
    labels = sorted({row[2] for row in train})
    rng = random.Random(SEED)
    fewshot = [rng.choice([row for row in train if row[2] == label]) for label in labels]
    rng.shuffle(fewshot)
    here = Path(__file__).resolve().parent
    for name, rows in (("train", train), ("heldout", heldout), ("fewshot", fewshot)):
        text = "".join(example(row) + "\n" for row in rows)
        (here / f"all_{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")
    prompt = "\n".join(["{system} The labels are:", *labels])
    (here / "all_prompt.txt").write_text(prompt + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: make_all.py TRAIN.csv DEV.csv")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
