"""Make this folder's data from the two original banking77 files: `make_data.py TRAIN.csv DEV.csv`.

The same two files give the same bytes again. Only the standard library is used.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
from pathlib import Path

INTENTS = (
    "activate_my_card",
    "card_arrival",
    "change_pin",
    "declined_card_payment",
    "edit_personal_details",
    "exchange_rate",
    "lost_or_stolen_card",
    "request_refund",
    "terminate_account",
    "top_up_failed",
    "transfer_not_received_by_recipient",
    "verify_my_identity",
)
TASK = (
    "Classify the customer's message to the bank. Answer with one of these labels and nothing else:"
)
SYSTEM = f"{TASK}\n" + "\n".join(INTENTS)
TRAIN_PER_INTENT, HELDOUT_PER_INTENT = 40, 20
# Two messages are near-duplicates when their word sets after normalising share this much.
MAX_JACCARD = 0.5
SHINGLE_WORDS = 2
SEED = 7

Row = tuple[str, str, str]  # source id ("train:17" counts data rows from 0), text, label


def normalise(text: str) -> list[str]:
    """Lower-case words; punctuation, accents of spelling and line breaks carry no difference."""
    return re.findall(r"[a-z0-9]+", text.lower().replace("'", ""))


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Runs of SHINGLE_WORDS words; a shorter message is one shingle."""
    words = normalise(text)
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    return frozenset(tuple(words[i : i + SHINGLE_WORDS]) for i in range(count))


def jaccard(left: frozenset[tuple[str, ...]], right: frozenset[tuple[str, ...]]) -> float:
    """Shared part of two sets, 0..1."""
    return len(left & right) / len(left | right)


def read(path: Path, name: str) -> list[Row]:
    """The rows of the wanted intents, each with its place in the original file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(r["text"], r["category"]) for r in csv.DictReader(file)]
    return [(f"{name}:{i}", t.strip(), c) for i, (t, c) in enumerate(rows) if c in INTENTS]


def pick(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Training rows by seed, then held-out rows from what resembles no training row."""
    rng = random.Random(SEED)
    by_intent = {intent: [row for row in rows if row[2] == intent] for intent in INTENTS}
    for group in by_intent.values():
        rng.shuffle(group)
    train = [row for group in by_intent.values() for row in group[:TRAIN_PER_INTENT]]
    known = [shingles(text) for _, text, _ in train]
    heldout: list[Row] = []
    for intent, group in by_intent.items():
        kept: list[Row] = []
        for row in group[TRAIN_PER_INTENT:]:
            mine = shingles(row[1])
            if len(kept) < HELDOUT_PER_INTENT and all(
                jaccard(mine, k) < MAX_JACCARD for k in known
            ):
                kept.append(row)
                known.append(mine)  # held-out rows do not repeat each other either
        if len(kept) < HELDOUT_PER_INTENT:
            raise SystemExit(f"{intent}: only {len(kept)} held-out rows are left")
        heldout += kept
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
    """Write train.jsonl, heldout.jsonl and fewshot.jsonl beside this script."""
    train, heldout = pick(read(train_csv, "train") + read(dev_csv, "dev"))
    rng = random.Random(SEED)
    fewshot = [rng.choice([row for row in train if row[2] == intent]) for intent in INTENTS]
    rng.shuffle(fewshot)
    here = Path(__file__).resolve().parent
    for name, rows in (("train", train), ("heldout", heldout), ("fewshot", fewshot)):
        text = "".join(example(row) + "\n" for row in rows)
        (here / f"{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: make_data.py TRAIN.csv DEV.csv")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
