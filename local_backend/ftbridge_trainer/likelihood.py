"""How likely a given answer is to a model: what training lowers, measured without training."""

from __future__ import annotations

from typing import Any

from .data import ChatRow, message
from .errors import TrainerError
from .generate import Generator
from .render import Renderer


def mean_log_likelihood(
    generator: Generator,
    prompt: list[dict[str, Any]],
    answer: str,
    tools: list[dict[str, Any]] | None = None,
) -> float:
    """The mean over the answer's tokens, its end of turn included, in nats (at most 0).

    Prompt and answer are rendered and cut exactly as in training, so that this is minus the loss
    that a training step would show for the row.

    Raises:
        TrainerError: where the row is longer than the model reads, or its template cannot
            render it.
    """
    import torch

    turns = [*prompt, {"role": "assistant", "content": answer}]
    rendered = [message(given, i, "row") for i, given in enumerate(turns)]
    trained = [False] * len(prompt) + [True]
    row = Renderer(generator.tokenizer).encode(ChatRow("row", rendered, trained, tools))
    if len(row.ids) > generator.context:
        raise TrainerError(
            "prompt_too_long",
            f"a row has {len(row.ids)} tokens, the model reads {generator.context}",
            "shorten the row or use a model with a longer context",
        )
    learnt = [place for place, wanted in enumerate(row.trained) if wanted]
    logits = generator.logits(row.ids[:-1], keep=len(row.ids) - learnt[0])
    targets = torch.tensor(row.ids[learnt[0] :], device=logits.device)
    chosen = torch.tensor([place - learnt[0] for place in learnt], device=logits.device)
    scores = logits.float().log_softmax(-1).gather(-1, targets[:, None])[:, 0]
    return float(scores[chosen].mean())
