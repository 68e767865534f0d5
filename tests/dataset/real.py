"""The public sets of ``tests/data`` as canonical files, made the way a user would."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

from ftbridge.dataset import Dataset
from ftbridge.dataset.convert import convert

DATA = Path(__file__).parent.parent / "data"


def gsm8k(out: Path) -> Dataset:
    """Chats by ``--map``."""
    return _mapped(DATA / "gsm8k/train.jsonl", ["user=question", "assistant=answer"], out)


def mgsm(language: str, out: Path) -> Dataset:
    """Tables without header."""
    return _mapped(DATA / f"mgsm/mgsm_{language}.tsv", ["user=1", "assistant=2"], out)


def clinc(out: Path) -> Dataset:
    """One JSON object with lists of pairs."""
    pairs = ["rows=train", "user=1", "assistant=2", "system==Name the intent."]
    return _mapped(DATA / "clinc_oos/data_small.json", pairs, out)


def qa_feedback(out: Path) -> Dataset:
    """Preference pairs of the decided judgements."""
    rows = json.loads((DATA / "qa_feedback/dev_feedback.json").read_text("utf-8"))
    lines = []
    for row in rows:
        for (a, b), verdict in zip(combinations("1234", 2), row["preference"], strict=True):
            if verdict:
                better, worse = (a, b) if verdict == 1 else (b, a)
                lines.append(
                    {
                        "prompt": [{"role": "user", "content": row["question"]}],
                        "chosen": [_says(row[f"prediction {better}"])],
                        "rejected": [_says(row[f"prediction {worse}"])],
                    }
                )
    return Dataset(_write(out, lines))


def bfcl(part: str, out: Path) -> Dataset:
    """Chats with tools: the first accepted value of each argument is the call."""
    questions = _lines(DATA / f"bfcl/BFCL_v4_{part}.json")
    answers = {
        row["id"]: row["ground_truth"]
        for row in _lines(DATA / f"bfcl/possible_answer_BFCL_v4_{part}.json")
    }
    return Dataset(_write(out, [_bfcl_chat(row, answers.get(row["id"], [])) for row in questions]))


def _bfcl_chat(row: dict[str, Any], calls: list[dict[str, Any]]) -> dict[str, Any]:
    made = []
    for index, call in enumerate(calls):
        ((name, accepted),) = call.items()
        arguments = {key: values[0] for key, values in accepted.items() if values[0] != ""}
        function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
        made.append({"id": f"call_{index}", "type": "function", "function": function})
    answer = {"role": "assistant", "tool_calls": made} if made else _says("No tool fits.")
    tools = [{"type": "function", "function": function} for function in row["function"]]
    return {"messages": [*row["question"][0], answer], "tools": tools}


def _says(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _mapped(source: Path, pairs: list[str], out: Path) -> Dataset:
    convert(Dataset(source, mapping=pairs), "canonical", out)
    return Dataset(out)


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _write(out: Path, lines: list[Any]) -> Path:
    out.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return out
