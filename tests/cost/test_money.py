"""Money: Decimal, dated, never 0 for unknown, and never more than was allowed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.types import Quantity, Usd

MODEL = "gpt-4.1-mini-2025-04-14"


def _row(**changes: object) -> PriceRow:
    content = {"provider": "p", "model": "m", "item": "training_tokens",
               "unit": "usd_per_1m_tokens", "usd": "0.1", "source": "s", "evidence": "e",
               "source_date": date(2026, 8, 1), "seen": date(2026, 8, 1)}  # fmt: skip
    return PriceRow.model_validate(content | changes)


def _quantity(amount: str | None, name: str = "training", training: bool = True) -> Quantity:
    number = None if amount is None else Decimal(amount)
    item = "training_tokens" if training else name
    return Quantity(name=name, item=item, low=number, high=number, formula="f", training=training)


def _usd(*quantities: Quantity, rows: tuple[PriceRow, ...] = (_row(),)) -> Usd:
    return estimate(PriceBook(rows), "p", "m", "sft", quantities)


def test_decimal_throughout() -> None:
    usd = _usd(_quantity("3"))
    assert (usd.low, usd.high) == (Decimal("0.3"), Decimal("0.3"))
    assert isinstance(usd.lines[0].unit_price, Decimal)
    assert usd.lines[0].source_date == date(2026, 8, 1)


def test_unknown_training_is_null_and_named() -> None:
    for usd in (_usd(_quantity(None)), _usd(_quantity("3"), rows=())):
        assert (usd.low, usd.high, usd.unknown) == (None, None, ("training",))


def test_unknown_hosting_is_named_and_the_rest_summed() -> None:
    usd = _usd(_quantity("3"), _quantity("9", "hosting", training=False))
    assert (usd.high, usd.unknown) == (Decimal("0.3"), ("hosting",))


@pytest.mark.parametrize(("day", "stale"), [("2026-10-30", False), ("2026-10-31", True)])
def test_a_price_is_stale_after_90_days(
    day: str, stale: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", day)
    assert _usd(_quantity("3")).lines[0].stale is stale


def test_stale_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-12-24")
    data = write_chats(tmp_path / "a.jsonl")
    assert run(["compare", str(data)]) == 0
    assert run(["plan", str(data), "--provider", "openai"]) == 0
    assert capsys.readouterr().out.count("over 90 days old") >= 2


# -- through the bridge --------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_chats(tmp_path / "train.jsonl")


@pytest.fixture
def bridge(vendor: Account, closed_world: Path) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def _settings(home: Path, text: str) -> ftbridge.Bridge:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text)
    return ftbridge.Bridge()


def test_max_usd_is_compared_with_high(bridge: ftbridge.Bridge, data: Path) -> None:
    high = bridge.plan(data, provider="openai").usd.high
    assert isinstance(high, Decimal) and high > 0
    assert bridge.plan(data, provider="openai", max_usd=high).allowed
    refused = bridge.plan(data, provider="openai", max_usd=high - Decimal("0.000001"))
    assert refused.refusal and (refused.refusal.code, refused.refusal.exit_code) == ("budget", 5)
    with pytest.raises(ftbridge.BudgetRefused):
        bridge.submit(refused)
    assert bridge.jobs() == []


def test_unknown_cost_is_refused_unless_allowed(
    bridge: ftbridge.Bridge, data: Path, vendor: Account
) -> None:
    bridge.prices = PriceBook([])
    plan = bridge.plan(data, provider="openai")
    assert (plan.usd.low, plan.usd.high) == (None, None)
    assert plan.refusal and (plan.refusal.code, plan.refusal.exit_code) == ("unknown_cost", 5)
    with pytest.raises(ftbridge.BudgetRefused):
        bridge.submit(plan)
    assert vendor.store.requests == []
    allowed = bridge.plan(data, provider="openai", allow_unknown_cost=True)
    job = bridge.submit(allowed)
    usd = job.to_dict()["usd"]
    assert usd == {"low": None, "high": None, "unknown": ["training"], "stale": False}


def test_own_price_wins(closed_world: Path, data: Path) -> None:
    before = ftbridge.Bridge().plan(data, provider="openai").usd
    row = f"[[price]]\nprovider='openai'\nmodel='{MODEL}'\nitem='training_tokens'\n"
    own = _settings(closed_world, row + "unit='usd_per_1m_tokens'\nusd=1234.5\n")
    after = own.plan(data, provider="openai").usd
    assert after.lines[0].unit_price == Decimal("1234.5")
    assert after.lines[0].source == "your settings"
    assert after.lines[0].age == "date unknown"
    assert before.high and after.high and after.high > before.high
    other = own.plan(data, provider="openai", model="gpt-4o-2024-08-06").usd
    assert other.lines[0].source != "your settings"


def test_the_monthly_cap(closed_world: Path, vendor: Account, tmp_path: Path) -> None:
    first = write_chats(tmp_path / "one.jsonl")
    second = write_chats(tmp_path / "two.jsonl")
    high = ftbridge.Bridge().plan(first, provider="openai").usd.high
    assert high
    bridge = _settings(closed_world, f"[budget]\nmonthly_usd = {high * Decimal('1.5')}\n")
    bridge.submit(bridge.plan(first, provider="openai"))
    before = len(vendor.store.requests)
    with pytest.raises(ftbridge.BudgetRefused) as caught:
        bridge.submit(bridge.plan(second, provider="openai"))
    assert caught.value.where == "budget.monthly_usd"
    assert len(vendor.store.requests) == before
    assert len(bridge.jobs()) == 1
    bridge.ledger.close()


def test_offers_from_free_to_unknown(bridge: ftbridge.Bridge, data: Path) -> None:
    free = _row(provider="openai", model=MODEL, usd="0", unit="usd_per_1m_tokens")
    bridge.prices = PriceBook([free, *bridge.prices.rows])
    offers = bridge.compare(data).offers
    assert offers[0].model == MODEL and offers[0].usd.high == 0
    highs = [offer.usd.high for offer in offers]
    known = [high for high in highs if high is not None]
    assert known == sorted(known)
    assert highs[: len(known)] == known


def test_the_local_price_is_unknown_until_measured(bridge: ftbridge.Bridge, data: Path) -> None:
    local = [offer for offer in bridge.compare(data).offers if offer.provider == "local"]
    assert local
    assert all(o.usd.high is None or o.usd.high > 0 for o in local)


def test_the_book_is_sound() -> None:
    rows = ftbridge.Bridge().prices.rows
    assert rows
    for row in rows:
        assert row.source and row.evidence and row.unit.startswith("usd_per_")
        assert row.source_date <= row.seen


def test_a_plan_is_priced_for_its_adapter(closed_world: Path, tmp_path: Path) -> None:
    data, model = write_chats(tmp_path / "a.jsonl"), "Qwen/Qwen3.5-9B"
    own = ["together", model, "training_tokens", "9", "--adapter", "full"]
    assert run(["prices", "set", *own]) == 0
    bridge = ftbridge.Bridge()
    for adapter, price in (("lora", "0.34"), ("full", "9")):
        plan = bridge.plan(data, provider="together", model=model, adapter=adapter)
        assert plan.usd.lines[0].unit_price == Decimal(price)


def test_validation_tokens_are_counted_and_billed_where_the_vendor_does(tmp_path: Path) -> None:
    """Together: n_epochs x training tokens + n_evals x validation tokens, at one price."""
    data, held_out = write_chats(tmp_path / "a.jsonl"), write_chats(tmp_path / "b.jsonl")
    plan = ftbridge.Bridge().plan(
        data, provider="together", model="Qwen/Qwen3.5-9B", adapter="lora", n_epochs=2,
        validation=held_out, options={"n_evals": "5"},
    )  # fmt: skip
    assert plan.tokens.validation
    lines = {line.name: line for line in plan.usd.lines}
    low, high = plan.tokens.validation
    assert lines["evaluation"].high == (high * 5 * Decimal("0.34") / 10**6).quantize(
        Decimal("0.000001")
    )
    assert lines["evaluation"].low > 0 and low > 0
