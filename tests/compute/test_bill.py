"""What a rented machine has cost: its time, however the job ended."""

from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from ftbridge.jobs.billing import bill
from ftbridge.jobs.states import State
from ftbridge.shapes import RemoteJob

LINE = {"name": "training", "unit": "usd_per_hour", "unit_price": "10"}


def job(provider: str) -> Any:
    return SimpleNamespace(provider=provider, plan=json.dumps({"usd": {"lines": [LINE]}}))


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_its_time_is_billed_at_any_end(state: State) -> None:
    remote = RemoteJob("a", state, "x", trained_tokens=5, billed_seconds=Decimal(7200))
    assert bill(job("huggingface"), remote) == 20_000_000


def test_without_a_price_nothing_is_made_up() -> None:
    remote = RemoteJob("a", State.SUCCEEDED, "x", billed_seconds=Decimal(7200))
    empty = SimpleNamespace(provider="vertex_compute", plan='{"usd": {"lines": []}}')
    assert bill(empty, remote) is None  # type: ignore[arg-type]


def test_a_managed_job_that_failed_costs_nothing() -> None:
    remote = RemoteJob("a", State.FAILED, "x", billed_seconds=Decimal(7200))
    assert bill(job("azure_openai"), remote) is None
