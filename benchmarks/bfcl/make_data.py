"""Make this folder's data from BFCL: `python make_data.py FOLDER` (with its six .json files).

Each question's first accepted value of each argument is the call that the assistant makes. Schemas
become JSON Schema (`dict` is `object`, `float` is `number`, `tuple` is `array`, `any` has no type),
and a dot in a function's name an underscore, since vendors refuse dots. The same files give the
same bytes again.
"""

from __future__ import annotations

import json
import random
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TRAIN, HELDOUT, FEWSHOT, SEED = 240, 80, 2, 7
MAX_JACCARD = 0.4
"""Questions that share more of their pairs of words are near-duplicates."""
BYTES = 2000
"""Longest row that is taken."""
PARTS = ("simple_python", "multiple", "parallel")
TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": None}
AS_TEXT = (
    "Answer with a JSON list of the calls that do what is asked, each with name and arguments, and "
    "nothing else. Only the functions above the request may be called."
)
SYSTEM = "Call the function or functions that answer the request. Say nothing else."


def schema(found: dict[str, Any]) -> dict[str, Any]:
    """One schema as JSON Schema, all the way down."""
    made: dict[str, Any] = {}
    for key, value in found.items():
        if key == "type":
            kind = TYPES.get(value, value)
            if kind is not None:
                made[key] = kind
        elif key == "properties":
            made[key] = {name: schema(inner) for name, inner in value.items()}
        elif key == "items" and isinstance(value, dict):
            made[key] = schema(value)
        elif key in ("description", "enum", "required"):
            made[key] = value
    return made


def call(place: int, truth: dict[str, Any]) -> dict[str, Any]:
    """The first accepted value of each argument; an empty one means that it may be left out."""
    ((name, accepted),) = truth.items()
    arguments = {key: plain(values[0]) for key, values in accepted.items() if values[0] != ""}
    function = {"name": name.replace(".", "_"), "arguments": json.dumps(arguments)}
    return {"id": f"call_{place}", "type": "function", "function": function}


def plain(value: Any) -> Any:
    """Accepted values of an object's fields are lists of alternatives as well."""
    if isinstance(value, dict):
        return {
            key: plain(inner[0]) if isinstance(inner, list) and inner else inner
            for key, inner in value.items()
        }
    return value


def rows(folder: Path) -> list[str]:
    """All short rows as chats with tools; of questions that nearly repeat each other the first."""
    found = []
    known: list[frozenset[str]] = []
    for part in PARTS:
        questions = (folder / f"BFCL_v4_{part}.json").read_text("utf-8").splitlines()
        answers = (folder / f"possible_answer_BFCL_v4_{part}.json").read_text("utf-8").splitlines()
        truths = {row["id"]: row["ground_truth"] for row in map(json.loads, answers)}
        for row in map(json.loads, questions):
            line = example(row, truths[row["id"]])
            words = row["question"][0][-1]["content"].lower().split()
            mine = frozenset(map(" ".join, pairwise(words)))
            near = any(len(mine & other) > MAX_JACCARD * len(mine | other) for other in known)
            if len(line.encode()) <= BYTES and not near:
                found.append(line)
                known.append(mine)
    return found


def example(row: dict[str, Any], truth: list[dict[str, Any]]) -> str:
    """One line of canonical chat JSONL."""
    calls = [call(place, each) for place, each in enumerate(truth)]
    tools = [
        {"type": "function", "function": {
            "name": each["name"].replace(".", "_"), "description": each["description"],
            "parameters": schema(each["parameters"])}}
        for each in row["function"]
    ]  # fmt: skip
    messages = [{"role": "system", "content": SYSTEM}, *row["question"][0],
                {"role": "assistant", "tool_calls": calls}]  # fmt: skip
    made = {"messages": messages, "tools": tools, "metadata": {"source": row["id"]}}
    return json.dumps(made, ensure_ascii=False) + "\n"


def as_text(line: str) -> str:
    """The same row for a model whose chat template knows no tools: all of it in words."""
    row = json.loads(line)
    told = "\n".join(json.dumps(tool["function"]) for tool in row["tools"])
    *asked, answer = row["messages"]
    calls = [
        {"name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])}
        for call in answer["tool_calls"]
    ]
    asked[0] = {"role": "system", "content": AS_TEXT}
    # beside the request, so that few-shot examples bring their functions
    asked[-1] = asked[-1] | {"content": f"{told}\n\nRequest: {asked[-1]['content']}"}
    messages = [*asked, {"role": "assistant", "content": json.dumps(calls)}]
    made = {"messages": messages, "metadata": row["metadata"]}
    return json.dumps(made, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Write train, heldout and fewshot.jsonl beside this script, and the same as text."""
    taken = random.Random(SEED).sample(rows(folder), TRAIN + HELDOUT)
    sides = {"train": taken[:TRAIN], "heldout": taken[TRAIN:]}
    sides["fewshot"] = sorted(sides["train"], key=len)[:FEWSHOT]
    for name, lines in sides.items():
        (HERE / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")
        text = "".join(map(as_text, lines))
        (HERE / f"text_{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: make_data.py FOLDER")
    main(Path(sys.argv[1]))
