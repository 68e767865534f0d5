"""Make this folder's SYNTHETIC data: `python make_data.py` writes the same bytes every time.

No patient, no real note: sentences are put together from the phrases of phrases.toml. The
codes are those of ICD-10's categories; their descriptions here are ours. Nothing of this is for
coding real notes.
"""

from __future__ import annotations

import random
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from synthetic import Made, distinct, halves, write  # noqa: E402

TRAIN_PER_CODE, HELDOUT_PER_CODE, SEED = 20, 8, 7
PHRASES = tomllib.loads((HERE / "phrases.toml").read_text("utf-8"))
LABELS = PHRASES["labels"]
SYSTEM = (
    "Give the ICD-10 code of the main complaint in the note. Answer with one of these codes and "
    "nothing else:\n" + "\n".join(f"{label} {row['means']}" for label, row in LABELS.items())
)


def main() -> None:
    """Write train, heldout and fewshot.jsonl beside this script."""
    rng = random.Random(SEED)

    def note(code: str, complaints: list[str]) -> Made:
        age, complaint = rng.randint(6, 88), rng.choice(complaints)
        parts = [
            f"{rng.choice(PHRASES['who'])}, {age}, {rng.choice(PHRASES['when'])}: {complaint}."
        ]
        parts += [rng.choice(PHRASES["aside"]), rng.choice(PHRASES["plan"])]
        return " ".join(parts), code, {"label": code}

    known: list[frozenset[object]] = []
    train: list[Made] = []
    heldout: list[Made] = []
    for label, row in LABELS.items():
        seen, unseen = halves(row["phrases"])
        train += distinct(lambda of=label, some=seen: note(of, some), TRAIN_PER_CODE, known)
        heldout += distinct(lambda of=label, some=unseen: note(of, some), HELDOUT_PER_CODE, known)
    fewshot = [next(row for row in train if row[1] == label) for label in LABELS]
    write(HERE, SYSTEM, {"train": train, "heldout": heldout, "fewshot": fewshot}, SEED)


if __name__ == "__main__":
    main()
