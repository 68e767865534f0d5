"""Scores answers while a model is trained: the definitions of ``scoring``, with somebody to ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from . import scoring
from .errors import TrainerError
from .programs import Program

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
JUDGE_TOKENS = 64
"""How long a judge's answer may be: a number is wanted."""
Judge = Callable[[str, list[dict[str, str]], int], str]


class Scorer:
    """One grader, its programs and its judges; a context manager, which ends them."""

    def __init__(self, grader: Mapping[str, Any], judge: Judge | None = None) -> None:
        """``judge(model, messages, max_new_tokens)`` answers for a ``score_model``; by default a
        model's folder is loaded here, once."""
        if (reason := scoring.unscored(grader)) is not None:
            raise TrainerError(
                "grader_unknown", reason, "use fuzzy_match, or a python grader with its own measure"
            )
        self._grader = grader
        self._judge = judge or _Judges()
        self._programs = {each["name"]: _program(each) for each in _kinds(grader, "python")}
        self.unread = 0
        """Answers of a judge that held no number; they counted as its worst."""

    def __enter__(self) -> Scorer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for program in self._programs.values():
            program.close()

    def score(self, answer: str, fields: Mapping[str, Any], where: str) -> float:
        """The score of an answer to the line ``where``.

        Raises:
            TrainerError: naming grader and line, never what was graded.
        """
        spaces = scoring.spaces_of(answer, fields)
        ask = {"python": self._run, "score_model": self._ask}
        try:
            return scoring.score(self._grader, spaces, ask)
        except scoring.NoRapidfuzz as error:
            raise TrainerError("missing_package", str(error), "pip install rapidfuzz") from None
        except scoring.ScoringError as error:
            raise TrainerError(
                "grader_failed", f"{where}: {error}", "correct the grader, or that line"
            ) from None

    def _run(self, grader: scoring.Grader, spaces: scoring.Spaces) -> float:
        return self._programs[grader["name"]].score(spaces)

    def _ask(self, grader: scoring.Grader, spaces: scoring.Spaces) -> float:
        """The first number of the judge's answer, within its range."""
        turns = [
            {"role": _role(turn["role"]), "content": scoring.fill(_text(turn), spaces)}
            for turn in grader["input"]
        ]
        low, high = grader.get("range") or (0.0, 1.0)
        limit = (grader.get("sampling_params") or {}).get("max_completions_tokens")
        found = _NUMBER.search(self._judge(grader["model"], turns, limit or JUDGE_TOKENS))
        if found is None:
            self.unread += 1
            return float(low)
        return min(float(high), max(float(low), float(found[0])))


class _Judges:
    """Models that judge, each loaded on first use and kept; greedy, so that a score repeats."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __call__(self, model: str, messages: list[dict[str, str]], limit: int) -> str:
        if model not in self._loaded:
            from .generate import Generator

            if not Path(model).is_dir():
                raise TrainerError(
                    "judge_missing",
                    f"the grader's model {model} is no folder on this machine",
                    "name a folder, or a model that `ftbridge models fetch` has brought",
                )
            self._loaded[model] = Generator(model)
        (answer,) = self._loaded[model].generate([messages], max_new_tokens=limit)
        return str(answer.text)


def _kinds(grader: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    if grader["type"] == "multi":
        return [found for each in grader["graders"].values() for found in _kinds(each, kind)]
    return [grader] if grader["type"] == kind else []


def _program(grader: Mapping[str, Any]) -> Program:
    return Program(grader["name"], grader["source"])


def _role(role: str) -> str:
    return "system" if role == "developer" else role


def _text(turn: Mapping[str, Any]) -> str:
    if not isinstance(turn["content"], str):
        raise scoring.ScoringError("a judge's message is no plain text, which is all it reads here")
    return turn["content"]
