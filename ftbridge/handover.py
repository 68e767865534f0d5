"""Handing a job or a data file over to a trainer that a team already runs: its config, its data.

What a trainer is called and how it writes things is its own module's affair, found by the entry
point ``ftbridge.handovers``. Nothing is sent: a folder on this machine is written.
"""

from __future__ import annotations

import difflib
import json
import math
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar

from ftbridge.dataset import Dataset
from ftbridge.dataset.convert import Lost, convert
from ftbridge.dataset.dataset import SHOWN_ERRORS
from ftbridge.dataset.types import Example, Kind
from ftbridge.errors import DataError, Unsupported, UsageError
from ftbridge.files import atomic_write, private_dir
from ftbridge.jobs.spec import Adapter
from ftbridge.shapes import Setting
from ftbridge.yaml_text import dump

GROUP = "ftbridge.handovers"
TRAIN, VALIDATION = "data/train.jsonl", "data/validation.jsonl"
FALLBACKS: Mapping[str, Setting] = {
    "micro_batch_size": Setting(1, "1, which fits wherever the model does"),
    "max_length": Setting(2048, "2,048 tokens; longer examples are cut by that trainer"),
    "packing": Setting(False, "off, since the lengths were not looked at"),
    "compute_dtype": Setting("bf16", "bf16, which GPUs of today have"),
    "gradient_checkpointing": Setting(True, "on, which saves memory for some time"),
}  # fmt: skip
"""What ftbridge decides on the machine that trains: here that machine is not known."""


@dataclass(frozen=True)
class Recipe:
    """What is handed over. Paths of data are relative to the folder that is written.

    ``model`` is a folder or a hub id; ``folder`` is where its files lie, if on this machine.
    ``values`` has the neutral hyperparameters and the keys of ``FALLBACKS``, none of them None.
    """

    model: str
    folder: Path | None
    kind: Kind
    adapter: Adapter
    examples: int
    values: Mapping[str, Any]
    validation: bool

    @property
    def micro_batch_size(self) -> int:
        """Examples in one pass: the largest divisor of the batch within what was asked for."""
        batch, most = int(self.values["batch_size"]), int(self.values["micro_batch_size"])
        return max(n for n in range(1, min(batch, most) + 1) if batch % n == 0)

    @property
    def accumulation(self) -> int:
        """Passes to an optimizer step."""
        return int(self.values["batch_size"]) // self.micro_batch_size

    @property
    def warmup_steps(self) -> int:
        """Optimizer steps with a rising rate: every version of every trainer has a key for them,
        and some have none for a share."""
        steps = -(-self.examples // int(self.values["batch_size"])) * int(self.values["n_epochs"])
        return math.ceil(float(self.values["warmup_ratio"]) * steps)


class Handover(ABC):
    """One trainer. ``checked`` is the version whose own schema our configs were held against."""

    name: ClassVar[str]
    checked: ClassVar[str]
    formats: ClassVar[Mapping[Kind, str]]
    """For each kind of example that it trains on, the format of ours that it reads."""
    adapters: ClassVar[frozenset[Adapter]] = frozenset({Adapter.LORA, Adapter.QLORA, Adapter.FULL})
    lacks: ClassVar[frozenset[str]] = frozenset()
    """Values of ours that its configuration has no key for."""

    @abstractmethod
    def config(self, recipe: Recipe) -> dict[str, Any]:
        """Its configuration.

        Raises:
            Unsupported: where it cannot train that, in words.
        """

    @abstractmethod
    def command(self, recipe: Recipe) -> str:
        """How it is started, in the folder that was written."""

    def beside(self, recipe: Recipe) -> dict[str, Mapping[str, Any]]:
        """Further JSON files by name."""
        return {}

    def unfit(self, example: Example) -> str | None:
        """Why it would not train on an example as it is meant; None where it does."""
        return None


@dataclass
class HandedOver:
    """What was written."""

    to: str
    checked: str
    out: Path
    files: list[str]
    command: str
    recipe: Recipe
    settings: Mapping[str, Setting]
    left_out: list[str]
    written: int
    losses: list[Lost]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form of ``ftbridge export``."""
        return {
            "to": self.to,
            "checked": self.checked,
            "out": str(self.out),
            "files": self.files,
            "command": self.command,
            "model": self.recipe.model,
            "kind": str(self.recipe.kind),
            "adapter": str(self.recipe.adapter),
            "written": self.written,
            "values": {name: setting._asdict() for name, setting in self.settings.items()},
            "left_out": self.left_out,
            "losses": [vars(lost) | {"message": lost.message} for lost in self.losses],
        }


@cache
def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def names() -> list[str]:
    """The trainers that can be handed over to, sorted."""
    return list(_found())


def load(name: str) -> Handover:
    """A trainer by its name.

    Raises:
        UsageError: for a name that nobody registered, with the nearest one.
    """
    if name not in _found():
        near = difflib.get_close_matches(name, names(), n=1)
        raise UsageError(
            f"no trainer is called `{name}`",
            hint=(f"did you mean `{near[0]}`? " if near else "") + f"known: {', '.join(names())}",
            where="--to",
        )
    made: Handover = _found()[name].load()
    return made


def require(target: Handover, kind: Kind, adapter: Adapter) -> None:
    """Raise Unsupported where a trainer has no way to train such data or weights."""
    if kind not in target.formats:
        takes = ", ".join(target.formats)
        raise Unsupported(
            f"{target.name} is not handed {kind} examples; it takes: {takes}",
            hint="choose another trainer",
            where="--to",
        )
    if adapter not in target.adapters:
        takes = ", ".join(sorted(target.adapters))
        raise Unsupported(
            f"{target.name} has no {adapter}", hint=f"it trains: {takes}", where="--adapter"
        )


def hand_over(
    target: Handover,
    recipe: Recipe,
    settings: Mapping[str, Setting],
    data: tuple[Dataset, Dataset | None],
    out: Path,
    *,
    allow_lossy: bool,
) -> HandedOver:
    """Write config and data into a folder; the config last, so that half a folder has none.

    Raises:
        UsageError: where the folder holds something.
        DataError: for lines that the trainer would not train on as they are meant; LossError.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty", hint="name a new folder", where="--out")
    content = target.config(recipe)  # what it cannot do is said before anything is written
    train, validation = data
    for dataset in filter(None, data):
        _require_fit(target, dataset)
    private_dir(out)
    form = target.formats[recipe.kind]
    made = convert(train, form, out / TRAIN, allow_lossy=allow_lossy)
    files = [TRAIN]
    if validation is not None:
        convert(validation, form, out / VALIDATION, allow_lossy=allow_lossy)
        files.append(VALIDATION)
    for name, beside in target.beside(recipe).items():
        _write(out / name, json.dumps(beside, indent=2) + "\n")
        files.append(name)
    _write(out / "config.yaml", dump(content))
    wanted = {*settings, *(["validation"] if recipe.validation else [])}
    return HandedOver(
        to=target.name,
        checked=target.checked,
        out=out,
        files=[*files, "config.yaml"],
        command=f"cd {shlex.quote(str(out))} && {target.command(recipe)}",
        recipe=recipe,
        settings=settings,
        left_out=sorted(wanted & target.lacks),
        written=made.written,
        losses=[made.losses[code] for code in sorted(made.losses)],
    )


def _require_fit(target: Handover, dataset: Dataset) -> None:
    location, shown, count = dataset.source.location, [], 0
    for item in dataset.examples():
        if (why := target.unfit(item.example)) is not None:
            count += 1
            if count <= SHOWN_ERRORS:
                shown.append(f"{location}:{item.line}: {why}")
    if count:
        more = f"\n... and {count - len(shown)} more lines" if count > len(shown) else ""
        raise DataError(
            "\n".join(shown) + more,
            hint=f"{target.name} would pass over that silently; choose another trainer, or change "
            "those lines",
            where=shown[0].split(": ", 1)[0],
            code="unfit",
        )


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as stream:
        stream.write(text.encode())
