"""Duplicates, contradictions, and leakage between training and validation."""

from __future__ import annotations

import numpy as np

from ftbridge.dataset.quality.finding import Finding
from ftbridge.dataset.quality.similar import Index, Pairs, same

_DUPLICATE = (
    "the same example stands on an earlier line; it is learnt twice as hard and the loss looks "
    "better than it is; remove the copies"
)
_NEAR = (
    "nearly the same as another example (about two thirds or more of all three-word "
    "sequences in common); they count like copies and crowd out variety; keep the best of them"
)
_CONTRADICTION = (
    "the same prompt has different answers; for labels, facts and formats the model learns to "
    "guess between them; keep one answer, unless variety is what you want"
)
_LEAK_EXACT = (
    "stands in the training file too; the validation score measures memory, not skill; remove "
    "it from one of the two, or split again with `ftbridge split`"
)
_LEAK_NEAR = (
    "a training example is nearly the same; the validation score is too good; remove it, or "
    "split again with `ftbridge split`"
)
_LEAK_PROMPT = (
    "the training file asks the same; the validation score is too good; remove it, or split "
    "again with `ftbridge split`"
)


def duplicates(index: Index, near: Pairs, size: int) -> list[Finding]:
    """Exact and near duplicates and contradictions among the first ``size`` examples."""
    lines = np.array(index.lines, np.int64)
    equal = same(index.content[:size])
    inside = near[(near < size).all(axis=1)]
    prompts, answers = index.prompts[:size], index.answers[:size]
    asked = same(prompts)
    differing = answers[asked[:, 0]] != answers[asked[:, 1]]
    found = [
        Finding.of("duplicate", _DUPLICATE, lines[equal[:, 1]]),
        Finding.of("near_duplicate", _NEAR, lines[np.unique(inside)]),
        Finding.of("contradiction", _CONTRADICTION, lines[np.unique(asked[differing])]),
    ]
    return [finding for finding in found if finding.count]


def leaks(index: Index, near: Pairs, size: int) -> list[Finding]:
    """Validation examples (from ``size`` on) that the training examples give away.

    The lines are those of the validation file; each line is in one finding, the worst.
    """
    lines = np.array(index.lines, np.int64)
    exact = np.isin(index.content[size:], index.content[:size])
    asked = np.isin(index.prompts[size:], index.prompts[:size])
    close = np.zeros(len(index) - size, bool)
    across = near[(near[:, 0] < size) & (near[:, 1] >= size)]
    close[across[:, 1] - size] = True
    # Of equal validation examples only one was compared: its copies leak with it.
    content = index.content[size:]
    close |= np.isin(content, content[close])
    found = [
        Finding.of("leak_duplicate", _LEAK_EXACT, lines[size:][exact]),
        Finding.of("leak_near_duplicate", _LEAK_NEAR, lines[size:][close & ~exact]),
        Finding.of("leak_prompt", _LEAK_PROMPT, lines[size:][asked & ~exact & ~close]),
    ]
    return [finding for finding in found if finding.count]
