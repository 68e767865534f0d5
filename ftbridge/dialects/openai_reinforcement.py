"""Reinforcement fine-tuning in OpenAI's wire: its own settings, and how it is billed.

Fields and bounds: FineTuneReinforcementHyperparameters in OpenAI's OpenAPI document
(openai-openapi, commit f85dbe2) and ``openai`` 3.57.0, read 2026-11-25. Billing: help.openai.com
article 11323177 (by the hour of the training loop, and the tokens of a grading model beside it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ftbridge.cost.rules import training_hours
from ftbridge.cost.types import Quantity
from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec, Method

EFFORTS = ("default", "low", "medium", "high")


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _multiplier(text: str) -> float:
    value = float(text)
    if not 0.00001 < value <= 10:
        raise ValueError
    return value


def _effort(text: str) -> str:
    if text not in EFFORTS:
        raise ValueError
    return text


_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "compute_multiplier": (_multiplier, "a number above 0.00001, up to 10"),
    "eval_interval": (_whole, "a whole number of steps, 1 or more"),
    "eval_samples": (_whole, "a whole number, 1 or more"),
    "reasoning_effort": (_effort, f"one of {', '.join(EFFORTS)}"),
}
OPTIONS = frozenset(_READERS)
"""What ``--option`` takes for method ``rl``; unset, the vendor's "auto" holds."""


def settings(spec: JobSpec) -> dict[str, Any]:
    """These options as the wire's numbers and words.

    Raises:
        UsageError: a bad value, or another method than ``rl``.
    """
    found: dict[str, Any] = {}
    for name in sorted(OPTIONS & spec.options.keys()):
        read, wanted = _READERS[name]
        if spec.method is not Method.RL:
            raise UsageError(
                f"option {name} is for method rl", hint=f"leave --option {name} out", where=name
            )
        try:
            found[name] = read(spec.options[name])
        except ValueError:
            raise UsageError(
                f"option {name}: `{spec.options[name]}` is not {wanted}",
                hint="correct the value",
                where=name,
            ) from None
    return found


def billing(spec: JobSpec) -> list[Quantity]:
    """Hours that nobody knows before the job, and a grading model's tokens."""
    lines = [training_hours(None)]
    if spec.grader and "score_model" in spec.grader.kinds():
        lines.append(
            Quantity(
                name="grader",
                item="grader_tokens",
                low=None,
                high=None,
                formula="tokens of the model that grades, at its own price",
                training=False,
            )
        )
    return lines


def warnings(spec: JobSpec) -> list[str]:
    """What a person must know of the cost, since no figure can say it."""
    if spec.method is not Method.RL:
        return []
    return [
        "reinforcement is billed by the hour of training, known only afterwards; the price of one: "
        f"`ftbridge prices --provider {spec.provider}`"
    ]
