"""The machines of the emulated Hub, as GET /api/jobs/hardware shows them, at the shipped prices.

Shape: ``JobHardwareInfo`` of huggingface_hub 2.4.0. CPU, memory and disk are not imitated: they are
texts that nothing here reads.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

PRICES = Path(__file__).parent.parent / "prices.toml"


def _machine(row: dict[str, Any]) -> dict[str, Any]:
    micro = round(row["usd"] * 1_000_000 / 60)
    shown = {
        "name": row["flavor"],
        "prettyName": row["model"],
        "cpu": "8 vCPU",
        "ram": "32 GB",
        "unitCostMicroUSD": int(micro),
        "unitCostUSD": float(Decimal(micro) / 1_000_000),
        "unitLabel": "minute",
    }
    if "gpu" in row:
        model, _, memory = row["gpu"].rpartition(" ")
        shown["accelerator"] = {
            "type": "gpu",
            "model": model,
            "quantity": str(row["gpus"]),
            "vram": memory.replace("GB", " GB"),
            "manufacturer": "Nvidia",
        }
    return shown


HARDWARE = [
    _machine(row) for row in tomllib.loads(PRICES.read_text("utf-8"), parse_float=Decimal)["price"]
]
