"""--provider auto: the cheapest that may be used, with the reason; money only with --yes."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_chats(tmp_path / "train.jsonl")


def answer(capsys: pytest.CaptureFixture[str], *args: object, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*map(str, args), "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_cheapest_that_is_ready_is_taken_with_the_reason(vendor: Account, data: Path) -> None:
    bridge = ftbridge.Bridge()
    plan = bridge.plan_cheapest(data)
    assert plan.spec.provider == "openai"
    assert plan.warnings[0].startswith("auto: openai")
    assert "no Together key" in plan.warnings[0] and "is the cheapest of" in plan.warnings[0]
    others = [o for o in bridge.compare(data).offers if o.provider == "openai"]
    assert plan.usd.high == min(o.usd.high for o in others if o.usd.high is not None)
    assert plan.key == bridge.plan(data, provider="openai", model=plan.spec.model).key


def test_a_family_stays_what_it_is(vendor: Account, data: Path) -> None:
    plan = ftbridge.Bridge().plan_cheapest(data, model="gpt-4.1")
    assert plan.spec.model == "gpt-4.1-2025-04-14"


def test_the_plan_shows_the_reason(
    vendor: Account, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "plan", data, "--provider", "auto")
    assert found["provider"] == "openai" and found["warnings"][0].startswith("auto: ")
    assert run(["plan", str(data), "--provider", "auto"]) == 0
    assert "auto: openai" in capsys.readouterr().out
    assert vendor.store.requests == []


def test_nothing_is_spent_without_yes(
    vendor: Account, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "submit", data, "--provider", "auto", code=2)
    assert found["error"]["where"] == "--yes" and vendor.store.requests == []
    found = answer(capsys, "submit", data, "--provider", "auto", "--yes")
    assert found["provider"] == "openai" and found["chosen"].startswith("auto: openai")
    assert len(vendor.store.jobs) == 1


def test_the_budget_is_held(
    vendor: Account, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    high = ftbridge.Bridge().plan_cheapest(data).usd.high
    assert high
    assert ftbridge.Bridge().plan_cheapest(data, max_usd=high).allowed
    less = high - Decimal("0.000001")
    with pytest.raises(ftbridge.BudgetRefused, match=r"may cost"):
        ftbridge.Bridge().plan_cheapest(data, max_usd=less)
    found = answer(capsys, "plan", data, "--provider", "auto", "--max-usd", less, code=5)
    assert "ftbridge compare" in found["error"]["hint"]


def test_unknown_prices_are_taken_only_if_allowed(vendor: Account, data: Path) -> None:
    bridge = ftbridge.Bridge()
    bridge.prices.rows.clear()
    family = {"model": "gpt-4.1-mini"}
    with pytest.raises(ftbridge.FtbridgeError):
        bridge.plan_cheapest(data, **family)
    plan = bridge.plan_cheapest(data, allow_unknown_cost=True, **family)
    assert plan.spec.provider == "openai" and plan.usd.high is None
    own = bridge.plan_cheapest(data)
    assert own.spec.provider == "local" and not own.bills  # nobody sends a bill for it


def test_restricted_data_stay_here(vendor: Account, data: Path) -> None:
    """Only this machine may train on them; where its model is not here, that is the reason."""
    try:
        assert ftbridge.Bridge().plan_cheapest(data, privacy="restricted").spec.provider == "local"
    except ftbridge.FtbridgeError as error:
        assert error.message.startswith("no provider is left: local")
    assert vendor.store.requests == []


def test_what_only_one_vendor_understands_is_refused(vendor: Account, data: Path) -> None:
    for more in ({"options": {"packing": "true"}}, {"base_url": "https://example.org"}):
        with pytest.raises(ftbridge.UsageError):
            ftbridge.Bridge().plan_cheapest(data, **more)


def test_a_hyperparameter_that_some_do_not_take(vendor: Account, data: Path) -> None:
    plan = ftbridge.Bridge().plan_cheapest(data, learning_rate_multiplier=0.5)
    assert plan.spec.provider == "openai"
    assert ftbridge.Bridge().plan_cheapest(data, learning_rate=0.001).spec.provider == "local"
    with pytest.raises(ftbridge.FtbridgeError, match="learning_rate"):
        ftbridge.Bridge().plan_cheapest(data, learning_rate=0.001, model="gpt-4.1-mini")


def test_bad_data_are_said_as_such(vendor: Account, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": []}\n')
    with pytest.raises(ftbridge.DataError):
        ftbridge.Bridge().plan_cheapest(bad)
