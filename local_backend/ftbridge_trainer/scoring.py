"""Scoring an answer with a grader in OpenAI's shapes: what the trainer and ftbridge's core share.

Standard library alone (and rapidfuzz where a grader wants it). ``string_check`` as OpenAI's graders
guide defines it (read 2026-11-25); ``text_similarity`` by ``fuzzy_match`` alone, with the library
that the guide names (rapidfuzz; that the vendor takes its plain ratio is unverified). BLEU, METEOR,
ROUGE and the embeddings' cosine are not scored here, since no light library has the vendor's
versions. A ``python`` grader or a ``score_model`` is asked through a function of the caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .formula import Formula, FormulaError

PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_STEP = re.compile(r"\.([^\s.\[\]]+)|\[(\d+)\]")
Grader = Mapping[str, Any]
Spaces = Mapping[str, Any]
Ask = Callable[[Grader, Spaces], float]


class ScoringError(ValueError):
    """What is wrong with an answer's scoring, in words; ``path`` is what the data line lacks."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class NoRapidfuzz(ImportError):
    """``fuzzy_match`` without rapidfuzz."""


def spaces_of(answer: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """What templates may name: ``item`` (the line's keys beside ``messages``) and ``sample``."""
    return {"item": item, "sample": {"output_text": answer}}


def score(grader: Grader, spaces: Spaces, ask: Mapping[str, Ask] | None = None) -> float:
    """The score of an answer, 0 to 1 (a ``multi``: whatever its formula gives).

    Args:
        ask: who scores for the kinds ``python`` and ``score_model``.

    Raises:
        ScoringError: the line lacks a key that the grader names, the formula has no value, or
            nobody scores for that kind. NoRapidfuzz.
    """
    kind = grader["type"]
    if kind == "multi":
        scores = {name: score(each, spaces, ask) for name, each in grader["graders"].items()}
        try:
            return Formula(grader["calculate_output"]).value(scores)
        except FormulaError as error:
            raise ScoringError(f"{grader['name']}: calculate_output {error}") from None
    if kind in ("string_check", "text_similarity"):
        return _compared(grader, spaces)
    if ask is None or kind not in ask:
        raise ScoringError(f"`{grader['name']}`: nobody here scores for {kind}")
    return ask[kind](grader, spaces)


def _compared(grader: Grader, spaces: Spaces) -> float:
    given, reference = fill(grader["input"], spaces), fill(grader["reference"], spaces)
    if grader["type"] == "text_similarity":
        return _ratio(given, reference)
    return float(
        {
            "eq": given == reference,
            "ne": given != reference,
            "like": reference in given,
            "ilike": reference.lower() in given.lower(),
        }[grader["operation"]]
    )


def unscored(grader: Grader) -> str | None:
    """Why no answer can be scored with that grader outside its vendor; None where it can."""
    if grader["type"] == "multi":
        reasons = (unscored(each) for each in grader["graders"].values())
        return next((reason for reason in reasons if reason), None)
    metric = grader.get("evaluation_metric")
    if grader["type"] == "text_similarity" and metric != "fuzzy_match":
        return f"`{grader['name']}`: {metric} is not computed here"
    return None


def missing(grader: Grader, item: Mapping[str, Any]) -> str | None:
    """The first ``item.KEY`` that the grader names and a data line lacks; None: it has them all."""
    for template in templates(grader):
        for found in PLACEHOLDER.finditer(template):
            if found[1].startswith("item"):
                try:
                    _value(found[1], {"item": item})
                except LookupError:
                    return found[1]
    return None


def templates(grader: Grader) -> list[str]:
    """Every text of a grader that may hold ``{{ }}``."""
    if grader["type"] == "multi":
        return [text for each in grader["graders"].values() for text in templates(each)]
    if grader["type"] == "score_model":
        contents = (message["content"] for message in grader["input"])
        return [content for content in contents if isinstance(content, str)]
    return [grader[name] for name in ("input", "reference") if name in grader]


def fill(template: str, spaces: Spaces) -> str:
    """A template with the values in place: text as it is, anything else as JSON.

    Raises:
        ScoringError: where there is no such value.
    """
    return PLACEHOLDER.sub(lambda found: _text(found[1], spaces), template)


def _text(path: str, spaces: Spaces) -> str:
    try:
        value = _value(path, spaces)
    except LookupError:
        raise ScoringError(f"the data line has no `{path}`, which the grader reads", path) from None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(path: str, spaces: Spaces) -> Any:
    """What a path leads to. Raises LookupError where it leads nowhere."""
    root = re.split(r"[.\[]", path, maxsplit=1)[0]
    value = spaces[root]
    for key, index in _STEP.findall(path[len(root) :]):
        try:
            value = value[key] if key else value[int(index)]
        except TypeError:
            raise LookupError(path) from None
    return value


def _ratio(given: str, reference: str) -> float:
    try:
        from rapidfuzz import fuzz
    except ImportError:
        raise NoRapidfuzz("fuzzy_match needs rapidfuzz, which is not installed") from None
    return float(fuzz.ratio(given, reference)) / 100
