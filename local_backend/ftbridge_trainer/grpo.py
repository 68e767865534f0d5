"""Reinforcement with a grader: TRL's GRPO (trl 1.16.0) inside our run directory.

TRL draws the answers, weighs them against their group and makes the steps. Ours are the model, the
scores, the checkpoints' manifest and names, the requests to stop, the rows of metrics.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import checkpoint
from .batches import window
from .control import Control
from .errors import TrainerError
from .items import Prompt
from .model import keep_training_mode
from .recipe import Resolved
from .run_dir import RunDir, read_json, write_json
from .scorer import Scorer

ASIDE = ".trl"
MEASURES = {"reward": "reward", "reward_std": "reward_std", "kl": "kl",
            "completions/mean_length": "completion_tokens",
            "completions/clipped_ratio": "cut_share"}  # fmt: skip


@dataclass
class Reinforcement:
    """What GRPO works on."""

    recipe: Resolved
    run: RunDir
    control: Control
    model: Any
    tokenizer: Any
    prompts: Sequence[Prompt]
    scorer: Scorer
    progress: checkpoint.Progress
    recipe_sha256: str
    newest: Path | None
    stopped: str | None = None


def reinforce(r: Reinforcement) -> str:
    """Train to the end or a request to stop; returns "succeeded", "cancelled" or "paused"."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import GRPOTrainer

    rows = [{"prompt": r.prompts[i].messages, "row": i} for i in _order(r)]
    keep_training_mode(r.model)
    trainer = GRPOTrainer(
        model=r.model,
        reward_funcs=[_reward_of(r)],
        args=_arguments(r),
        train_dataset=Dataset.from_list(rows),
        processing_class=r.tokenizer,
        callbacks=[_callback(r)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=None if r.newest is None else str(r.newest))
    shutil.rmtree(r.run.path / "checkpoints" / ASIDE, ignore_errors=True)
    if r.scorer.unread:
        message = f"{r.scorer.unread} answers of the judge held no number and counted as its worst"
        r.run.event("grader_unread", message, "warning", step=r.progress.step)
    return r.stopped or "succeeded"


def _order(r: Reinforcement) -> list[int]:
    """The prompts of every step of the run, in our order, a function of seed and step alone: TRL's
    own sampler begins anew in a resumed run. It wants steps of one size, so an epoch's last step is
    filled up from its beginning."""
    recipe, count = r.recipe, len(r.prompts)
    batch = min(recipe.batch_size, count)
    found: list[int] = []
    for step in range(recipe.total_steps):
        chosen = window(count, batch, recipe.seed, step)
        first = window(count, batch, recipe.seed, step - step % -(-count // batch))
        found += (chosen + first)[:batch]
    return found


def _reward_of(r: Reinforcement) -> Any:
    def reward(completions: list[Any], row: list[int], **_: Any) -> list[float]:
        scores = []
        for completion, number in zip(completions, row, strict=True):
            item = r.prompts[number]
            scores.append(r.scorer.score(completion[0]["content"], item.fields, item.where))
        return scores

    return reward


def _arguments(r: Reinforcement) -> Any:
    """The recipe in TRL's words. A step takes `batch_size` prompts, each answered by a group."""
    from trl import GRPOConfig

    recipe = r.recipe
    batch = min(recipe.batch_size, len(r.prompts))
    assert recipe.group_size is not None
    answers = batch * recipe.group_size
    rows = max(n for n in range(1, recipe.micro_batch_size + 1) if answers % n == 0)
    kind = {"constant": "constant_with_warmup"}.get(recipe.lr_scheduler, recipe.lr_scheduler)
    return GRPOConfig(
        output_dir=str(r.run.path / "checkpoints" / ASIDE),
        max_steps=recipe.total_steps,
        per_device_train_batch_size=rows,
        gradient_accumulation_steps=answers // rows,
        generation_batch_size=answers,
        num_generations=recipe.group_size,
        shuffle_dataset=False,  # the order is ours
        max_completion_length=recipe.max_new_tokens,
        temperature=recipe.temperature,
        beta=recipe.beta or 0.0,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=kind,
        warmup_steps=math.ceil(recipe.warmup_ratio * recipe.total_steps),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        optim="adamw_torch",
        seed=recipe.seed,
        data_seed=recipe.seed,
        bf16=recipe.compute_dtype == "bf16",
        use_cpu=recipe.device == "cpu",
        activation_checkpointing=False,  # the model was built with it, where it is wanted
        save_strategy="no",  # the callback asks for each, so that pauses get one too
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def _callback(r: Reinforcement) -> Any:
    from transformers import TrainerCallback

    class Ours(TrainerCallback):  # type: ignore[misc]
        """Steps, metrics, checkpoints and requests to stop, as the run directory wants them."""

        def __init__(self) -> None:
            self.begun = time.monotonic()

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.begun = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            r.progress.step = state.global_step
            r.progress.seconds += time.monotonic() - self.begun
            r.progress.epoch = state.global_step * r.recipe.n_epochs / r.recipe.total_steps
            last = state.global_step == r.recipe.total_steps
            r.stopped = None if last else r.control.wanted()
            if r.stopped:
                r.run.update(state="cancelling")
                control.should_training_stop = True
            due = state.global_step % r.recipe.checkpoint_steps == 0
            control.should_save = bool(r.stopped or last or due)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any, **_: Any) -> None:
            if "loss" in logs:
                _record(r, state.global_step, logs)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            _settle(r, Path(args.output_dir) / f"checkpoint-{state.global_step}")

    return Ours()


def _record(r: Reinforcement, step: int, logs: dict[str, float]) -> None:
    """One row of metrics. TRL counts the tokens of prompts and answers together."""
    if not (math.isfinite(logs["loss"]) and math.isfinite(logs.get("grad_norm", 0.0))):
        raise TrainerError("diverged", f"loss {logs['loss']} at step {step}", "lower learning_rate")
    progress, before = r.progress, r.progress.tokens
    progress.train_loss = float(logs["loss"])
    progress.tokens = int(logs["num_tokens"])
    answers = min(r.recipe.batch_size, len(r.prompts)) * (r.recipe.group_size or 1)
    progress.trained_tokens += round(logs["completions/mean_length"] * answers)
    found = {ours: float(logs[theirs]) for theirs, ours in MEASURES.items() if theirs in logs}
    r.run.metric(
        {
            "step": step,
            "epoch": round(progress.epoch, 4),
            "loss": progress.train_loss,
            **found,
            "learning_rate": float(logs["learning_rate"]),
            "grad_norm": float(logs.get("grad_norm", 0.0)),
            "trained_tokens": progress.trained_tokens,
            "tokens": progress.tokens,
        }
    )
    rate = (progress.tokens - before) / max(progress.seconds / max(step, 1), 1e-9)
    r.run.update(
        step=step,
        epoch=min(r.recipe.n_epochs, int(progress.epoch) + 1),
        trained_tokens=progress.trained_tokens,
        tokens_per_second=round(rate, 1),
    )


def _settle(r: Reinforcement, folder: Path) -> None:
    """Give a checkpoint of TRL's our manifest, then our name: complete, or not one at all."""
    write_json(folder / checkpoint.POSITION_FILE, {"progress": asdict(r.progress)})
    checkpoint.seal(folder, r.progress.step, r.recipe_sha256)
    root = r.run.path / "checkpoints"
    final = root / f"step-{r.progress.step:06d}"
    shutil.rmtree(final, ignore_errors=True)
    folder.replace(final)
    checkpoint.prune(root, r.recipe.keep_checkpoints)
    r.run.event("checkpoint", f"saved {final.name}", step=r.progress.step)


def position(folder: Path | None) -> checkpoint.Progress:
    """Where a checkpoint of ours stands."""
    if folder is None:
        return checkpoint.Progress()
    content = read_json(folder / checkpoint.POSITION_FILE) or {}
    return checkpoint.Progress(**content["progress"])
