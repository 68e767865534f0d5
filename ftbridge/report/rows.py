"""Rows of an evaluation side by side: what was asked, what was wanted, what both models said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftbridge.dataset import Dataset
from ftbridge.errors import FtbridgeError
from ftbridge.evaluate import rows as rows_of
from ftbridge.evaluate.rows import Row
from ftbridge.jobs.clearance import Clearance
from ftbridge.jobs.ledger.evaluations import Evaluations
from ftbridge.policy.labels import Privacy, strictest
from ftbridge.provider import ChatReply
from ftbridge.report.consent import refusal
from ftbridge.report.parts import Part, Table, Text

LETTERS = 2000
"""Of one text that are shown."""
GONE = "(not kept any more)"
KINDS = {
    "gained": "The tuned model did better",
    "lost": "The tuned model did worse",
    "neither": "Neither was right",
    "both": "Both did equally well",
}


@dataclass(frozen=True)
class Showing:
    """What rows can be made of: kept replies, the job's label, and what the reader asked for."""

    replies: Evaluations
    label: Privacy
    asked: bool | None


def side_by_side(sample: Mapping[str, Any] | None, showing: Showing) -> list[Part]:
    """The rows that an evaluation remembers, or why there are none."""
    if sample is None:
        return [Text("No row is shown: this evaluation has remembered none.", "note")]
    file = str(sample["file"])
    now = Clearance.of([file]).label.privacy
    label = strictest([showing.label, Privacy(sample["privacy"]), now])
    if why := refusal(label, showing.asked):
        return [Text(why, "note")]
    asked = _read(file, sample)
    if asked is None:
        return [Text("No row is shown: the file of these rows has gone or changed.", "note")]
    calls = [row[side] for row in sample["rows"] for side in ("baseline", "tuned")]
    replies = showing.replies.cached(calls)
    return [
        Table(
            ("line", "asked", "wanted", "baseline said", "tuned model said"),
            [_shown(row, asked[row["line"]], replies) for row in found],
            said,
            texts=True,
        )
        for kind, said in KINDS.items()
        if (found := [row for row in sample["rows"] if row["kind"] == kind])
    ]


def _read(file: str, sample: Mapping[str, Any]) -> dict[int, Row] | None:
    """The rows by line; None where the file is not what it was."""
    dataset = Dataset(file)
    try:
        if dataset.sha256 != sample["sha256"]:
            return None
        wanted = {row["line"] for row in sample["rows"]}
        return {row.line: row for row in rows_of.load(dataset, None) if row.line in wanted}
    except FtbridgeError:
        return None


def _shown(
    kept: Mapping[str, Any], row: Row, replies: Mapping[str, ChatReply]
) -> tuple[object, ...]:
    wanted = _answer(row.reference, row.calls)
    said = [
        _answer(reply.text, reply.tool_calls) if (reply := replies.get(kept[side])) else GONE
        for side in ("baseline", "tuned")
    ]
    return (row.line, _words(row.messages[-1]["content"]), wanted, *said)


def _answer(text: str, calls: Sequence[Mapping[str, Any]]) -> str:
    called = [f"{call['function']['name']}({call['function']['arguments']})" for call in calls]
    return _cut("\n".join([*([text] if text else []), *called]) or "(nothing)")


def _words(content: Any) -> str:
    if isinstance(content, str):
        return _cut(content)
    parts = [part.get("text") or f"[{part.get('type')}]" for part in content or []]
    return _cut("\n".join(parts) or json.dumps(content))


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[:LETTERS]} …"
