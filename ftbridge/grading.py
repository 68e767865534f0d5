"""Scoring an answer on this machine, with the graders that need neither a vendor nor a program.

Pure functions. ``string_check`` as OpenAI's graders guide defines it (read 2026-11-25);
``text_similarity`` by ``fuzzy_match`` alone, with the library that the guide names (rapidfuzz; that
the vendor takes its plain ratio is unverified). BLEU, METEOR, ROUGE and the embeddings' cosine are
not scored here, since no light library has the vendor's versions; Python programs are never run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ftbridge.errors import DataError, NotInstalled, Unsupported
from ftbridge.formula import Formula, FormulaError
from ftbridge.graders import (
    PLACEHOLDER,
    Grader,
    Multi,
    PythonGrader,
    ScoreModel,
    StringCheck,
    TextSimilarity,
)

_STEP = re.compile(r"\.([^\s.\[\]]+)|\[(\d+)\]")


def why_not_here(grader: Grader) -> str | None:
    """Why answers cannot be scored on this machine with that grader; None where they can."""
    if isinstance(grader, Multi):
        reasons = (why_not_here(each) for each in grader.graders.values())
        return next((reason for reason in reasons if reason), None)
    if isinstance(grader, PythonGrader):
        return f"`{grader.name}` is a program, and ftbridge runs none"
    if isinstance(grader, ScoreModel):
        return f"`{grader.name}` asks the model {grader.model} at its vendor"
    if isinstance(grader, TextSimilarity) and grader.evaluation_metric != "fuzzy_match":
        return f"`{grader.name}`: {grader.evaluation_metric} is not computed here"
    return None


def score(grader: Grader, answer: str, item: Mapping[str, Any]) -> float:
    """The score of an answer, 0 to 1 (a ``multi``: whatever its formula gives).

    Args:
        item: the keys of the data line beside ``messages``, as Python values.

    Raises:
        Unsupported: see :func:`why_not_here`.
        NotInstalled: ``fuzzy_match`` without rapidfuzz.
        DataError: the line lacks a key that the grader names, or the formula has no value.
    """
    if reason := why_not_here(grader):
        raise Unsupported(f"not scored on this machine: {reason}", where="grader")
    return _score(grader, {"item": item, "sample": {"output_text": answer}})


def _score(grader: Grader, spaces: Mapping[str, Any]) -> float:
    if isinstance(grader, Multi):
        scores = {name: _score(each, spaces) for name, each in grader.graders.items()}
        try:
            return Formula(grader.calculate_output).value(scores)
        except FormulaError as error:
            raise DataError(f"{grader.name}: calculate_output {error}", where="grader") from None
    assert isinstance(grader, StringCheck | TextSimilarity)
    given, reference = fill(grader.input, spaces), fill(grader.reference, spaces)
    if isinstance(grader, TextSimilarity):
        return _ratio(given, reference)
    return float(
        {
            "eq": given == reference,
            "ne": given != reference,
            "like": reference in given,
            "ilike": reference.lower() in given.lower(),
        }[grader.operation]
    )


def missing(grader: Grader, item: Mapping[str, Any]) -> str | None:
    """The first ``item.KEY`` that the grader names and a data line lacks; None: it has them all."""
    for template in _templates(grader):
        for found in PLACEHOLDER.finditer(template):
            if found[1].startswith("item"):
                try:
                    _value(found[1], {"item": item})
                except LookupError:
                    return found[1]
    return None


def _templates(grader: Grader) -> list[str]:
    if isinstance(grader, Multi):
        return [text for each in grader.graders.values() for text in _templates(each)]
    if isinstance(grader, ScoreModel):
        return [each.content for each in grader.input if isinstance(each.content, str)]
    if isinstance(grader, StringCheck | TextSimilarity):
        return [grader.input, grader.reference]
    return []


def fill(template: str, spaces: Mapping[str, Any]) -> str:
    """A template with the values in place: text as it is, anything else as JSON.

    Raises:
        DataError: where there is no such value.
    """
    return PLACEHOLDER.sub(lambda found: _text(found[1], spaces), template)


def _text(path: str, spaces: Mapping[str, Any]) -> str:
    try:
        value = _value(path, spaces)
    except LookupError:
        raise DataError(
            f"the data line has no `{path}`, which the grader reads",
            hint="add it to the data, or correct the grader",
            where=path,
        ) from None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(path: str, spaces: Mapping[str, Any]) -> Any:
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
        raise NotInstalled(
            "fuzzy_match needs rapidfuzz, which is not installed",
            hint="pip install 'ftbridge[graders]'",
        ) from None
    return fuzz.ratio(given, reference) / 100
