"""Rewards of reinforcement tuning: what a job may name, and what one answer would earn.

String matches are computed as the SDK's descriptions say; an autorater, code and a Cloud Run
service are not run here: their ``errorStatus`` says so. Unverified: the status of a reward that
cannot be computed, and that a composite's names must differ.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ftbridge.testing.plumbing import Call

from .data import parts_text
from .errors import invalid
from .paging import parameters
from .schema import SCORERS, VALIDATE, checked
from .store import Emulator


def check(spec: dict[str, Any]) -> list[tuple[float, dict[str, Any]]]:
    """The weighted rewards of a spec; raises 400 where they do not add up."""
    single, composite = spec.get("singleRewardConfig"), spec.get("compositeRewardConfig")
    if (single is None) == (composite is None):
        raise invalid("Exactly one of single and composite reward config is required.", "reward")
    if single is not None:
        found = [(1.0, single)]
    else:
        rows = composite["weightedRewardConfigs"] if composite else []
        found = [(float(row.get("weight", 1.0)), row["rewardConfig"]) for row in rows]
    names = [reward.get("rewardName", "reward") for _, reward in found]
    if len(set(names)) != len(names):
        raise invalid("Reward names must be unique.", "rewardName")
    for _, reward in found:
        if len(reward.keys() & set(SCORERS)) != 1:
            raise invalid("A reward has exactly one scorer.", "reward_scorer")
        _check_match(reward.get("stringMatchRewardScorer"))
    return found


def _check_match(scorer: dict[str, Any] | None) -> None:
    kinds = {"stringMatchExpression", "jsonMatchExpression"}
    if scorer is not None and len(scorer.keys() & kinds) != 1:
        raise invalid("A string match has exactly one expression.", "match_expression")


async def validate(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST tuningJobs:validateReinforcementTuningReward."""
    parameters(call)
    body = checked(VALIDATE, call.body)
    response = parts_text(body["sampleResponse"]["parts"])
    references = body["example"].get("references", {})
    details: dict[str, Any] = {}
    total = weights = 0.0
    for weight, reward in check(body):
        name = reward.get("rewardName", "reward")
        scorer = reward.get("stringMatchRewardScorer")
        if scorer is None:
            message = "This scorer is not run by the emulator."
            details[name] = {"errorStatus": {"code": 12, "message": message}}
            continue
        earned = _earned(scorer, _parsed(reward, response), references)
        details[name] = {"reward": earned}
        total, weights = total + weight * earned, weights + weight
    answer: dict[str, Any] = {"rewardInfoDetails": details}
    if weights:
        answer["overallReward"] = total / weights
    return answer


def _parsed(reward: dict[str, Any], response: str) -> str:
    config = reward.get("parseResponseConfig", {})
    if config.get("parseType") != "REGEX_EXTRACT":
        return response
    try:
        found = re.findall(config.get("regexExtractExpression", ""), response, re.DOTALL)
    except re.error as error:
        raise invalid(f"regex_extract_expression: {error}", "regexExtractExpression") from error
    last = found[-1] if found else ""
    return last if isinstance(last, str) else last[0]


def _earned(scorer: dict[str, Any], parsed: str, references: dict[str, str]) -> float:
    match, text = scorer.get("stringMatchExpression"), parsed
    if match is None:
        rule = scorer["jsonMatchExpression"]
        match = rule.get("valueStringMatchExpression")
        try:
            text = str(json.loads(parsed)[rule["keyName"]])
        except (ValueError, KeyError, TypeError):
            match = None
    right = match is not None and _matches(match, text, references)
    key, otherwise = ("correctAnswerReward", 1.0) if right else ("wrongAnswerReward", 0.0)
    return float(scorer.get(key, otherwise))


def _matches(match: dict[str, str], text: str, references: dict[str, str]) -> bool:
    wanted = re.sub(
        r"\{\{references\.(\w+)\}\}",
        lambda found: references.get(found[1], found[0]),
        match["expression"],
    )
    if match["matchOperation"] == "EXACT_MATCH":
        return text == wanted
    if match["matchOperation"] == "PARTIAL_MATCH":
        return wanted in text
    try:
        return re.search(wanted, text) is not None
    except re.error as error:
        raise invalid(f"expression: {error}", "expression") from error
