"""``/v1/fine_tuning/alpha/graders``: validate any grader, run those that need no model or code.

Runs ``string_check`` and ``text_similarity`` with ``fuzzy_match``; every other kind gets a 400
that says so. Unverified: how close ``fuzzy_match`` is to the vendor's (here difflib's ratio).
"""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from ftbridge.testing.plumbing import Call

from .errors import ApiError, from_problem
from .schema import RUN_GRADER, VALIDATE_GRADER
from .store import Emulator

_TEMPLATE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_NO_ERRORS = dict.fromkeys(
    (
        *("formula_parse_error", "sample_parse_error", "truncated_observation_error"),
        *("unresponsive_reward_error", "invalid_variable_error", "other_error"),
        *("python_grader_server_error", "python_grader_runtime_error"),
        *("model_grader_server_error", "model_grader_refusal_error", "model_grader_parse_error"),
    ),
    False,
) | dict.fromkeys(
    (
        *("python_grader_server_error_type", "python_grader_runtime_error_details"),
        "model_grader_server_error_details",
    ),
)


async def validate(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine_tuning/alpha/graders/validate."""
    for problem in VALIDATE_GRADER.problems(call.body):
        raise from_problem(problem)
    return {"grader": call.body["grader"]}


async def run(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine_tuning/alpha/graders/run."""
    for problem in RUN_GRADER.problems(call.body):
        raise from_problem(problem)
    grader = call.body["grader"]
    spaces = {"item": call.body.get("item"), "sample": _sample(call.body["model_sample"])}
    reward = _reward(grader, spaces)
    return {
        "reward": reward,
        "metadata": {
            "name": grader["name"],
            "type": grader["type"],
            "errors": _NO_ERRORS,
            "execution_time": 0.0,
            "scores": {grader["name"]: reward},
            "token_usage": None,
            "sampled_model_name": None,
        },
        "sub_rewards": {},
        "model_grader_token_usage_per_model": {},
    }


def _sample(text: str) -> dict[str, Any]:
    try:
        return {"output_text": text, "output_json": json.loads(text)}
    except ValueError:
        return {"output_text": text}


def _fill(template: str, spaces: dict[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found: Any = spaces
        for name in match[1].split("."):
            if not isinstance(found, dict) or name not in found:
                raise ApiError(f"Unknown variable '{match[1]}'.", "grader", "invalid_variable")
            found = found[name]
        return found if isinstance(found, str) else json.dumps(found)

    return _TEMPLATE.sub(value, template)


def _reward(grader: dict[str, Any], spaces: dict[str, Any]) -> float:
    if grader["type"] == "string_check":
        given, wanted = _fill(grader["input"], spaces), _fill(grader["reference"], spaces)
        checks = {
            "eq": given == wanted,
            "ne": given != wanted,
            "like": wanted in given,
            "ilike": wanted.lower() in given.lower(),
        }
        return float(checks[grader["operation"]])
    if grader["type"] == "text_similarity" and grader["evaluation_metric"] == "fuzzy_match":
        given, wanted = _fill(grader["input"], spaces), _fill(grader["reference"], spaces)
        return difflib.SequenceMatcher(None, given, wanted).ratio()
    raise ApiError("This sandbox cannot run graders of this kind.", "grader", "sandbox_limit")
