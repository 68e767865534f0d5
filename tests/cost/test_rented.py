"""Rented machines by modelled hours: said to be modelled, only where a machine holds the model."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from emulated import write_chats

import ftbridge
from ftbridge.cost.prices import PriceRow
from ftbridge.cost.throughput import Size, fits, gpu_of, hours
from ftbridge.cost.types import TokenCount


def machine(gpu: str, gpus: int = 1) -> PriceRow:
    return PriceRow.model_validate(
        {"provider": "p", "model": "box", "item": "gpu_hour", "unit": "usd_per_hour", "usd": "2",
         "gpu": gpu, "gpus": gpus, "source": "s", "source_date": "2026-11-01",
         "seen": "2026-11-01", "evidence": "e"}
    )  # fmt: skip


def tokens(count: int) -> TokenCount:
    return TokenCount(low=count, high=count, n_epochs=1, grade="exact", counter="hand")


@pytest.mark.parametrize(
    ("name", "total", "active"),
    [
        ("llama-3.1-8b-instruct", "8", "8"),
        ("Qwen/Qwen3.5-397B-A17B", "397", "17"),
        ("qwen3-0.6b", "0.6", "0.6"),
        ("smollm2-135m", "0.135", "0.135"),
        ("llama-v3p3-70b-instruct", "70", "70"),
    ],
)
def test_sizes_by_name(name: str, total: str, active: str) -> None:
    assert Size.of(name) == Size(Decimal(total), Decimal(active))


@pytest.mark.parametrize("name", ["gpt-4.1-mini", "mixtral-8x7b", "kimi-k2p6", ""])
def test_no_size_is_guessed(name: str) -> None:
    assert Size.of(name) is None


@pytest.mark.parametrize(
    ("gpu", "tflops", "memory"),
    [
        ("H100 SXM 80GB", 989, 80), ("H100 PCIe 80GB", 756, 80), ("H100 NVL 94GB", 835, 94),
        ("H100", 756, 80), ("A100-80GB", 312, 80), ("A100", 312, 40), ("L40S", 362, 48),
        ("L4 24GB", 121, 24), ("A10G 24GB", 70, 24), ("T4", 65, 16), ("H200 141GB", 989, 141),
    ],
)  # fmt: skip
def test_gpus_of_the_price_lists(gpu: str, tflops: int, memory: int) -> None:
    found = gpu_of(machine(gpu))
    assert found == (Decimal(tflops), Decimal(memory))


def test_every_gpu_of_the_lists_is_known_or_left_out() -> None:
    rows = [row for row in ftbridge.Bridge().prices.rows if row.item == "gpu_hour"]
    unknown = {str((row.model_extra or {}).get("gpu")) for row in rows if gpu_of(row) is None}
    assert unknown <= {"B300", "B300 288GB", "RTX-PRO-6000", "RTX PRO 6000 96GB", "A10",
                       "A10 24GB", "A10 24GB (fraction)", "None"}  # fmt: skip


def test_what_fits() -> None:
    eight, seventy = Size.of("8b"), Size.of("70b")
    assert eight and seventy
    assert fits(eight, "lora", machine("L40S")) and not fits(eight, "lora", machine("T4"))
    assert fits(eight, "qlora", machine("T4 16GB"))
    assert fits(eight, "lora", machine("A10G 24GB"), length=512)
    assert not fits(eight, "lora", machine("A10G 24GB"), length=8192)
    assert not fits(eight, "full", machine("H100 SXM 80GB"))
    assert not fits(eight, "full", machine("H100 SXM 80GB", 8)), "each GPU holds the whole model"
    assert fits(eight, "full", machine("B200 180GB"))
    assert fits(seventy, "qlora", machine("H100 SXM 80GB"))
    assert not fits(eight, "lora", machine("A10 24GB (fraction)"))


def test_hours_by_hand() -> None:
    """4 x 8e9 x 10e6 FLOPs = 3.2e17; at 45 and 15 % of 312e12 a second: 2,279 and 6,838 s."""
    size = Size.of("8b")
    assert size
    line = hours(size, "lora", tokens(10_000_000), machine("A100 80GB"))
    assert line.low is not None and line.high is not None
    assert round(line.low - Decimal("0.1"), 3) == Decimal("0.633")
    assert round(line.high - Decimal("0.5"), 3) == Decimal("1.899")
    assert "modelled, not measured" in line.formula
    twice = hours(size, "lora", tokens(20_000_000), machine("A100 80GB"))
    assert twice.high is not None and twice.high > line.high


def test_offers_of_rented_machines(tmp_path: Path) -> None:
    data = write_chats(tmp_path / "a.jsonl")
    found = ftbridge.Bridge().compare(data, family="llama-3.1-8b-instruct")
    rented = [offer for offer in found.offers if " on " in offer.model]
    assert {"runpod", "lambda", "aws_ec2"} <= {offer.provider for offer in rented}
    for offer in rented:
        assert not offer.allowed and "modelled, not measured" in " ".join(offer.notes)
        assert offer.usd.low is not None and offer.usd.high is not None
        assert offer.usd.low < offer.usd.high
    assert all("JupyterLab" not in " ".join(offer.basis) for offer in rented)
    full = ftbridge.Bridge().compare(data, family="llama-3.3-70b-instruct", adapter="full")
    assert not [offer for offer in full.offers if " on " in offer.model]


def test_without_a_size_the_reason_is_said(tmp_path: Path) -> None:
    data = write_chats(tmp_path / "a.jsonl")
    found = ftbridge.Bridge().compare(data, family="gpt-4.1-mini")
    left = {item.provider: item.reason for item in found.excluded}
    assert "--family" in left["runpod"]
