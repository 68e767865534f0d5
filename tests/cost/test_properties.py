"""What must hold for any price, any job and any use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from ftbridge.cost.estimate import estimate
from ftbridge.cost.library import TokenPrice
from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.roi import Baseline, roi
from ftbridge.cost.rules import job_minimum
from ftbridge.cost.types import Quantity, TokenCount, Usd
from ftbridge.cost.use import Use

MILLION = Decimal(1_000_000)
UNITS = {"training_tokens": "usd_per_1m_tokens", "job_minimum": "usd_per_job",
         "hosting_hour": "usd_per_hour", "inference_input": "usd_per_1m_tokens",
         "inference_output": "usd_per_1m_tokens",
         "storage_month": "usd_per_model_month"}  # fmt: skip

prices = st.decimals(0, 10_000, places=6, allow_nan=False)
counts = st.integers(0, 10**12)
epochs = st.integers(1, 100)
more = st.integers(0, 10**9)
uses = st.builds(
    Use, st.integers(1, 60), st.integers(0, 10**8), st.decimals(0, 100_000, places=1),
    st.decimals(0, 100_000, places=1),
)  # fmt: skip


def book(known: dict[str, Decimal]) -> PriceBook:
    return PriceBook(
        PriceRow(
            provider="p", model="m", item=item, unit=UNITS[item], usd=usd, source="s",
            source_date=date(2026, 11, 1), seen=date(2026, 11, 1), evidence="e",
        )
        for item, usd in known.items()
    )  # fmt: skip


def training(low: int, high: int, n_epochs: int) -> Quantity:
    """What every provider's rule makes of a count, see ``Provider.billing``."""
    tokens = TokenCount(low=low, high=high, n_epochs=n_epochs, grade="estimated", counter="c")
    return Quantity(
        name="training", item="training_tokens", low=tokens.billed_low / MILLION,
        high=tokens.billed_high / MILLION, formula="f",
    )  # fmt: skip


def job(price: Decimal, low: int, spread: int, n_epochs: int, floor: Decimal) -> Usd:
    known = {"training_tokens": price, "job_minimum": floor}
    return estimate(
        book(known), "p", "m", "sft", [training(low, low + spread, n_epochs), job_minimum()]
    )


@given(prices, counts, more, epochs, prices, prices, more, st.integers(0, 50), prices)
def test_cost_never_falls_when_tokens_epochs_or_price_rise(
    price: Decimal, low: int, spread: int, n_epochs: int, floor: Decimal, dearer: Decimal,
    longer: int, again: int, higher: Decimal,
) -> None:  # fmt: skip
    before = job(price, low, spread, n_epochs, floor)
    for after in (
        job(price + dearer, low, spread, n_epochs, floor),
        job(price, low + longer, spread, n_epochs, floor),
        job(price, low, spread, n_epochs + again, floor),
        job(price, low, spread, n_epochs, floor + higher),
    ):
        assert before.low is not None and after.low is not None
        assert before.high is not None and after.high is not None
        assert after.low >= before.low and after.high >= before.high


@given(prices, counts, more, epochs, prices)
def test_bounds_sums_and_decimals(
    price: Decimal, low: int, spread: int, n_epochs: int, floor: Decimal
) -> None:
    usd = job(price, low, spread, n_epochs, floor)
    assert usd.low is not None and usd.high is not None
    assert usd.low <= usd.high and usd.low >= floor.quantize(Decimal("0.000001"))
    assert usd.low == sum(line.low for line in usd.lines)
    assert usd.high == sum(line.high for line in usd.lines)
    for line in usd.lines:
        assert all(type(value) is Decimal for value in (line.low, line.high, line.unit_price))


@given(uses, st.dictionaries(st.sampled_from(sorted(UNITS)), prices))
def test_unknown_never_becomes_zero(use: Use, known: dict[str, Decimal]) -> None:
    hour = Quantity(
        name="hosting", item="hosting_hour", low=Decimal(1), high=Decimal(1), formula=""
    )
    lines = [training(1, 2, 1), *use.hosting([hour]), *use.storage(), *use.tokens()]
    usd = estimate(book(known), "p", "m", "sft", lines)
    absent = {line.name for line in lines if line.item not in known}
    assert set(usd.unknown) == absent
    assert {line.name for line in usd.lines} == {line.name for line in lines} - absent
    assert (usd.high is None) == ("training" in absent)
    assert (usd.running is None) == bool(absent)
    if usd.high is not None and usd.upfront and usd.running:
        assert usd.high == usd.upfront.high + usd.running.high


@given(uses, prices, prices, st.integers(1, 24), st.integers(1, 10**6))
def test_use_never_gets_cheaper_with_months_or_calls(
    use: Use, first: Decimal, second: Decimal, months: int, calls: int
) -> None:
    prices_ = book({"inference_input": first, "inference_output": second, "storage_month": first})

    def cost(wanted: Use) -> Decimal:
        usd = estimate(prices_, "p", "m", "sft", [*wanted.tokens(), *wanted.storage()])
        assert usd.high is not None
        return usd.high

    before = cost(use)
    sizes = (use.input_tokens, use.output_tokens)
    assert cost(Use(use.months + months, use.calls_per_month, *sizes)) >= before
    assert cost(Use(use.months, use.calls_per_month + calls, *sizes)) >= before
    assert cost(Use(use.months, use.calls_per_month, sizes[0] + calls, sizes[1])) >= before


@settings(max_examples=200)
@given(
    st.decimals(1, 10**5, places=2), st.decimals(0, 10**5, places=2),
    st.decimals(0, 10**4, places=2), st.decimals(0, 10**5, places=2), uses,
)  # fmt: skip
def test_break_even_is_where_the_lines_cross(
    upfront: Decimal, spread: Decimal, monthly: Decimal, base: Decimal, use: Use
) -> None:
    kept = monthly * use.months
    tuned = Quantity(
        name="hosting", item="hosting_hour", low=kept, high=kept, formula="", training=False,
        monthly=True,
    )  # fmt: skip
    once = Quantity(
        name="training", item="storage_month", low=upfront, high=upfront + spread, formula=""
    )
    usd = estimate(
        book({"storage_month": Decimal(1), "hosting_hour": Decimal(1)}), "p", "m", "sft",
        [once, tuned],
    )  # fmt: skip
    price = TokenPrice("x", "y", Decimal(1), Decimal(1), "s")
    found = roi(usd, use, Baseline("x:y", price, Decimal(0), base, Decimal(0), Decimal(0)))
    assert found.saving_monthly
    if found.break_even_days is None:
        assert found.why and found.saving_monthly.low <= 0
        return
    days, saving = found.break_even_days, found.saving_monthly
    assert days.low <= days.high
    spent = upfront + spread + monthly * days.high / 30
    assert spent <= base * days.high / 30 + Decimal("0.01") * (1 + abs(saving.low))
    assert spent >= base * (days.high - Decimal("0.01")) / 30 - Decimal("0.01") * (1 + base)


@given(prices, prices)
def test_a_quote_takes_the_place_of_training_alone(quote: Decimal, price: Decimal) -> None:
    hour = Quantity(name="hosting", item="hosting_hour", low=Decimal(1), high=Decimal(1),
                    formula="", training=False)  # fmt: skip
    usd = estimate(
        book({"hosting_hour": price}), "p", "m", "sft", [training(5, 9, 2), hour], quote=quote
    )
    assert usd.unknown == () and usd.high == sum(line.high for line in usd.lines)
    assert [line.evidence for line in usd.lines] == ["quote", "e"]
    assert usd.upfront and usd.upfront.high == usd.high
