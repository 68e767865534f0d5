"""Our graders as Vertex' rewards: a string match, or a program.

Shapes: ``SingleReinforcementTuningRewardConfig`` and its scorers in google-genai 2.34.0 (read
2026-11-25). A reward there is clipped to -1 to 1. A data line's ``reference`` and further keys
travel as its ``references``, a map of strings, so a program sees text for every key.
"""

from __future__ import annotations

import re
from typing import Any

from ftbridge.errors import UsageError
from ftbridge.graders import Grader, PythonGrader, StringCheck

_OPERATIONS = {"eq": "EXACT_MATCH", "like": "PARTIAL_MATCH"}
_OUTPUT = "sample.output_text"
_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_ADAPTER = """

def evaluate(example, response):
    text = "".join(part.get("text", "") for part in response.get("parts", []))
    return float(grade({"output_text": text}, dict(example.get("references", {}))))
"""
"""Calls ``grade(sample, item)`` from the function that Vertex calls."""


def reward(grader: Grader) -> dict[str, Any]:
    """The ``reward_config`` of a grader.

    Raises:
        UsageError: it says what Vertex' scorers cannot.
    """
    if isinstance(grader, PythonGrader):
        scorer: dict[str, Any] = {"python_code_snippet": grader.source + _ADAPTER}
        return {"reward_name": grader.name, "code_execution_reward_scorer": scorer}
    assert isinstance(grader, StringCheck)  # the catalogue takes no other
    if grader.operation not in _OPERATIONS:
        raise UsageError(
            f"vertex has no string match for the operation {grader.operation}",
            hint="use eq or like, or a grader of the type python",
            where="operation",
        )
    if _PLACEHOLDER.sub(lambda found: found[1], grader.input).strip() != _OUTPUT:
        raise UsageError(
            "vertex matches the whole answer only",
            hint="let `input` be {{sample.output_text}}, or use a grader of the type python",
            where="input",
        )
    match = {
        "match_operation": _OPERATIONS[grader.operation],
        "expression": _PLACEHOLDER.sub(_reference, grader.reference),
    }
    scorer = {
        "correct_answer_reward": 1.0,
        "wrong_answer_reward": 0.0,
        "string_match_expression": match,
    }
    return {"reward_name": grader.name, "string_match_reward_scorer": scorer}


def _reference(found: Any) -> str:
    """``{{item.KEY}}`` as ``{{references.KEY}}``."""
    name = str(found[1])
    if not name.startswith("item.") or "." in name.removeprefix("item.") or "[" in name:
        raise UsageError(
            f"vertex cannot fill in `{found[0]}`",
            hint="a reference may name keys of the data line, as {{item.reference}}",
            where="reference",
        )
    return f"{{{{references.{name.removeprefix('item.')}}}}}"
