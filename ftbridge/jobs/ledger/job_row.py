"""A job as the ledger knows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from ftbridge.jobs.ledger.database import values
from ftbridge.jobs.ledger.schema import jobs
from ftbridge.jobs.states import FINAL, State


@dataclass(frozen=True)
class JobRow:
    """A job as the ledger knows it."""

    id: str
    key: str
    base_key: str
    attempt: int
    parent_job: str | None
    provider: str
    account: str
    region: str | None
    model: str
    method: str
    adapter: str
    privacy: str
    spec: str
    plan: str
    state: State
    raw_state: str | None
    stopping: bool
    remote_id: str | None
    result_model: str | None
    error: dict[str, Any] | None
    progress: float | None
    estimate_low_micro: int | None
    estimate_high_micro: int | None
    billed_tokens: int | None
    billed_micro: int | None
    created_at: str
    updated_at: str
    finished_at: str | None
    lease_owner: str | None

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINAL


COLUMNS = [jobs.c[item.name] for item in fields(JobRow)]


def to_row(record: Any) -> JobRow:
    data = values(record)
    data["state"] = State(data["state"])
    data["error"] = json.loads(data["error"]) if data["error"] else None
    return JobRow(**data)
