"""How long training takes on a rented GPU, by a model of the work: shown as modelled, not measured.

    hours = start + FLOPs a token x tokens / (GPUs x peak x utilisation)

FLOPs a token: 6 x parameters for full training (2 forward, 4 backward), 4 x for LoRA, which needs
no gradients of the frozen weights; of a mixture of experts the active parameters count. The
utilisation of the peak lies between 15 and 45 %, so that the dearest case is about three times the
cheapest. Start is fetching image, model and data and bringing the weights home.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ftbridge.cost.prices import PriceRow
from ftbridge.cost.types import Quantity, TokenCount

FLOPS_A_TOKEN = {"full": 6, "lora": 4, "qlora": 4}
"""Times the parameters that are active."""
USABLE = Decimal("0.9")
"""The share of a GPU's memory that a training may need; drivers and fragments take the rest."""
LENGTH = 2048
"""Tokens of the longest example, where the data's are not known."""
UTILISATION = (Decimal("0.15"), Decimal("0.45"))
START_HOURS = (Decimal("0.1"), Decimal("0.5"))
MOST_GPUS = 8
"""Machines of one box; several together are not modelled."""


class Gpu(NamedTuple):
    """Peak TFLOPS for dense bf16, and GB."""

    tflops: Decimal
    memory_gb: Decimal


@dataclass(frozen=True)
class Size:
    """Billions of parameters: all of them, and those that work on one token."""

    total: Decimal
    active: Decimal

    @classmethod
    def of(cls, name: str) -> Size | None:
        """What a model's name says, as in ``llama-3.1-8b`` or ``qwen3-30b-a3b``; None: nothing."""
        plain = name.lower().replace("_", "-")
        total = re.search(r"(?<![\w.])(\d+(?:\.\d+)?)([bm])(?![a-z])", plain)
        active = re.search(r"-a(\d+(?:\.\d+)?)b(?![a-z])", plain)
        if not total:
            return None
        whole = Decimal(total[1]) / (1000 if total[2] == "m" else 1)
        return cls(whole, Decimal(active[1]) if active else whole)


def gpu_of(row: PriceRow) -> Gpu | None:
    """The GPU that a price list rents; None where its speed is not known."""
    extra = row.model_extra or {}
    name = str(extra.get("gpu") or row.model)
    for pattern, gpu in _gpus():
        if pattern.search(name):
            said = re.search(r"(\d+)GB", name)
            return gpu._replace(memory_gb=Decimal(said[1])) if said else gpu
    return None


def count_of(row: PriceRow) -> int:
    """How many of them the price is for."""
    return int((row.model_extra or {}).get("gpus", 1))


def fits(size: Size, adapter: str, row: PriceRow, length: int = LENGTH) -> bool:
    """Whether each GPU of the machine surely holds the training (``ftbridge_trainer.memory``)."""
    from ftbridge_trainer.memory import need

    gpu = gpu_of(row)
    fraction = "fraction" in str((row.model_extra or {}).get("gpu", ""))
    if gpu is None or fraction or count_of(row) > MOST_GPUS:
        return False
    return need(int(size.total * 10**9), adapter, length) <= gpu.memory_gb * USABLE * 10**9


def hours(size: Size, adapter: str, tokens: TokenCount, row: PriceRow) -> Quantity:
    """The modelled hours of a machine that fits.

    Raises:
        ValueError: for a machine whose speed is not known.
    """
    gpu, count = gpu_of(row), count_of(row)
    if gpu is None:
        raise ValueError(f"the speed of {row.model} is not known")
    factor = FLOPS_A_TOKEN[adapter]
    peak = gpu.tflops * count * 3600 * 1000  # GFLOPs an hour
    work = factor * size.active
    return Quantity(
        name="training",
        item="gpu_hour",
        low=START_HOURS[0] + work * tokens.billed_low / (peak * UTILISATION[1]),
        high=START_HOURS[1] + work * tokens.billed_high / (peak * UTILISATION[0]),
        formula=f"modelled, not measured: {START_HOURS[0]} to {START_HOURS[1]} h + {factor} x "
        f"{size.active}B x {tokens.billed_high:,} tokens / ({count} x {gpu.tflops} TFLOPS x "
        f"{UTILISATION[0]} to {UTILISATION[1]})",
        priced_as=row.model,
    )


@cache
def _gpus() -> list[tuple[re.Pattern[str], Gpu]]:
    text = Path(__file__).with_name("gpus.toml").read_text("utf-8")
    rows = tomllib.loads(text, parse_float=Decimal)["gpu"]
    return [
        (re.compile(row["pattern"]), Gpu(Decimal(row["tflops"]), Decimal(row["memory_gb"])))
        for row in rows
    ]
