"""Make this folder's SYNTHETIC data: `python make_data.py` writes the same bytes every time.

No real contract: clauses are put together from the phrases of phrases.toml. The flags are ours,
and none of this is legal advice.
"""

from __future__ import annotations

import random
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from synthetic import Made, distinct, halves, write  # noqa: E402

TRAIN_PER_FLAG, HELDOUT_PER_FLAG, SEED = 30, 12, 7
PHRASES = tomllib.loads((HERE / "phrases.toml").read_text("utf-8"))
LABELS = PHRASES["labels"]
SYSTEM = (
    "Which flag does the clause raise? Answer with one of these words and nothing else:\n"
    + "\n".join(f"{label}: {row['means']}" for label, row in LABELS.items())
)


def main() -> None:
    """Write train, heldout and fewshot.jsonl beside this script."""
    rng = random.Random(SEED)

    def clause(flag: str, cores: list[str]) -> Made:
        opening = rng.choice(PHRASES["opening"]).format(n=rng.randint(1, 40))
        before, core = rng.choice(PHRASES["before"]), rng.choice(cores)
        text = f"{opening} {before} {core}. {rng.choice(PHRASES['after'])}"
        return text, flag, {"label": flag}

    known: list[frozenset[object]] = []
    train: list[Made] = []
    heldout: list[Made] = []
    for label, row in LABELS.items():
        seen, unseen = halves(row["phrases"])
        train += distinct(lambda of=label, some=seen: clause(of, some), TRAIN_PER_FLAG, known)
        heldout += distinct(lambda of=label, some=unseen: clause(of, some), HELDOUT_PER_FLAG, known)
    fewshot = [next(row for row in train if row[1] == label) for label in LABELS]
    write(HERE, SYSTEM, {"train": train, "heldout": heldout, "fewshot": fewshot}, SEED)


if __name__ == "__main__":
    main()
