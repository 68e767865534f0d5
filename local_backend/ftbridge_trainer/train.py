"""`train(recipe, run)`: the whole of a run, from top to bottom."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import checkpoint, facts, guard, output, recipe
from . import model as models
from .batches import padding_share
from .bf16 import cpu_bf16_pays
from .control import Control, Stopped, device_lock
from .data import read_rows, sha256_file
from .errors import TrainerError
from .items import Item, Prompt, cut, parts_of
from .loop import Training, loop, make_optimizer, with_reference
from .methods import Reads, reader_of
from .recipe import Resolved
from .render import Renderer
from .run_dir import RunDir, read_json, write_json
from .world import World, joined


def train(raw: dict[str, Any], run: RunDir, world: World) -> str:
    """Run a recipe in its directory to its end, or on from its newest checkpoint.

    Returns the final state: "succeeded", "cancelled" or "paused". Failures are raised.
    """
    control = Control(run.path, world)
    _set_threads(raw.get("threads"), world)
    with control.listening(), joined(world, raw.get("device", "auto")):
        try:
            lock = Path(raw["device_lock"]) if raw.get("device_lock") else None
            with device_lock(lock, control, lambda: _queued(run)):
                state = _train(raw, run, control)
        except Stopped as stopped:
            state = stopped.state
        if world.first:
            control.honoured(state)
    return state


def _queued(run: RunDir) -> None:
    run.update(state="queued")
    run.event("queued", "another run holds the device; this one waits for it")


@dataclass(frozen=True)
class Prepared:
    """What is decided before the model is loaded."""

    resolved: Resolved
    model_dir: Path
    tokenizer: Any
    examples: list[Item]
    validation: list[Item]
    made: dict[str, Any]  # what the artifacts say about their making


def _train(raw: dict[str, Any], run: RunDir, control: Control) -> str:
    control.check()
    run.update(state="preparing")
    p = _prepare(raw, run, control)
    resolved = p.resolved
    run.update(total_steps=resolved.total_steps, threads=resolved.threads)
    control.check()

    # the model, and where to go on
    _seed(resolved)
    model = models.build(p.model_dir, resolved)
    _check_packing(model, resolved)
    reinforced = resolved.method == "rl"
    state, progress = (_reinforce if reinforced else _optimise)(raw, run, control, p, model)
    if state != "succeeded" or not control.world.first:
        return state

    # what came out; the result is written last
    folder = output.save(run, model, p.tokenizer, p.model_dir, resolved, p.made)
    result = output.report(resolved, folder, progress, p.examples, p.made)
    write_json(run.path / "result.json", result)
    run.event("finished", f"the {folder.name} is complete", step=progress.step)
    return state


def _optimise(
    raw: dict[str, Any], run: RunDir, control: Control, p: Prepared, model: Any
) -> tuple[str, checkpoint.Progress]:
    """Our own loop, from the newest checkpoint to the end or a request to stop."""
    resolved, world = p.resolved, control.world
    examples, validation = (
        with_reference(model, resolved, items, world) for items in (p.examples, p.validation)
    )
    optimizer = make_optimizer(model, resolved)
    _seed(resolved)
    newest = _newest(run)
    progress = checkpoint.Progress()
    if newest is not None:
        progress = checkpoint.load(newest, model, optimizer, resolved)
    _announce(run, resolved, newest, progress)

    def save() -> None:
        if not world.first:
            return
        root, sha = run.path / "checkpoints", p.made["recipe_sha256"]
        folder = checkpoint.save(root, model, optimizer, resolved, progress, sha)
        run.event("checkpoint", f"saved {folder.name}", step=progress.step)

    state = loop(
        Training(
            resolved, run, control, model, optimizer, examples, validation, progress, save, world
        )
    )
    return state, progress


def _reinforce(
    raw: dict[str, Any], run: RunDir, control: Control, p: Prepared, model: Any
) -> tuple[str, checkpoint.Progress]:
    """TRL's loop over the answers that the model draws, scored by the recipe's grader."""
    from . import grpo
    from .scorer import Scorer

    if control.world.size > 1:
        raise TrainerError("rl_one_process", "rl runs in one process here", "leave workers out")
    newest = _newest(run)
    progress = grpo.position(newest)
    _announce(run, p.resolved, newest, progress)
    prompts = [item for item in p.examples if isinstance(item, Prompt)]
    with Scorer(raw["grader"]) as scorer:
        work = grpo.Reinforcement(
            p.resolved, run, control, model, p.tokenizer, prompts, scorer, progress,
            p.made["recipe_sha256"], newest,
        )  # fmt: skip
        return grpo.reinforce(work), progress


def _prepare(raw: dict[str, Any], run: RunDir, control: Control) -> Prepared:
    # the model, as yet on disk; from here on nothing leaves this machine
    offline = raw.get("offline", True)
    guard.set_environment(offline)
    if offline:
        guard.install()
    world = control.world
    if world.first:  # it alone fetches the model, where it has to be; the others find it then
        models.find(raw["model"], run.path, offline)
    world.agree(None)
    model_dir = models.find(raw["model"], run.path, offline)
    guard.install()
    tokenizer = models.load_tokenizer(model_dir)

    # the data
    method = reader_of(raw)
    renderer = Renderer(tokenizer)
    train_file = _locate(raw["train"], run)
    examples = [method.item(renderer, row) for row in read_rows(train_file)]
    control.check()

    # every value of the recipe, with its origin
    decided = _resolve(raw, run, model_dir, train_file, examples) if world.first else None
    decided = world.agree(decided)
    assert decided is not None
    resolved, made = decided
    examples = _cut(examples, resolved, run)
    validation = _read_validation(resolved, run, renderer, method)
    if renderer.without_end:
        message = f"the chat template closes {renderer.without_end} turns without an end token"
        run.event("no_end_of_turn", f"{message}; the model may not learn to stop", "warning")
    return Prepared(resolved, model_dir, tokenizer, examples, validation, made)


def _check_packing(model: Any, resolved: Resolved) -> None:
    if resolved.packing and not models.packing_is_clean(model, resolved.device):
        raise TrainerError(
            "packing_leaks",
            "packed examples would see each other in this model",
            'set "packing": false',
        )


def _set_threads(given: int | None, world: World) -> None:
    """Fix the number of threads before torch is loaded: sums depend on how they are split."""
    threads = given or max(1, facts.available_cores() // world.size)
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)


def _seed(resolved: Resolved) -> None:
    import numpy
    import torch

    torch.set_num_threads(resolved.threads)
    if resolved.device == "cpu":
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False
    random.seed(resolved.seed)
    numpy.random.seed(resolved.seed)
    torch.manual_seed(resolved.seed)


def _locate(name: str, run: RunDir) -> Path:
    """A data file: as given, or relative to the run directory (as on a staged machine)."""
    inside = run.path / name
    return inside if inside.exists() else Path(name).expanduser()


def _measure(raw: dict[str, Any], model_dir: Path, examples: Sequence[Item]) -> facts.Facts:
    import torch

    has_cuda = torch.cuda.is_available()
    if raw.get("device") == "cuda" and not has_cuda:
        raise TrainerError("no_cuda", "this machine has no usable CUDA device", 'use "auto"')
    on_cuda = has_cuda and raw.get("device") != "cpu"
    if on_cuda:
        memory, bf16 = int(torch.cuda.mem_get_info()[0]), bool(torch.cuda.is_bf16_supported())
    else:
        memory, bf16 = facts.available_memory(), cpu_bf16_pays()
    shape = facts.read_shape(model_dir)
    limit = min(raw.get("max_length") or shape.context, shape.context)
    parts = parts_of(examples)
    lengths = [min(limit, len(part.ids)) for part in parts]
    each = len(examples[0].parts)
    data = facts.DataFacts(
        longest=max(len(part.ids) for part in parts),
        mean=sum(lengths) / len(lengths),
        mean_trained=sum(part.trained_tokens for part in parts) / len(parts),
        padding=padding_share(lengths, each * (raw.get("batch_size") or 8), raw.get("seed") or 0),
        parts=each,
    )
    threads = int(os.environ["OMP_NUM_THREADS"])
    machine = facts.Machine("cuda" if on_cuda else "cpu", threads, bf16, memory)
    return facts.Facts(machine, shape, data)


def _resolve(
    raw: dict[str, Any],
    run: RunDir,
    model_dir: Path,
    train_file: Path,
    examples: Sequence[Item],
) -> tuple[Resolved, dict[str, Any]]:
    """Complete the recipe, or take what the first start decided if there is a checkpoint of it."""
    recipe_sha, data_sha = recipe.fingerprint(raw), sha256_file(train_file)
    made = {"recipe_sha256": recipe_sha, "data_sha256": data_sha, "versions": output.versions()}
    file = run.path / "resolved.json"
    stored = read_json(file)
    newest, _ = checkpoint.newest(run.path / "checkpoints")
    if newest is not None and stored is not None:
        refuse_changes(stored, raw, data_sha)
        return recipe.from_dict(stored["values"]), made
    known = _measure(raw, model_dir, examples)
    resolved = recipe.resolve(raw, len(examples), facts.count_parameters(model_dir), known)
    values = resolved.as_dict()
    content = {"schema": 1, "recipe_sha256": recipe_sha, "data_sha256": data_sha, "recipe": raw}
    write_json(file, {**content, "values": values})
    words = "; ".join(f"{k} {v['value']} ({v['origin']})" for k, v in values.items())
    run.event("recipe", words, values=values)
    return resolved, made


def refuse_changes(stored: dict[str, Any], raw: dict[str, Any], data_sha: str | None) -> None:
    """A run goes on only with the recipe and the data that it began with."""
    if stored.get("recipe_sha256") != recipe.fingerprint(raw):
        before = stored.get("recipe", {})
        changed = sorted(k for k in {*before, *raw} if before.get(k) != raw.get(k))
        raise TrainerError(
            "recipe_changed",
            f"this run began with another recipe; changed: {', '.join(changed)}",
            "restore the recipe, or start a new run directory",
        )
    if data_sha is not None and stored.get("data_sha256") != data_sha:
        raise TrainerError(
            "data_changed",
            "the training file is not the one that this run began with",
            "restore the file, or start a new run directory",
        )


def _cut(examples: list[Item], resolved: Resolved, run: RunDir) -> list[Item]:
    short = [cut(example, resolved.max_length) for example in examples]
    where = [b.where for a, b in zip(examples, short, strict=True) if a is not b]
    if where:
        before, after = parts_of(examples), parts_of(short)
        lost = sum(len(a.ids) - len(b.ids) for a, b in zip(before, after, strict=True))
        run.event(
            "examples_cut",
            f"{len(where)} examples are longer than {resolved.max_length} tokens and were cut "
            f"from the right, {lost} tokens in all, first at {where[0]}",
            "warning",
            examples=len(where),
            tokens=lost,
            where=where[:10],
        )
    return short


def _read_validation(
    resolved: Resolved, run: RunDir, renderer: Renderer, method: Reads
) -> list[Item]:
    if resolved.validation is None:
        return []
    if resolved.method == "rl":
        raise TrainerError(
            "validation_unused",
            "rl looks at no validation file here",
            "leave it out, and score held-out prompts with `ftbridge eval`",
        )
    file = _locate(resolved.validation, run)
    examples = [method.item(renderer, row) for row in read_rows(file)]
    return _cut(examples, resolved, run)


def _newest(run: RunDir) -> Path | None:
    """The newest whole checkpoint; what was passed over is told."""
    newest, damaged = checkpoint.newest(run.path / "checkpoints")
    for name in damaged:
        run.event("checkpoint_ignored", f"{name} is incomplete or damaged", "warning")
    return newest


def _announce(
    run: RunDir, resolved: Resolved, newest: Path | None, progress: checkpoint.Progress
) -> None:
    """Say where the run begins, and drop the metrics of steps that will be made again."""
    if newest is not None:
        run.event("resumed", f"goes on from {newest.name}", step=progress.step)
    else:
        message = f"trains {resolved.total_steps} steps with {resolved.adapter}"
        run.event("started", message, step=0)
    run.truncate_metrics(progress.step)
    run.update(state="running", step=progress.step)
