"""How much memory a training step needs: the documented estimate behind the automatic batch.

All sizes in bytes. The constants were fitted on SmolLM2-135M (30 layers, hidden 576, ffn 1536,
vocabulary 49,152) on a CPU with NF4 weights and bf16 compute; see `README.md` for the runs.

    need = RUNTIME + weights + adapter + rows x longest x per_token + rows x trained x per_label
"""

from __future__ import annotations

from dataclasses import dataclass

from .facts import DataFacts, Facts, Machine, Shape

RUNTIME = 800 << 20  # the interpreter, torch and its kin
BUDGET = 0.7  # the share of the free memory that a run may plan with
# Activations that a decoder layer keeps for its backward pass, counted in numbers per token:
# norms, q/k/v with their rotated copies, the attention's output and residuals are some 20 vectors
# of `hidden`; gate, up, their product and its inputs to the adapters some 6 of `ffn`.
HIDDEN_VECTORS = 20
FFN_VECTORS = 6
MIXED_BYTES = {"bf16": 3, "fp32": 4}  # bf16 compute keeps norms and adapters in fp32
HEAD_COPIES = 4  # logits, their fp32 copy, log-softmax, gradient
# More tokens in one forward pass than this bring no speed (the cores are busy), only memory.
TOKENS_PER_PASS = {"cpu": 640, "cuda": 16384}


@dataclass(frozen=True)
class Fit:
    """The outcome: examples in one pass, whether to recompute activations, estimate in bytes."""

    micro_batch_size: int
    gradient_checkpointing: bool
    bytes_needed: int
    fits: bool


def weight_bytes(n_params: int, adapter: str, dtype: str, shape: Shape) -> int:
    """Weights and, for what is trained, gradient and AdamW's two moments in fp32."""
    if adapter == "full":
        return n_params * 16
    wide = 2 if dtype == "bf16" else 4
    if adapter == "lora":
        return n_params * wide
    embeddings = min(n_params, shape.vocab * shape.hidden)
    return embeddings * wide + (n_params - embeddings) * 6 // 10  # NF4 and its scales


def adapter_bytes(lora_r: int, shape: Shape) -> int:
    """LoRA pairs on the seven linear layers of a block, fp32, with gradient and two moments."""
    return shape.layers * lora_r * (8 * shape.hidden + 3 * (shape.hidden + shape.ffn)) * 16


def token_bytes(dtype: str, shape: Shape, checkpointing: bool) -> int:
    """Activations a token keeps until the backward pass."""
    one_layer = (HIDDEN_VECTORS * shape.hidden + FFN_VECTORS * shape.ffn) * MIXED_BYTES[dtype]
    if checkpointing:  # one vector a layer, and one layer at a time in full
        return shape.layers * shape.hidden * MIXED_BYTES[dtype] + one_layer
    return shape.layers * one_layer


def estimate(
    n_params: int, adapter: str, dtype: str, lora_r: int, facts: Facts, rows: int, recompute: bool
) -> int:
    """Peak bytes of a step with `rows` items of the longest length in one pass."""
    shape, data = facts.shape, facts.data
    total = RUNTIME + weight_bytes(n_params, adapter, dtype, shape)
    if adapter != "full":
        total += adapter_bytes(lora_r, shape)
    rows *= data.parts
    total += rows * data.longest * token_bytes(dtype, shape, recompute)
    return total + int(rows * data.mean_trained * shape.vocab * 4 * HEAD_COPIES)


def fit(n_params: int, adapter: str, dtype: str, lora_r: int, facts: Facts, batch_size: int) -> Fit:
    """The largest even split of a batch that the cores profit from and the memory holds."""
    budget = int(facts.machine.memory * BUDGET)
    useful = TOKENS_PER_PASS[facts.machine.device] // max(1, facts.data.longest * facts.data.parts)
    first_parts = -(-batch_size // max(1, min(batch_size, useful)))

    def need(rows: int, recompute: bool) -> int:
        return estimate(n_params, adapter, dtype, lora_r, facts, rows, recompute)

    for parts in range(first_parts, batch_size + 1):
        rows = -(-batch_size // parts)
        if need(rows, False) <= budget:
            return Fit(rows, False, need(rows, False), True)
    return Fit(1, True, need(1, True), need(1, True) <= budget)


def holds(n_params: int, adapter: str, dtype: str, lora_r: int, facts: Facts, rows: int) -> bool:
    """Whether `rows` examples fit in one pass without recomputing activations."""
    needed = estimate(n_params, adapter, dtype, lora_r, facts, rows, False)
    return needed <= int(facts.machine.memory * BUDGET)


TYPICAL = (
    (135_000_000, Shape(576, 30, 1536, 49152)),
    (600_000_000, Shape(1024, 28, 3072, 151936)),
    (1_300_000_000, Shape(2048, 16, 8192, 128256)),
    (3_300_000_000, Shape(3072, 28, 8192, 128256)),
    (8_300_000_000, Shape(4096, 36, 14336, 151936)),
    (15_000_000_000, Shape(5120, 40, 17408, 151936)),
    (33_000_000_000, Shape(5120, 64, 25600, 151936)),
    (73_000_000_000, Shape(8192, 80, 29568, 151936)),
    (410_000_000_000, Shape(16384, 126, 53248, 128256)),
)
"""Sizes of well-known decoders, where only the number of parameters is known: those of SmolLM2,
Llama 3 and Qwen 2.5 and 3, by their published configurations."""
TYPICAL_TRAINED = 0.5
"""The share of a long example that bears loss, where the data are not known."""


def typical_shape(n_params: int) -> Shape:
    """The shape of the smallest well-known model that is at least as large."""
    return next((shape for size, shape in TYPICAL if n_params <= size), TYPICAL[-1][1])


def need(n_params: int, adapter: str, length: int, lora_r: int = 16) -> int:
    """The least bytes that a GPU must have to train a model of which only the size is known.

    One example of `length` tokens a pass, bf16, activations recomputed. Every GPU holds the whole
    model: several share the work, not the weights.
    """
    shape = typical_shape(n_params)
    data = DataFacts(longest=length, mean=length, mean_trained=length * TYPICAL_TRAINED)
    facts = Facts(Machine("cuda"), shape, data)
    return estimate(n_params, adapter, "bf16", lora_r, facts, 1, True)
