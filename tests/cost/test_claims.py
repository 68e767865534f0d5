"""Every figure of the claims in docs/cost.md, worked out again."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import ftbridge
from ftbridge.cost.estimate import estimate
from ftbridge.cost.roi import Roi, baseline, roi
from ftbridge.cost.throughput import Size, hours
from ftbridge.cost.types import TokenCount, Usd
from ftbridge.cost.use import Use
from ftbridge.jobs.spec import Adapter, DataRef, Hyperparameters, JobSpec

PAGE = (Path(__file__).parents[2] / "docs" / "cost.md").read_text("utf-8")
MINI, BIG = "gpt-4.1-mini-2025-04-14", "gpt-4.1-2025-04-14"
EIGHT = "accounts/fireworks/models/llama-v3p1-8b-instruct"
GLOBAL = {"training_type": "global", "deployment_type": "global"}


@pytest.fixture
def bridge() -> ftbridge.Bridge:
    return ftbridge.Bridge()


def count(tokens: int, epochs: int) -> TokenCount:
    return TokenCount(low=tokens, high=tokens, n_epochs=epochs, grade="exact", counter="hand")


def job(
    bridge: ftbridge.Bridge, provider: str, model: str, tokens: int, use: Use | None = None
) -> Usd:
    options = GLOBAL if provider == "azure_openai" else {}
    place = bridge.provider(provider, options)
    adapter = Adapter.MANAGED if provider in ("openai", "azure_openai") else Adapter.LORA
    spec = JobSpec(
        provider=provider, model=model, adapter=adapter, options=options,
        hyperparameters=Hyperparameters(n_epochs=3),
        training=DataRef(path="x", sha256="x", kind="chat", examples=1000, bytes=1),
    )  # fmt: skip
    lines = [line for line in place.billing(spec, count(tokens, 3)) if line.training]
    lines += place.serving(spec, use) if use else []
    return estimate(bridge.prices, provider, model, "sft", lines, adapter=adapter)


def row(*cells: str) -> bool:
    return f"| {' | '.join(cells)} |" in PAGE


@pytest.mark.parametrize(
    ("provider", "model", "calls", "prompt", "tuned", "instead"),
    [
        ("openai", MINI, 1_000_000, 0, "OpenAI gpt-4.1-mini", "gpt-4.1"),
        ("openai", MINI, 1_000_000, 2000, "OpenAI gpt-4.1-mini",
         "gpt-4.1, prompt 2,000 tokens longer"),
        ("azure_openai", MINI, 100_000, 0, "Azure gpt-4.1-mini", "gpt-4.1"),
        ("azure_openai", MINI, 1_000_000, 0, "Azure gpt-4.1-mini", "gpt-4.1"),
        ("azure_openai", MINI, 5_000_000, 0, "Azure gpt-4.1-mini", "gpt-4.1"),
        ("openai", BIG, 1_000_000, 0, "OpenAI gpt-4.1", "gpt-4.1"),
        ("openai", BIG, 1_000_000, 2000, "OpenAI gpt-4.1", "gpt-4.1, prompt 2,000 tokens longer"),
        ("fireworks", EIGHT, 1_000_000, 0, "Fireworks Llama 3.1 8B, one H100", "gpt-4.1"),
    ],
)  # fmt: skip
def test_savings(
    provider: str, model: str, calls: int, prompt: int, tuned: str, instead: str,
    bridge: ftbridge.Bridge,
) -> None:  # fmt: skip
    found = _roi(bridge, provider, model, calls, prompt)
    assert found.tuned_monthly and found.saving_share is not None
    days = f"{found.break_even_days.high:f} days" if found.break_even_days else "never"
    assert row(
        tuned, instead, f"{calls:,}", f"{found.base_monthly:,.2f}",
        f"{found.tuned_monthly.high:,.2f}", f"{found.saving_share:.0%}".replace("%", " %"), days,
    )  # fmt: skip


def _roi(bridge: ftbridge.Bridge, provider: str, model: str, calls: int, prompt: int) -> Roi:
    use = Use(12, calls, Decimal(500), Decimal(150))
    base = baseline("openai:gpt-4.1", use, Decimal(prompt), bridge.prices)
    return roi(job(bridge, provider, model, 1_000_000, use), use, base)


def test_azure_pays_from(bridge: ftbridge.Bridge) -> None:
    found = _roi(bridge, "azure_openai", MINI, 1_000_000, 0)
    assert f"pays from {found.pays_from_calls:,} calls" in PAGE


def _rented(bridge: ftbridge.Bridge, provider: str, model: str, size: str, adapter: str,
            tokens: int) -> str:  # fmt: skip
    price = next(
        row
        for row in bridge.prices.rows
        if (row.provider, row.model) == (provider, model) and row.tier in (None, "secure")
    )
    billions = Size.of(size)
    assert billions
    line = hours(billions, adapter, count(tokens, 1), price)
    assert line.low is not None and line.high is not None
    return f"{line.low * price.per_amount:,.2f} to {line.high * price.per_amount:,.2f}"


@pytest.mark.parametrize(("examples", "length"), [(1000, 500), (5000, 500), (5000, 1333)])
def test_a_small_lora(examples: int, length: int, bridge: ftbridge.Bridge) -> None:
    tokens = examples * length
    assert row(
        f"{examples:,} x {length:,}", f"{3 * tokens:,}",
        f"{job(bridge, 'fireworks', EIGHT, tokens).high:.2f}",
        f"{job(bridge, 'together', 'Qwen/Qwen3.5-9B', tokens).high:.2f}",
        _rented(bridge, "runpod", "H100 SXM 80GB", "7b", "lora", 3 * tokens),
    )  # fmt: skip


def test_what_ten_and_a_hundred_usd_take(bridge: ftbridge.Bridge) -> None:
    ten = job(bridge, "fireworks", EIGHT, 5000 * 1333).high
    hundred = job(bridge, "fireworks", EIGHT, 5000 * 13_334).high
    assert ten and hundred and round(ten) == 10 and round(hundred) == 100
    mini = [job(bridge, "openai", MINI, tokens).high for tokens in (500_000, 5000 * 1333)]
    assert f"{mini[0]:.2f} to {mini[1]:.2f}" in " ".join(PAGE.split())


@pytest.mark.parametrize("tokens", [1_500_000, 15_000_000, 400_000_000, 1_000_000_000])
def test_a_large_full_tune(tokens: int, bridge: ftbridge.Bridge) -> None:
    assert row(f"{tokens:,}", _rented(bridge, "lambda", "8x H100 SXM", "70b", "full", tokens))


def test_prices_of_training_tokens(bridge: ftbridge.Bridge) -> None:
    """Free reinforcement and the serverless training API are other things."""
    prices = [
        row.usd
        for row in bridge.prices.rows
        if row.item == "training_tokens" and row.method not in ("rft", "training_api")
    ]
    assert (min(prices), max(prices)) == (Decimal("0.34"), Decimal(40))
    assert f"25 to {1000 / Decimal('0.034'):,.0f} times" in " ".join(PAGE.split())
