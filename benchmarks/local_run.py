"""One run of ``local.py``: ours or TRL's, in a process of its own; prints one JSON line."""

from __future__ import annotations

import contextlib
import gc
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ftbridge_trainer import checkpoint, facts, guard, recipe
from ftbridge_trainer import model as models
from ftbridge_trainer.batches import split_packed, window
from ftbridge_trainer.control import Control
from ftbridge_trainer.data import ChatRow, PairRow
from ftbridge_trainer.items import Example, Item, Pair
from ftbridge_trainer.loop import ALONE, Training, evaluate, loop, make_optimizer, with_reference
from ftbridge_trainer.methods import method_of
from ftbridge_trainer.render import Renderer
from ftbridge_trainer.run_dir import RunDir

ROW = 512
EACH, ROWS_A_STEP = 3, 4  # examples in a packed row, rows in a step
SHORTEST, LONGEST = 156, ROW // EACH  # tokens: three fill a row to 91 % at least, four never fit
PAIRS_A_STEP = 4
HELD_OUT = 24
WORDS = {
    "who": ("The clerk", "A courier", "The buyer", "Our agent", "The driver", "A guard"),
    "does": ("checks", "sends", "returns", "signs", "counts", "opens", "moves", "repairs"),
    "what": ("the parcel", "an invoice", "the ticket", "two crates", "the lock", "a pallet"),
    "when": ("before noon", "at the gate", "on Monday", "in the yard", "after the call"),
}


def main() -> None:
    who, method, model_dir, folder, steps, threads = sys.argv[1:]
    guard.set_environment(True)
    guard.install()
    print(json.dumps(run(who, method, Path(model_dir), Path(folder), int(steps), int(threads))))


def run(
    who: str, method: str, model_dir: Path, folder: Path, steps: int, threads: int
) -> dict[str, Any]:
    """Train and measure; tokens are real ones, memory is in MB, loss is a mean in nats."""
    import torch

    torch.set_num_threads(threads)
    models.silence()
    tokenizer = models.load_tokenizer(model_dir)
    count = steps * (PAIRS_A_STEP if method == "dpo" else EACH * ROWS_A_STEP)
    items = make_items(Renderer(tokenizer), method, count + HELD_OUT)
    train, held_out = items[:count], items[count:]
    resolved = settings(model_dir, method, count, threads)
    model = models.build(model_dir, resolved)
    held_out = with_reference(model, resolved, held_out)
    gc.collect()
    loaded = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    trainer = {"ours": ours, "trl": trl_dpo if method == "dpo" else trl_sft}[who]
    meter = Meter()
    with tempfile.TemporaryDirectory(dir=folder) as out, contextlib.redirect_stdout(sys.stderr):
        trainer(model, resolved, train, tokenizer, Path(out), meter)
    growth = memory("VmHWM") - loaded
    tokens = sum(len(part.ids) for item in train for part in item.parts) * (steps - 1) / steps
    loss, _ = evaluate(model, resolved, held_out)
    return {
        "who": who,
        "tokens_per_cpu_second": round(tokens / meter.cpu, 2),
        "tokens_per_second": round(tokens / meter.wall, 2),
        "memory_growth_mb": round(growth, 1),
        "loaded_mb": round(loaded, 1),
        "held_out_loss": round(loss, 5),
        "steps": meter.count,
    }


class Meter:
    """Time from the end of the first step to that of the last, in seconds."""

    def __init__(self) -> None:
        self.count = 0
        self._begun = self._ended = (0.0, 0.0)

    def step(self) -> None:
        """Note the end of a step."""
        self.count += 1
        self._ended = time.process_time(), time.perf_counter()
        if self.count == 1:
            self._begun = self._ended

    @property
    def cpu(self) -> float:
        """CPU-seconds of the process."""
        return self._ended[0] - self._begun[0]

    @property
    def wall(self) -> float:
        """Seconds by the clock."""
        return self._ended[1] - self._begun[1]


def memory(name: str) -> float:
    """A field of this process's memory in MB: VmRSS is resident now, VmHWM its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


def settings(model_dir: Path, method: str, count: int, threads: int) -> recipe.Resolved:
    """The recipe that both follow."""
    batch = PAIRS_A_STEP if method == "dpo" else EACH * ROWS_A_STEP
    given = {
        "schema": 1, "model": str(model_dir), "train": "none", "method": method,
        "adapter": "qlora", "n_epochs": 1, "batch_size": batch, "micro_batch_size": 1,
        "max_length": ROW, "learning_rate": 2e-4, "lr_scheduler": "constant", "warmup_ratio": 0.0,
        "lora_r": 16, "packing": method == "sft", "gradient_checkpointing": False, "seed": 0,
        "threads": threads, "device": "cpu", "checkpoint_steps": 10**6, "eval_steps": 10**6,
    }  # fmt: skip
    from ftbridge_trainer.bf16 import cpu_bf16_pays

    given["compute_dtype"] = "bf16" if cpu_bf16_pays() else "fp32"
    return recipe.resolve(given, count, facts.count_parameters(model_dir))


def make_items(renderer: Renderer, method: str, count: int) -> list[Item]:
    """Rows of even length, so that every step of both trainers holds the same rows."""
    chance = random.Random(1)
    made: list[Item] = []
    while len(made) < count:
        good = _answer(renderer, chance, len(made))
        if method == "sft":
            made.append(good)
            continue
        words = renderer.tokenizer.decode(good.ids, skip_special_tokens=True).split()[-40:]
        chance.shuffle(words)
        made.append(_pair(renderer, len(made), _said(good, renderer.tokenizer), " ".join(words)))
    return made


def _answer(renderer: Renderer, chance: random.Random, number: int) -> Example:
    said: list[str] = []
    while True:
        said.append(" ".join(chance.choice(WORDS[part]) for part in WORDS) + ".")
        row = ChatRow(f"made:{number}", _turns(number, " ".join(said)), [False, True], None)
        example = renderer.encode(row)
        if len(example.ids) > LONGEST:
            said.clear()
        elif len(example.ids) >= SHORTEST:
            return example


def _turns(number: int, answer: str) -> list[dict[str, Any]]:
    ask = {"role": "user", "content": f"What happened in the depot on day {number}?"}
    return [ask, {"role": "assistant", "content": answer}]


def _said(example: Example, tokenizer: Any) -> str:
    ids = [i for i, trained in zip(example.ids, example.trained, strict=True) if trained]
    return str(tokenizer.decode(ids, skip_special_tokens=True))


def _pair(renderer: Renderer, number: int, chosen: str, rejected: str) -> Item:
    prompt = _turns(number, "")[:1]
    sides = ([{"role": "assistant", "content": text}] for text in (chosen, rejected))
    row = PairRow(f"made:{number}", prompt, *sides, None)
    return method_of("dpo", 0.1).item(renderer, row)


def ours(
    model: Any, resolved: recipe.Resolved, items: list[Item], _: Any, out: Path, meter: Meter
) -> None:
    """Our loop, with the steps' ends noted where it writes its metrics."""

    class Counting(RunDir):
        def metric(self, row: dict[str, Any]) -> None:
            super().metric(row)
            meter.step()

    examples = with_reference(model, resolved, items)
    loop(
        Training(
            resolved, Counting(out), Control(out, ALONE), model, make_optimizer(model, resolved),
            examples, [], checkpoint.Progress(), lambda: None, ALONE,
        )
    )  # fmt: skip


def trl_sft(
    model: Any,
    resolved: recipe.Resolved,
    items: list[Item],
    tokenizer: Any,
    out: Path,
    meter: Meter,
) -> None:
    """TRL's SFTTrainer on the rows that our loop packs, in its order."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = []
    for step in range(resolved.total_steps):
        chosen = [items[i] for i in window(len(items), resolved.batch_size, 0, step)]
        groups = split_packed([len(item.parts[0].ids) for item in chosen], ROW)
        assert len(groups) == ROWS_A_STEP
        rows += [_packed([chosen[i].parts[0] for i in row]) for (row,) in groups]
    args = SFTConfig(
        **_common(resolved, out, ROWS_A_STEP),
        padding_free=True,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
    )
    trainer = SFTTrainer(
        model=model, args=args, train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer, callbacks=[_noting(meter)],
    )  # fmt: skip
    _go(trainer, model)


def _packed(row: list[Example]) -> dict[str, Any]:
    return {
        "input_ids": [token for each in row for token in each.ids],
        "labels": [
            token if trained else -100
            for each in row
            for token, trained in zip(each.ids, each.trained, strict=True)
        ],
        "seq_lengths": [len(each.ids) for each in row],
    }


def trl_dpo(
    model: Any,
    resolved: recipe.Resolved,
    items: list[Item],
    tokenizer: Any,
    out: Path,
    meter: Meter,
) -> None:
    """TRL's DPOTrainer on the same pairs as tokens, in our order; its reference, like ours, is
    measured once, before the first step. It cannot be given tokens: it renders the same texts."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    rows = []
    for step in range(resolved.total_steps):
        for i in window(len(items), resolved.batch_size, 0, step):
            pair = items[i]
            assert isinstance(pair, Pair)
            sides = {
                name: [{"role": "assistant", "content": _said(each, tokenizer)}]
                for name, each in (("chosen", pair.chosen), ("rejected", pair.rejected))
            }
            rows.append({"prompt": _turns(int(pair.where.partition(":")[2]), "")[:1], **sides})
    args = DPOConfig(
        **_common(resolved, out, PAIRS_A_STEP),
        beta=resolved.beta,
        max_length=ROW,
        precompute_ref_log_probs=True,
    )
    trainer = DPOTrainer(
        model=model, args=args, train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer, callbacks=[_noting(meter)],
    )  # fmt: skip
    _go(trainer, model)


def _common(resolved: recipe.Resolved, out: Path, accumulation: int) -> dict[str, Any]:
    return {
        "output_dir": str(out), "num_train_epochs": 1, "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": accumulation, "learning_rate": resolved.learning_rate,
        "lr_scheduler_type": "constant", "max_grad_norm": resolved.max_grad_norm,
        "weight_decay": 0.0, "optim": "adamw_torch", "bf16": resolved.compute_dtype == "bf16",
        "use_cpu": True, "save_strategy": "no", "logging_steps": 1, "report_to": "none",
        "disable_tqdm": True, "seed": 0, "train_sampling_strategy": "sequential",
        "activation_checkpointing": False, "dataloader_pin_memory": False,
    }  # fmt: skip


def _noting(meter: Meter) -> Any:
    from transformers import TrainerCallback

    class Noting(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            meter.step()

    return Noting()


def _go(trainer: Any, model: Any) -> None:
    """Train with adapters in fp32, as ours are: TRL has just made them bf16."""
    for _, parameter in models.trainable(model):
        parameter.data = parameter.data.float()
    trainer.train()


if __name__ == "__main__":
    main()
