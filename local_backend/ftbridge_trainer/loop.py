"""The training loop: one for every method and adapter."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from .batches import Batch, micro_batches, window
from .checkpoint import Progress
from .control import Control
from .errors import TrainerError
from .items import Item, Pair
from .methods import Method, Summed, method_of, ratios
from .model import evaluating, trainable
from .recipe import Resolved
from .run_dir import RunDir
from .world import World

BETAS = (0.9, 0.999)
EPSILON = 1e-8
ALONE = World()


@dataclass
class Training:
    """What the loop works on."""

    recipe: Resolved
    run: RunDir
    control: Control
    model: Any
    optimizer: Any
    examples: Sequence[Item]
    validation: Sequence[Item]
    progress: Progress
    save: Callable[[], None]
    world: World


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
    """One optimizer step. The loss is the mean over all units of the window (trained tokens, or
    pairs), however it is split into passes."""
    import torch

    recipe, progress = t.recipe, t.progress
    chosen = [
        t.examples[i]
        for i in window(len(t.examples), recipe.batch_size, recipe.seed, progress.step)
    ]
    rate = learning_rate(recipe, progress.step)
    for group in t.optimizer.param_groups:
        group["lr"] = rate
    t.world.seed(recipe.seed, progress.step)
    loss, measures, tokens = accumulate(t.model, recipe, chosen, t.world)
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
    progress.trained_tokens += sum(item.trained_tokens for item in chosen)
    progress.tokens += tokens
    progress.train_loss = loss
    return {
        "step": progress.step,
        "epoch": round(progress.epoch, 4),
        "loss": loss,
        **measures,
        "learning_rate": rate,
        "grad_norm": norm,
        "trained_tokens": progress.trained_tokens,
        "tokens": progress.tokens,
        "step_tokens": tokens,
    }


def accumulate(
    model: Any, recipe: Resolved, items: Sequence[Item], world: World = ALONE
) -> tuple[float, dict[str, float], int]:
    """Gradients of one window, summed over all processes.

    Returns:
        Mean loss, means of further measures, tokens: of the whole window.
    """
    method = method_of(recipe.method, recipe.beta)
    units = method.units(items)
    sums = _Sums()
    for batch in passes(recipe, world.share(items)):
        with autocast(recipe):
            part = method.summed(model, batch)
            loss = part.loss / units
        loss.backward()
        sums.add(part, batch.tokens)
    world.sum_gradients([p for _, p in trainable(model)])
    return sums.means(units, method, world)


def evaluate(
    model: Any, recipe: Resolved, items: Sequence[Item], world: World = ALONE
) -> tuple[float, dict[str, float]]:
    """Mean loss and measures over the units of a file, without touching any generator."""
    method = method_of(recipe.method, recipe.beta)
    sums = _Sums()
    with evaluating(model):
        for k in range(0, len(items), recipe.batch_size):
            for batch in passes(recipe, world.share(items[k : k + recipe.batch_size])):
                with autocast(recipe):
                    sums.add(method.summed(model, batch), batch.tokens)
    return sums.means(method.units(items), method, world)[:2]


def with_reference(
    model: Any, recipe: Resolved, items: Sequence[Item], world: World = ALONE
) -> list[Item]:
    """The items, each pair with the ratio that the model gives it before the first step.

    Longest first, so that a pass holds pairs of like length; never packed, so that it keeps order.
    """
    rows, found = recipe.micro_batch_size, [0.0] * len(items)
    pairs = [i for i, item in enumerate(items) if isinstance(item, Pair)]
    pairs.sort(key=lambda i: -max(len(part.ids) for part in items[i].parts))
    with evaluating(model), autocast(recipe):
        for k in world.share(range(0, len(pairs), rows)):
            chosen = pairs[k : k + rows]
            (batch,) = micro_batches([items[i] for i in chosen], False, rows, recipe.max_length)
            ratio = ratios(model, batch.to(recipe.device)).tolist()
            for i, value in zip(chosen, ratio, strict=True):
                found[i] = value
    found = world.sum_numbers(found)
    return [
        replace(item, reference=value) if isinstance(item, Pair) else item
        for item, value in zip(items, found, strict=True)
    ]


class _Sums:
    """A loss and its measures, summed over passes."""

    def __init__(self) -> None:
        self.loss = 0.0
        self.measures: dict[str, float] = {}
        self.tokens = 0

    def add(self, part: Summed, tokens: int) -> None:
        self.loss += float(part.loss.detach())
        for name, value in part.measures.items():
            self.measures[name] = self.measures.get(name, 0.0) + float(value)
        self.tokens += tokens

    def means(
        self, units: int, method: Method, world: World
    ) -> tuple[float, dict[str, float], int]:
        """Loss and measures over the units, and the tokens, of all processes."""
        mine = [self.measures.get(name, 0.0) for name in method.measures]
        loss, tokens, *rest = world.sum_numbers([self.loss, self.tokens, *mine])
        named = zip(method.measures, rest, strict=True)
        return loss / units, {name: value / units for name, value in named}, int(tokens)


def _validate(t: Training, row: dict[str, Any]) -> None:
    if t.validation:
        row["valid_loss"], measures = evaluate(t.model, t.recipe, t.validation, t.world)
        t.progress.valid_loss = row["valid_loss"]
        row.update({f"valid_{name}": value for name, value in measures.items()})


def passes(recipe: Resolved, items: Sequence[Item]) -> list[Batch]:
    """The forward passes of one window, on the device; none for an empty share of it."""
    if not items:
        return []
    split = micro_batches(items, recipe.packing, recipe.micro_batch_size, recipe.max_length)
    return [batch.to(recipe.device) for batch in split]
