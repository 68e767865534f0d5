"""Is there enough to learn from, and not more than helps."""

from __future__ import annotations

from ftbridge.dataset.quality.finding import Finding


def volume(examples: int) -> list[Finding]:
    """A finding where there are too few examples to expect much."""
    if examples == 0 or examples >= 200:
        return []
    if examples < 50:
        message = (
            "fewer than 50 examples: enough for a change of tone, seldom for a skill; 200 to 500 "
            "are a usual start; write more, or try the examples in the prompt first"
        )
        return [Finding("few_examples", message, 1)]
    message = (
        "fewer than 200 examples: results vary much from run to run; 200 to 500 are a usual start"
    )
    return [Finding("small_set", message, 1)]


def advice(examples: int) -> str:
    """One sentence on what a set of this size is good for."""
    if examples < 200:
        return "200 to 500 examples are a usual start, 500 to 5,000 suit LoRA"
    if examples <= 500:
        return "a usual size to start with; see by evaluation whether more would help"
    if examples <= 5000:
        return "a good size for LoRA"
    return (
        "more than LoRA usually needs: try 5,000 of the best first, the price grows with the rows"
    )
