"""Scoring an answer on this machine, with the graders that need neither a vendor nor a program.

Pure functions over :mod:`ftbridge_trainer.scoring`, which scores answers while the local trainer
trains: one implementation, and the trainer may not import us.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge.errors import DataError, NotInstalled, Unsupported
from ftbridge.graders import Grader, Multi, PythonGrader, ScoreModel
from ftbridge_trainer import scoring


def why_not_here(grader: Grader) -> str | None:
    """Why answers cannot be scored on this machine with that grader; None where they can."""
    if isinstance(grader, Multi):
        reasons = (why_not_here(each) for each in grader.graders.values())
        return next((reason for reason in reasons if reason), None)
    if isinstance(grader, PythonGrader):
        return f"`{grader.name}` is a program, and ftbridge runs none"
    if isinstance(grader, ScoreModel):
        return f"`{grader.name}` asks the model {grader.model} at its vendor"
    return scoring.unscored(grader.wire())


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
    try:
        return scoring.score(grader.wire(), scoring.spaces_of(answer, item))
    except scoring.NoRapidfuzz as error:
        raise NotInstalled(str(error), hint="pip install 'ftbridge[graders]'") from None
    except scoring.ScoringError as error:
        hint = "add it to the data, or correct the grader" if error.path else ""
        raise DataError(str(error), hint=hint, where=error.path or "grader") from None
