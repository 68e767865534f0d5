"""The training loop: one for every method and adapter."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from .batches import micro_batches, window
from .checkpoint import Progress
from .control import Control
from .errors import TrainerError
from .loss import METHODS
from .model import evaluating, trainable
from .recipe import Resolved
from .render import Example
from .run_dir import RunDir

BETAS = (0.9, 0.999)
EPSILON = 1e-8


@dataclass
class Training:
    """What the loop works on."""

    recipe: Resolved
    run: RunDir
    control: Control
    model: Any
    optimizer: Any
    examples: Sequence[Example]
    validation: Sequence[Example]
    progress: Progress
    save: Callable[[], None]


def make_optimizer(model: Any, recipe: Resolved) -> Any:
    """AdamW; weight decay on matrices only, never on norms and biases."""
    import torch

    parameters = [p for _, p in trainable(model)]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=recipe.learning_rate,
        betas=BETAS,
        eps=EPSILON,
    )


def learning_rate(recipe: Resolved, step: int) -> float:
    """The rate of step `step` (0-based): a function of the step alone, so nothing to restore.

    Linear warm-up over ceil(warmup_ratio * total) steps, then cosine or linear down to 0, which
    the step behind the last would reach.
    """
    warmup = math.ceil(recipe.warmup_ratio * recipe.total_steps)
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    if recipe.lr_scheduler == "constant":
        return recipe.learning_rate
    done = (step - warmup) / max(1, recipe.total_steps - warmup)
    if recipe.lr_scheduler == "linear":
        return recipe.learning_rate * (1 - done)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def autocast(recipe: Resolved) -> AbstractContextManager[Any]:
    """bf16 compute under fp32 adapters (or masters); nothing at all in fp32."""
    import torch

    if recipe.compute_dtype != "bf16":
        return nullcontext()
    context: AbstractContextManager[Any] = torch.autocast(recipe.device, dtype=torch.bfloat16)
    return context


def loop(t: Training) -> str:
    """Train from `t.progress` to the end; returns "succeeded", "cancelled" or "paused"."""
    recipe, progress = t.recipe, t.progress
    started, tokens_before = time.monotonic(), progress.tokens
    total_trained = recipe.n_epochs * sum(e.trained_tokens for e in t.examples)
    while progress.step < recipe.total_steps:
        begun = time.monotonic()
        row = _step(t)
        if progress.step % recipe.eval_steps == 0 or progress.step == recipe.total_steps:
            _validate(t, row)
        took = time.monotonic() - begun
        progress.seconds += took
        row["tokens_per_second"] = round(row.pop("step_tokens") / took, 1)
        t.run.metric(row)
        rate = (progress.tokens - tokens_before) / (time.monotonic() - started)
        t.run.update(
            step=progress.step,
            epoch=min(recipe.n_epochs, int(progress.epoch) + 1),
            trained_tokens=progress.trained_tokens,
            train_tokens_total=total_trained,
            tokens_per_second=round(rate, 1),
        )
        stop = t.control.wanted() if progress.step < recipe.total_steps else None
        if stop:
            t.run.update(state="cancelling")
        last = progress.step == recipe.total_steps
        if stop or last or progress.step % recipe.checkpoint_steps == 0:
            t.save()
        if stop:
            return stop
    return "succeeded"


def _step(t: Training) -> dict[str, Any]:
    """One optimizer step. The loss is the mean over all trained tokens of the window, however it
    is split into passes."""
    import torch

    recipe, progress = t.recipe, t.progress
    chosen = [
        t.examples[i]
        for i in window(len(t.examples), recipe.batch_size, recipe.seed, progress.step)
    ]
    rate = learning_rate(recipe, progress.step)
    for group in t.optimizer.param_groups:
        group["lr"] = rate
    loss, trained, tokens = accumulate(t.model, recipe, chosen)
    parameters = [p for _, p in trainable(t.model)]
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, recipe.max_grad_norm))
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise TrainerError(
            "diverged",
            f"loss {loss} and gradient norm {norm} at step {progress.step + 1}",
            "lower learning_rate, or look at the data near this step",
        )
    t.optimizer.step()
    t.optimizer.zero_grad(set_to_none=True)
    progress.step += 1
    steps_an_epoch = -(-len(t.examples) // recipe.batch_size)
    progress.epoch = progress.step / steps_an_epoch
    progress.trained_tokens += trained
    progress.tokens += tokens
    progress.train_loss = loss
    return {
        "step": progress.step,
        "epoch": round(progress.epoch, 4),
        "loss": loss,
        "learning_rate": rate,
        "grad_norm": norm,
        "trained_tokens": progress.trained_tokens,
        "tokens": progress.tokens,
        "step_tokens": tokens,
    }


def accumulate(model: Any, recipe: Resolved, examples: Sequence[Example]) -> tuple[float, int, int]:
    """Gradients of one window; returns (mean loss in nats, trained tokens, tokens)."""
    method = METHODS[recipe.method]
    trained = sum(example.trained_tokens for example in examples)
    loss, tokens = 0.0, 0
    for batch in _passes(recipe, examples):
        with autocast(recipe):
            part = method.loss_sum(model, batch) / trained
        part.backward()
        loss += float(part.detach())
        tokens += batch.tokens
    return loss, trained, tokens


def evaluate(model: Any, recipe: Resolved, examples: Sequence[Example]) -> float:
    """Mean loss in nats over the trained tokens of a file, without touching any generator."""
    method = METHODS[recipe.method]
    total = 0.0
    with evaluating(model):
        for k in range(0, len(examples), recipe.batch_size):
            for batch in _passes(recipe, examples[k : k + recipe.batch_size]):
                with autocast(recipe):
                    total += float(method.loss_sum(model, batch))
    return total / sum(example.trained_tokens for example in examples)


def _validate(t: Training, row: dict[str, Any]) -> None:
    if t.validation:
        row["valid_loss"] = t.progress.valid_loss = evaluate(t.model, t.recipe, t.validation)


def _passes(recipe: Resolved, examples: Sequence[Example]) -> list[Any]:
    split = micro_batches(examples, recipe.packing, recipe.micro_batch_size, recipe.max_length)
    return [batch.to(recipe.device) for batch in split]
