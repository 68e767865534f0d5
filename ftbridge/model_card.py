"""The model card beside downloaded weights: what they were made of, and how. No text of the data.

``README.md`` with the metadata block that Hugging Face's hub reads (huggingface.co/docs/hub/
model-cards, read 2026-11-25). Data are named by hash and count alone; what is not known is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftbridge import __version__
from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.spec import DataRef, Method
from ftbridge.shapes import BaseFacts, RemoteMetric, Setting
from ftbridge.yaml_text import dump

NAME = "README.md"
KEPT = "README.original.md"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_WORDS = {Method.SFT: "supervised fine-tuning", Method.DPO: "direct preference optimisation",
          Method.RL: "reinforcement learning with a grader"}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What a card is made of. ``evaluation`` is the newest result's JSON form, or None."""

    row: JobRow
    plan: Plan
    base: BaseFacts
    settings: Mapping[str, Setting]
    evaluation: Mapping[str, Any] | None
    metrics: Sequence[RemoteMetric]
    merged: bool


def write(folder: Path, facts: Facts) -> Path:
    """Put the card into a folder of weights; one that came with them is kept under ``KEPT``."""
    path = folder / NAME
    if path.exists():
        path.rename(folder / KEPT)
    path.write_text(card(facts), "utf-8")
    return path


def card(facts: Facts) -> str:
    """The whole text."""
    parts = [f"---\n{dump(_metadata(facts))}---\n", _head(facts), _data(facts), _recipe(facts),
             _evaluated(facts), _limits(facts)]  # fmt: skip
    return "\n".join(parts)


def _metadata(facts: Facts) -> dict[str, Any]:
    spec = facts.plan.spec
    whole = facts.merged or spec.adapter == "full"
    found: dict[str, Any] = {"library_name": "transformers" if whole else "peft"}
    if _HUB_ID.fullmatch(facts.base.name):
        found["base_model"] = facts.base.name
        found["base_model_relation"] = "finetune" if whole else "adapter"
    if facts.base.licence:
        found["license"] = facts.base.licence.lower()
    return found | {"tags": ["ftbridge", str(spec.method)]}


def _head(facts: Facts) -> str:
    row, spec = facts.row, facts.plan.spec
    licence = facts.base.licence or "not known here; see where the base comes from"
    return f"""# {spec.suffix or row.id}

| | |
|---|---|
| base | {facts.base.name} |
| licence of the base | {licence} |
| method | {_WORDS[spec.method]}, {spec.adapter}{", merged into the base" if facts.merged else ""} |
| trained at | {row.provider}, {row.finished_at or "time not known"} |
| job | {row.id}, key {row.key} |
| made with | ftbridge {__version__} |
"""


def _data(facts: Facts) -> str:
    spec = facts.plan.spec
    lines = ["## Data", "", _data_line("training", spec.training)]
    if spec.validation:
        lines.append(_data_line("validation", spec.validation))
    if facts.row.billed_tokens:
        lines.append(f"- {facts.row.billed_tokens:,} tokens trained on, all epochs together")
    label = f"- label of the data: {spec.privacy}"
    return "\n".join([*lines, label, "- no text of the data is part of this card", ""])


def _data_line(what: str, ref: DataRef) -> str:
    return f"- {what}: {ref.examples:,} {ref.kind} examples, sha256 `{ref.sha256}`"


def _recipe(facts: Facts) -> str:
    rows = [
        f"| {name} | {setting.value} | {setting.origin} |"
        for name, setting in facts.settings.items()
        if setting.value is not None
    ]
    if not rows:
        return "## Recipe\n\nThe provider's defaults, which it does not tell.\n"
    grader = facts.plan.spec.grader
    graded = f"\nAnswers scored by: {', '.join(sorted(grader.kinds()))}\n" if grader else ""
    return "\n".join(["## Recipe", "", "| | | origin |", "|---|---|---|", *rows, graded])


def _evaluated(facts: Facts) -> str:
    lines = ["## Evaluation", ""]
    for name in ("loss", "valid_loss"):
        values = [m for m in facts.metrics if m.name == name]
        if values:
            last = max(values, key=lambda m: m.step or 0)
            lines.append(f"- {name} at step {last.step}: {last.value:.4f}")
    found = facts.evaluation
    if found is None:
        return "\n".join([*lines, "- not evaluated against its base with ftbridge", ""])
    tuned, base, gap = found["tuned"], found["baseline"], found["difference"]
    lines += [
        f"- {found['n']:,} rows, {found['metric']}: {tuned['value']:.3f} ({_ci(tuned)}) "
        f"against {base['value']:.3f} ({_ci(base)})",
        f"- difference {gap['value']:+.3f} ({_ci(gap)}), p = {gap['p']:.3g}: {found['verdict']}",
        "",
    ]
    return "\n".join(lines)


def _ci(part: Mapping[str, Any]) -> str:
    low, high = part["ci"]
    return f"95 % {low:.3f} to {high:.3f}"


def _limits(facts: Facts) -> str:
    return (
        "## What to know\n\n"
        "Weights can give back what they were trained on: who may read the data may read them.\n"
        "What the base must not be used for holds for this model too.\n"
    )
