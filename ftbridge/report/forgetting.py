"""What tuning has cost: general ability before and after, as an evaluation has measured it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftbridge.report.parts import Interval, Intervals, Section, Table, Text

TITLE = "Forgetting"
KINDS = {"lost": "bad", "gained": "ok"}


def forgetting(evaluations: Sequence[Mapping[str, Any]]) -> Section:
    """The newest measurement of it among the evaluations, which come newest first."""
    measured = [each for each in evaluations if each.get("forgetting")]
    if not measured:
        said = "Not measured: `ftbridge eval HELDOUT --model JOB --forgetting`."
        return Section(TITLE, [Text(said)])
    found, of = measured[0]["forgetting"], measured[0]["evaluation"]
    low, high = found["loss"]["ci"]
    sides = [
        Interval(name, found[side]["value"], *found[side]["ci"])
        for name, side in (("before tuning", "baseline"), ("after tuning", "tuned"))
    ]
    rows = [
        (each["category"], each["n"], f"{each['baseline']:.0%}", f"{each['tuned']:.0%}",
         f"{each['tuned'] - each['baseline']:+.0%}")
        for each in found["categories"]
    ]  # fmt: skip
    return Section(TITLE, [
        Text(f"{found['verdict']}: general ability changed by {-found['loss']['value']:+.1%} on "
             f"{found['n']} questions (95 % interval {-high:+.1%} to {-low:+.1%}, "
             f"p = {found['loss']['p']:.2g})",
             KINDS.get(found["verdict"], "")),
        Intervals(f"General ability, {found['n']} questions, 95 % intervals", sides),
        Table(("kind of question", "questions", "before", "after", "change"), rows,
              "General ability by kind of question", range(1, 5)),
        Text(f"Questions: {Path(found['probe']).name}, asked by {of}. So many show a loss of "
             f"{found['minimum_detectable']:.1%} 8 times in 10.", "note"),
    ])  # fmt: skip
