"""After the job: the bill by the vendor's sum, tokens or seconds, against what was estimated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.cost.reconcile import group, job_cost
from ftbridge.jobs.billing import bill
from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.ledger.deployments import DeploymentRow, DeploymentState
from ftbridge.jobs.states import State
from ftbridge.provider import RemoteJob


@pytest.fixture
def bridge(vendor: Account) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def finished(bridge: ftbridge.Bridge, path: Path, **wanted: Any) -> JobRow:
    plan = bridge.plan(write_chats(path), provider="openai", n_epochs=2, **wanted)
    return bridge.submit(plan).wait().row


def planned(row: JobRow, *lines: dict[str, Any]) -> JobRow:
    plan = json.loads(row.plan)
    base = plan["usd"]["lines"][0]
    plan["usd"]["lines"] = [base | line for line in lines]
    return replace(row, plan=json.dumps(plan))


TOKENS = {"name": "training", "unit": "usd_per_1m_tokens", "unit_price": "2.5"}
HOURS = {"name": "training", "unit": "usd_per_hour", "unit_price": "36"}
SECONDS = {"name": "training", "unit": "usd_per_second", "unit_price": "0.001"}
MINIMUM = {"name": "minimum", "unit": "usd_per_job", "unit_price": "4"}


@pytest.mark.parametrize(
    ("lines", "shown", "micro"),
    [
        ([TOKENS], {"trained_tokens": 400_000}, 1_000_000),
        ([TOKENS], {"trained_tokens": 1}, 3),  # a part of a micro-USD is a whole one
        ([TOKENS, MINIMUM], {"trained_tokens": 400_000}, 4_000_000),
        ([TOKENS, MINIMUM], {"trained_tokens": 4_000_000}, 10_000_000),
        ([HOURS], {"billed_seconds": Decimal(250)}, 2_500_000),
        ([SECONDS], {"billed_seconds": Decimal("1.5")}, 1_500),
        ([TOKENS], {"billed_usd": Decimal("7.25"), "trained_tokens": 1}, 7_250_000),
        ([HOURS], {"trained_tokens": 400_000}, None),
        ([TOKENS], {"billed_seconds": Decimal(9)}, None),
        ([TOKENS], {}, None),
    ],
)
def test_bills(
    lines: list[dict[str, Any]], shown: dict[str, Any], micro: int | None,
    bridge: ftbridge.Bridge, tmp_path: Path,
) -> None:  # fmt: skip
    row = planned(finished(bridge, tmp_path / "a.jsonl"), *lines)
    for state, expected in ((State.SUCCEEDED, micro), (State.CANCELLED, micro),
                            (State.FAILED, None), (State.RUNNING, None)):  # fmt: skip
        assert bill(row, RemoteJob("x", state, "raw", **shown)) == expected


def test_a_finished_job_against_its_estimate(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    row = finished(bridge, tmp_path / "a.jsonl", tags={"team": "red"})
    cost = job_cost(row)
    assert cost.billed is not None and cost.estimate and cost.billed_tokens
    middle = (cost.estimate.low + cost.estimate.high) / 2
    assert cost.error == cost.billed / middle - 1
    assert cost.tags == {"team": "red"} and cost.month == row.created_at[:7]


def made(row: JobRow, **changes: Any) -> JobRow:
    return replace(row, **changes)


def test_groups_errors_and_what_has_no_bill(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    base = planned(finished(bridge, tmp_path / "a.jsonl"), TOKENS | {"low": "1", "high": "1"})
    rows = [
        made(base, id="job_1", billed_micro=1_100_000),
        made(base, id="job_2", billed_micro=900_000, created_at="2026-10-01T00:00:00Z"),
        made(base, id="job_3", billed_micro=None),
        made(base, id="job_4", billed_micro=None, state=State.CANCELLED),
        made(base, id="job_5", billed_micro=None, state=State.CANCELLED, remote_id=None),
        made(base, id="job_6", billed_micro=None, state=State.FAILED),
    ]
    by_provider = group(map(job_cost, rows), "provider")
    assert len(by_provider) == 1
    found = by_provider[0]
    assert (found.jobs, found.billed, found.unbilled) == (6, Decimal(2), 2)
    assert found.unbilled_high == 2 and found.reconciled == 2
    assert found.errors == (("job_1", Decimal("0.1")), ("job_2", Decimal("-0.1")))
    assert (found.median_error, abs(found.worst_error or 0)) == (0, Decimal("0.1"))
    months = group(map(job_cost, rows), "month")
    assert [item.key for item in months] == ["2026-10", base.created_at[:7]]
    assert sum(item.billed for item in months) == found.billed


def test_hosting_counts_from_when_it_was_made(
    bridge: ftbridge.Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = finished(bridge, tmp_path / "a.jsonl")
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-11-25T12:00:00Z")
    ended = DeploymentRow(1, row.id, "openai", "m", "n", DeploymentState.ENDED, 1_700_000,
                          "2026-11-20T00:00:00Z", "2026-11-20T10:00:00Z")  # fmt: skip
    rows = [
        ended,
        replace(ended, state=DeploymentState.RUNNING, created_at="2026-11-25T10:00:00Z",
                ended_at=None),
        replace(ended, micro_usd_per_hour=None),
        replace(ended, state=DeploymentState.FAILED),
    ]  # fmt: skip
    cost = job_cost(row, rows)
    assert (cost.hosting, cost.unpriced_hosting) == (Decimal("20.4"), 1)
    found = group([cost], "month")[0]
    assert (found.hosting, found.unpriced_hosting) == (Decimal("20.4"), 1)
    assert found.billed == cost.billed  # training stays apart from hosting


def test_an_unknown_estimate_is_named(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    bridge.prices.rows.clear()
    plan = bridge.plan(write_chats(tmp_path / "a.jsonl"), provider="openai",
                       allow_unknown_cost=True)  # fmt: skip
    row = bridge.submit(plan).wait().row
    found = group([job_cost(row)], "model")[0]
    assert (found.unestimated, found.unbilled, found.unbilled_high) == (1, 1, None)
    assert found.billed == 0 and found.errors == ()


def test_the_command(
    bridge: ftbridge.Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(bridge, tmp_path / "a.jsonl", tags={"team": "red"})
    finished(bridge, tmp_path / "b.jsonl", tags={"team": "blue"})
    capsys.readouterr()
    assert run(["costs", "--by", "tag:team", "--jobs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["key"] for item in found["costs"]] == ["blue", "red"]
    assert len(found["jobs"]) == 2
    billed = sum(job["billed"] for job in found["jobs"])
    assert sum(item["billed"] for item in found["costs"]) == pytest.approx(billed)
    assert all(item["errors"][0]["error"] is not None for item in found["costs"])
    assert run(["costs", "--tag", "team=red", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["costs"][0]["jobs"] == 1
    assert run(["costs", "--since", "2100-01-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["costs"] == []
    assert run(["costs", "--jobs"]) == 0
    text = capsys.readouterr().out
    assert "%" in text and "over 90 days old" in text
    assert run(["costs", "--by", "weather"]) == 2


# -- quotes ----------------------------------------------------------------------------------------


class Quoting:
    """What only differs in that it gives a price."""

    def __init__(self, place: Any, usd: str) -> None:
        self._place, self._usd = place, Decimal(usd)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)

    def supports(self, operation: str) -> bool:
        return operation == "quote" or bool(self._place.supports(operation))

    def quote(self, spec: Any) -> Decimal:
        return self._usd


@pytest.mark.parametrize(("usd", "allowed"), [("0.02", True), ("0.75", False)])
def test_a_quote_wins_over_the_book_and_is_kept(
    usd: str, allowed: bool, bridge: ftbridge.Bridge, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    plan = bridge.plan(write_chats(tmp_path / "a.jsonl"), provider="openai", max_usd="0.5")
    place = Quoting(bridge.provider("openai"), usd)
    monkeypatch.setattr(bridge, "_provider_of_spec", lambda spec: place)
    found = bridge.quote(plan)
    assert (found.usd.high, found.usd.lines[0].evidence) == (Decimal(usd), "quote")
    assert found.allowed is allowed
    kept = bridge.ledger.quotes.of(
        "openai", plan.account, plan.spec.model, plan.spec.training.sha256
    )
    assert [quote.usd for quote in kept] == [Decimal(usd)]


def test_a_quote_makes_known_what_was_not(
    bridge: ftbridge.Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.prices.rows.clear()
    plan = bridge.plan(write_chats(tmp_path / "a.jsonl"), provider="openai")
    assert plan.refusal and plan.refusal.code == "unknown_cost"
    place = Quoting(bridge.provider("openai"), "0.3")
    monkeypatch.setattr(bridge, "_provider_of_spec", lambda spec: place)
    assert bridge.quote(plan).allowed


def test_a_vendor_without_quotes_says_so(vendor: Account, tmp_path: Path) -> None:
    data = write_chats(tmp_path / "a.jsonl")
    assert run(["plan", str(data), "--provider", "openai", "--quote"]) == 4
