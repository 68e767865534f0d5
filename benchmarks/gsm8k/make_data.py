"""Make this folder's data from GSM8K: `python make_data.py TRAIN.jsonl DEV.jsonl`.

The task is the form, not the arithmetic: reasoning without the calculator's marks, and a last
line `#### NUMBER` that a program can read. The same files give the same bytes again.
"""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRAIN, HELDOUT, FEWSHOT, SEED = 240, 100, 3, 7
LETTERS = 500
"""Longest question and longest answer that are taken."""
SYSTEM = "Solve the problem step by step. End with a line `#### ` and the number alone."
MARKS = re.compile(r"<<[^>]*>>")


def rows(path: Path, name: str) -> list[str]:
    """The short rows of one file as chats."""
    found = []
    for place, line in enumerate(path.read_text("utf-8").splitlines()):
        row = json.loads(line)
        answer = MARKS.sub("", row["answer"])
        if max(len(row["question"]), len(answer)) > LETTERS:
            continue
        messages = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": row["question"]},
            {"role": "assistant", "content": answer},
        ]
        example = {"messages": messages, "metadata": {"source": f"{name}:{place}"}}
        found.append(json.dumps(example, ensure_ascii=False) + "\n")
    return found


def main(train: Path, dev: Path) -> None:
    """Write train, heldout and fewshot.jsonl beside this script."""
    rng = random.Random(SEED)
    taken = rng.sample(rows(train, "train"), TRAIN)
    sides = {"train": taken, "heldout": rng.sample(rows(dev, "dev"), HELDOUT)}
    sides["fewshot"] = sorted(taken, key=len)[:FEWSHOT]
    for name, lines in sides.items():
        (HERE / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: make_data.py TRAIN.jsonl DEV.jsonl")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
