"""The documented estimate of a step's memory against the peak of real steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftbridge_trainer import facts, memory
from ftbridge_trainer.__main__ import main

from .conftest import chat, write_rows

LENGTH, ROWS = 256, 8
"""Short rows: beyond them a CPU's attention, which is no kernel of its own, takes a share."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    """A random Llama of 49 million parameters."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("llama-49m")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=16384, hidden_size=512, intermediate_size=1536, num_hidden_layers=12,
        num_attention_heads=8, num_key_value_heads=8, max_position_embeddings=4096,
        tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, dtype="float32",
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.long
@pytest.mark.training
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("adapter", ["lora", "qlora", "full"])
def test_the_peak_is_as_estimated(
    new_run: Callable[..., Path], model: Path, adapter: str, recompute: bool
) -> None:
    """In a process of its own, since a peak is that of a whole process.

    NF4 with recomputation takes up to 1.45 times the estimate on a CPU (2,247 MB were measured
    against 1,587); a run plans with 70 % of what is free.
    """
    import subprocess
    import sys

    run = new_run(
        model=str(model), adapter=adapter, n_epochs=1, batch_size=ROWS, micro_batch_size=ROWS,
        max_length=LENGTH, gradient_checkpointing=recompute, lora_r=16, lora_dropout=0.0,
    )  # fmt: skip
    write_rows(run / "train.jsonl", [chat("q", "card here " * 500)] * (2 * ROWS))
    # A shell in between: what a process forks from counts into its peak.
    trainer = [sys.executable, "-m", main.__module__, str(run)]
    subprocess.run(["sh", "-c", '"$@"; exit $?', "sh", *trainer], check=True)
    measured = json.loads((run / "status.json").read_text())["peak_rss_mb"]
    known = facts.Facts(
        facts.Machine(), facts.read_shape(model), facts.DataFacts(LENGTH, LENGTH, LENGTH - 5)
    )
    n_params = facts.count_parameters(model)
    estimated = memory.estimate(n_params, adapter, "fp32", 16, known, ROWS, recompute) >> 20
    assert memory.BUDGET - 0.05 <= estimated / measured <= 1.4, (estimated, measured)


@pytest.mark.parametrize(
    ("billions", "adapter", "gigabytes"), [(8, "qlora", 12), (8, "full", 133), (70, "qlora", 57)]
)
def test_the_need_of_a_size_by_hand(billions: int, adapter: str, gigabytes: int) -> None:
    """8 B in NF4: 1.2 GB of bf16 embeddings, 4.4 GB of blocks, 0.8 of adapters, 0.8 of runtime, and
    per token of 2,048 some 1 MB of activations and 1.2 MB of logits."""
    found = memory.need(billions * 10**9, adapter, 2048) / 1e9
    assert found == pytest.approx(gigabytes, rel=0.03)


def test_the_need_never_falls() -> None:
    sizes = [memory.need(int(b * 1e9), "qlora", 2048) for b in (0.1, 0.5, 1, 3, 8, 14, 32, 70, 400)]
    lengths = [memory.need(8 * 10**9, "lora", length) for length in (128, 512, 2048, 8192)]
    assert sizes == sorted(sizes) and lengths == sorted(lengths)
