"""What every method's loss is made of: the log-likelihood of each trained token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .batches import Batch
from .errors import TrainerError

if TYPE_CHECKING:
    import torch


def token_nll(model: Any, batch: Batch) -> torch.Tensor:
    """Negative log-likelihood of every trained token: [N], fp32, in nats.

    `use_cache=False` is needed for packed rows: with a cache transformers ignores the restarting
    positions and examples see each other.
    """
    import torch

    with _head_at(model, batch.rows):
        output = model(
            input_ids=batch.ids,
            position_ids=batch.positions,
            attention_mask=None,
            use_cache=False,
        )
    logits = output.logits.reshape(-1, output.logits.shape[-1]).float()  # [N, V]
    return torch.nn.functional.cross_entropy(logits, batch.targets, reduction="none")


@contextmanager
def _head_at(model: Any, rows: torch.Tensor) -> Iterator[None]:
    """Let the output head see only the positions that bear loss.

    Most tokens of a prompt-heavy example need no logits, and these are the largest tensor of a
    step. A hook on the head, rather than a call of our own, keeps whatever the model does to
    its logits afterwards (scaling, soft caps).
    """
    head = model.get_output_embeddings()
    if head is None:
        raise TrainerError(
            "model_not_usable", "the model has no output head", "use a causal language model"
        )

    def select(_module: Any, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        hidden = args[0]  # [B, T, H]
        chosen = hidden.reshape(-1, hidden.shape[-1]).index_select(0, rows)
        return (chosen.unsqueeze(0), *args[1:])

    handle = head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        handle.remove()
