"""Whether bf16 pays on this processor: asked of the hardware, not only of its name.

A flag says that bf16 can be multiplied, not that it is quick: a Xeon without AMX that was measured
here (2026-11-24) lists avx512_bf16 and is 1.9 times slower in bf16 than in fp32, while an EPYC with
the same flag is 1.4 times faster. Both lie far from 1, so the answer does not change with the load.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from .facts import cpu_has_bf16

ROUNDS = 7
SHAPE = (512, 576, 1536)  # rows, inputs, outputs: a layer of the smallest model worth tuning


@cache
def cpu_bf16_pays() -> bool:
    """Whether a matrix product is quicker in bf16 than in fp32, best of some; about 0.1 s."""
    if not cpu_has_bf16():
        return False
    import torch

    rows, inputs, outputs = SHAPE
    pairs = [
        (torch.ones(rows, inputs, dtype=kind), torch.ones(outputs, inputs, dtype=kind))
        for kind in (torch.bfloat16, torch.float32)
    ]
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):  # alternating, so that a busy moment hits both
        for index, (data, weight) in enumerate(pairs):
            best[index] = min(best[index], _seconds(torch, data, weight))
    return best[0] < best[1]


def _seconds(torch: Any, data: Any, weight: Any) -> float:
    began = time.perf_counter()
    torch.nn.functional.linear(data, weight)
    return time.perf_counter() - began
