"""Whether the data have what the grader reads: a vendor says so only while it trains, and bills."""

from __future__ import annotations

from ftbridge.dataset import Dataset
from ftbridge.dataset.dataset import SHOWN_ERRORS
from ftbridge.dataset.types import Reward
from ftbridge.errors import DataError
from ftbridge.graders import Grader
from ftbridge_trainer.scoring import missing


def require_graded(grader: Grader, dataset: Dataset) -> None:
    """Ask every line for the keys that the grader's ``{{ item... }}`` name.

    Raises:
        DataError: naming the first lines that lack one.
    """
    location, shown, count = dataset.source.location, [], 0
    wire = grader.wire()
    for item in dataset.examples():
        fields = item.example.fields() if isinstance(item.example, Reward) else {}
        path = missing(wire, fields)
        if path is None:
            continue
        count += 1
        if count <= SHOWN_ERRORS:
            shown.append(f"{location}:{item.line}: has no `{path}`, which the grader reads")
    if count:
        more = f"\n... and {count - len(shown)} more lines" if count > len(shown) else ""
        raise DataError(
            "\n".join(shown) + more,
            hint="add the key to the line, beside `messages`, or correct the grader",
            where=shown[0].split(": ", 1)[0],
            code="ungraded",
        )
