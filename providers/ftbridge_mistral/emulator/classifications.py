"""``/v1/classifications`` and ``/v1/chat/classifications``: a rehearsal, not a model.

Shapes: ClassificationRequest, ChatClassificationRequest and ClassificationResponse of the vendor's
openapi.yaml (2026-07-15), whose ``input`` is one or several. The nearest training example's labels
get most of the score; the rest is shared by the others.
"""

from __future__ import annotations

import uuid
from typing import Any

from ftbridge.testing.likeness import text_of
from ftbridge.testing.plumbing import Call
from ftbridge.testing.wire import Anything, Field, Record, Text

from . import lifecycle
from .errors import from_problems, invalid, refused
from .models import tuned
from .paging import parameters
from .store import Emulator, Job

_REQUEST = Record(
    {
        "model": Field(Text(shortest=1), required=True),
        "input": Field(Anything(), required=True),
        "metadata": Field(Anything()),
    }
)
SURE = 0.9


async def texts(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST classifications: raw texts."""
    job, asked = _asked(emulator, call)
    if not all(isinstance(each, str) for each in asked):
        raise invalid("input", "expected texts")
    return _answer(job, asked)


async def chats(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST chat/classifications: conversations."""
    job, asked = _asked(emulator, call)
    users = []
    for each in asked:
        if not isinstance(each, dict) or each.keys() != {"messages"} or not each["messages"]:
            raise invalid("input", "expected messages")
        turns = [text_of(m.get("content")) for m in each["messages"] if m.get("role") == "user"]
        users.append(turns[-1] if turns else "")
    return _answer(job, users)


def _asked(emulator: Emulator, call: Call) -> tuple[Job, list[Any]]:
    parameters(call, ())
    problems = list(_REQUEST.problems(call.body))
    if problems:
        raise from_problems(problems)
    job = tuned(emulator, call.body["model"], call.now)
    if job.kind != "classifier" or job.archived:
        raise refused(400, "invalid_model", "this model classifies nothing")
    asked = call.body["input"]
    return job, asked if isinstance(asked, list) else [asked]


def _answer(job: Job, asked: list[str]) -> dict[str, Any]:
    known = job.data.labels()
    results = []
    for text in asked:
        nearest = job.data.pairs.nearest(text)
        result = {}
        for target, labels in known.items():
            sure = nearest.get(target, [])
            rest = [label for label in labels if label not in sure]
            scores = {label: SURE / len(sure) for label in sure}
            scores |= {label: (1 - SURE) / len(rest) for label in rest}
            result[target] = {"scores": scores}
        results.append(result)
    return {"id": f"cls-{uuid.uuid4().hex}", "model": lifecycle.model_name(job), "results": results}
