"""Make this folder's data from qa_feedback: `python make_data.py dev_feedback.json`.

The same file gives the same bytes again. Standard library only. ``LICENSE.md`` says what was
changed and whose texts these are.
"""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TRAIN, HELDOUT, FEWSHOT, SEED = 76, 40, 2, 7
WORDS_PASSAGE, WORDS_ANSWER = 90, 70
COVERED = 0.6
"""Share of the answer's words that the passages must hold: else it cannot be read off them."""
SYSTEM = (
    "Answer the question from the passages alone, in one to three sentences. Use the passages' "
    "own words, and add nothing that they do not say."
)


def words(text: str) -> list[str]:
    """Lower-case words."""
    return re.findall(r"[a-z0-9]+", text.lower())


def passage(found: list[str]) -> str:
    """Title and first words of one passage; the title stands before the text in the original."""
    text = " ".join([found[1].removeprefix(found[0]), *found[2:]]).split()
    return f"[{found[0]}] {' '.join(text[:WORDS_PASSAGE])}"


def example(place: int, row: dict[str, Any]) -> dict[str, Any] | None:
    """One chat; None where the answer is long, or is not in what is left of the passages."""
    told = "\n".join(passage(found) for found in row["passages"][:3])
    answer = " ".join(row["gold"].split())
    known = set(words(told))
    covered = [word in known for word in words(answer)]
    if not covered or len(covered) > WORDS_ANSWER or sum(covered) < COVERED * len(covered):
        return None
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"{told}\n\nQuestion: {row['question'].strip()}"},
        {"role": "assistant", "content": answer},
    ]
    return {"messages": messages, "metadata": {"source": f"qa_feedback dev:{place}"}}


def main(source: Path) -> None:
    """Write train, heldout and fewshot.jsonl beside this script."""
    rows = json.loads(source.read_text("utf-8"))
    found = [made for place, row in enumerate(rows) if (made := example(place, row))]
    if len(found) < TRAIN + HELDOUT:
        raise SystemExit(f"only {len(found)} rows can be answered from their passages")
    random.Random(SEED).shuffle(found)
    sides = {"train": found[:TRAIN], "heldout": found[TRAIN : TRAIN + HELDOUT]}
    short = sorted(sides["train"], key=lambda row: len(row["messages"][1]["content"]))
    sides["fewshot"] = short[:FEWSHOT]
    for name, chosen in sides.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
        (HERE / f"{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: make_data.py dev_feedback.json")
    main(Path(sys.argv[1]))
