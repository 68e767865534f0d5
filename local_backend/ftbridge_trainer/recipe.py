"""From the given recipe to the complete one: every value with its origin. Standard library only.

Each default is one short rule below; the reason that a user reads stands beside the value.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import memory
from .errors import TrainerError
from .facts import Facts
from .keys import NEW_TOKENS, fingerprint, read, validate

__all__ = ["Resolved", "TrainerError", "fingerprint", "from_dict", "read", "resolve", "validate"]

GIVEN = "given"
CHECKPOINTS_A_RUN = 10
EVALUATIONS_A_RUN = 5
PACK_FROM_TOKENS = 256  # below that a padded batch is cheaper than attention over a packed row
PACK_FROM_PADDING = 0.15  # the share of padding from which packing pays


@dataclass(frozen=True)
class Resolved:
    """A recipe without gaps. `origins[key]` is "given" or "default: reason"."""

    model: str
    train: str
    validation: str | None
    method: str
    adapter: str
    n_epochs: int
    batch_size: int
    micro_batch_size: int
    max_length: int
    learning_rate: float
    lr_scheduler: str
    warmup_ratio: float
    weight_decay: float
    max_grad_norm: float
    lora_r: int
    lora_alpha: float
    lora_dropout: float
    target_modules: str | tuple[str, ...]
    double_quant: bool
    beta: float | None
    seed: int
    packing: bool
    compute_dtype: str
    gradient_checkpointing: bool
    checkpoint_steps: int
    eval_steps: int
    keep_checkpoints: int
    threads: int
    device: str
    device_lock: str | None
    offline: bool
    total_steps: int
    origins: dict[str, str]
    group_size: int | None = None
    max_new_tokens: int | None = None
    temperature: float | None = None

    def values(self) -> dict[str, Any]:
        """The values alone, as JSON types."""
        values = asdict(self)
        values.pop("origins")
        return values

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """`{key: {value, origin}}`, the form of `resolved.json`."""
        return {
            key: {"value": value, "origin": self.origins[key]}
            for key, value in self.values().items()
        }


def from_dict(stored: dict[str, dict[str, Any]]) -> Resolved:
    """The inverse of `Resolved.as_dict`: a resumed run keeps what its first start decided."""
    values = {key: entry["value"] for key, entry in stored.items()}
    if isinstance(values["target_modules"], list):
        values["target_modules"] = tuple(values["target_modules"])
    return Resolved(**values, origins={key: entry["origin"] for key, entry in stored.items()})


def resolve(
    raw: dict[str, Any], n_examples: int, n_params: int, facts: Facts | None = None
) -> Resolved:
    """Fill every gap of a recipe.

    `facts` are the machine, the model's sizes and the data's lengths in tokens. A planner that
    has none yet may leave them out: what depends on them is then marked as provisional.
    """
    picked = _Picks(validate(raw), facts)
    _choose_names(picked)
    _choose_schedule(picked, n_examples, n_params)
    _choose_adapter(picked)
    _choose_preference(picked)
    _choose_answers(picked)
    _choose_machine(picked)
    _choose_layout(picked, n_params)
    _choose_intervals(picked, n_examples)
    return Resolved(**picked.values, origins=picked.origins)


class _Picks:
    """Collects values and origins; a given value always wins over a rule."""

    def __init__(self, given: dict[str, Any], facts: Facts | None) -> None:
        self.given = given
        self.facts = facts or Facts()
        self.known = facts is not None
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}

    def pick(self, key: str, default: Any, reason: str, measured: bool = False) -> Any:
        """Take `key` as given (unless it says "auto"), else the default with its reason."""
        if key in self.given and self.given[key] != "auto":
            self.values[key], self.origins[key] = self.given[key], GIVEN
        else:
            if measured and not self.known:
                reason = f"provisional, decided on the machine: {reason}"
            self.values[key], self.origins[key] = default, f"default: {reason}"
        return self.values[key]


def _choose_names(p: _Picks) -> None:
    p.pick("model", None, "")
    p.pick("train", None, "")
    p.pick("validation", None, "no validation file was given")
    p.pick("method", "sft", "the data are chats")
    p.pick("adapter", "qlora", "the least memory for nearly the same speed and quality")
    p.pick("seed", 0, "fixed, so that a run can be repeated")
    p.pick("device_lock", None, "no queue was asked for")
    p.pick("offline", True, "nothing is fetched unless it is asked for")


def _choose_schedule(p: _Picks, n_examples: int, n_params: int) -> None:
    epochs, why = 1, "1 epoch from 2,000 examples"
    if n_examples < 500:
        epochs, why = 3, "3 epochs below 500 examples"
    elif n_examples < 2000:
        epochs, why = 2, "2 epochs below 2,000 examples"
    p.pick("n_epochs", epochs, why)
    p.pick("batch_size", 8, "8 examples a step")
    rate, why = 1e-4, "1e-4 above 13 B parameters"
    if n_params < 1_000_000_000:
        rate, why = 1e-3, "1e-3 below 1 B parameters"
    elif n_params <= 13_000_000_000:
        rate, why = 2e-4, "2e-4 from 1 B to 13 B parameters"
    if p.values["adapter"] == "full":
        rate, why = rate / 20, f"a twentieth of LoRA's rate ({why}), since every weight moves"
    if p.values["method"] == "dpo":
        rate, why = rate / 10, f"a tenth of sft's rate ({why}), since preferences are soon learnt"
    if p.values["method"] == "rl":
        rate, why = rate / 10, f"a tenth of sft's rate ({why}), since rewards are noisy"
    p.pick("learning_rate", rate, why)
    p.pick("lr_scheduler", "cosine", "cosine down to 0")
    p.pick("warmup_ratio", 0.05, "5 % of the steps")
    p.pick("weight_decay", 0.0, "none, since adapters are small and start at zero effect")
    p.pick("max_grad_norm", 1.0, "the usual clip")


def _choose_adapter(p: _Picks) -> None:
    p.pick("lora_r", 16, "rank 16")
    p.pick("lora_alpha", 2 * p.values["lora_r"], "twice the rank")
    p.pick("lora_dropout", 0.0, "none")
    modules = p.pick("target_modules", "all-linear", "every linear layer but the head")
    if isinstance(modules, list):
        p.values["target_modules"] = tuple(modules)
    p.pick("double_quant", True, "saves 0.4 bit a weight")


def _choose_preference(p: _Picks) -> None:
    if p.values["method"] == "dpo":
        p.pick("beta", 0.1, "0.1, how strongly the model is held to where it began")
    elif p.values["method"] == "rl":
        p.pick("beta", 0.0, "no pull to where the model began")
    elif "beta" in p.given:
        raise TrainerError("recipe_invalid", "beta is dpo's and rl's", "leave beta out")
    else:
        p.pick("beta", None, "dpo's and rl's")


def _choose_answers(p: _Picks) -> None:
    if p.values["method"] == "rl":
        if "grader" not in p.given:
            raise TrainerError("recipe_invalid", "rl needs a grader", "give one")
        p.pick("group_size", 8, "8 answers to a prompt, weighed against each other")
        p.pick("max_new_tokens", NEW_TOKENS, f"answers of at most {NEW_TOKENS} tokens")
        p.pick("temperature", 1.0, "answers drawn as the model would say them")
        return
    for name in ("grader", "group_size", "max_new_tokens", "temperature"):
        if name in p.given:
            raise TrainerError("recipe_invalid", f"{name} is rl's alone", f"leave {name} out")
        if name != "grader":
            p.pick(name, None, "rl's alone")


def _choose_machine(p: _Picks) -> None:
    machine = p.facts.machine
    p.pick("device", machine.device, "the accelerator if there is one", measured=True)
    p.pick("threads", machine.cores, "the cores that this process may use", measured=True)
    dtype, why = "fp32", "bf16 is not quicker on this device"
    if machine.bf16:
        dtype, why = "bf16", "quicker than fp32 on this device"
    p.pick("compute_dtype", dtype, why, measured=True)


def _choose_layout(p: _Picks, n_params: int) -> None:
    data, values = p.facts.data, p.values
    length = max(2, min(data.longest, p.facts.shape.context))
    why = "the longest example"
    if data.longest > p.facts.shape.context:
        why = "the model's context, below the longest example"
    p.pick("max_length", length, why, measured=True)
    pack = data.mean >= PACK_FROM_TOKENS and data.padding >= PACK_FROM_PADDING
    why = (
        f"mean {data.mean:.0f} tokens, {data.padding:.0%} of a padded batch would be padding; "
        f"packs from {PACK_FROM_TOKENS} tokens and {PACK_FROM_PADDING:.0%}"
    )
    p.pick("packing", pack, why, measured=True)
    best = memory.fit(
        n_params,
        values["adapter"],
        values["compute_dtype"],
        values["lora_r"],
        p.facts,
        values["batch_size"],
    )
    why = (
        f"an estimated {best.bytes_needed / 1e9:.1f} GB of "
        f"{p.facts.machine.memory / 1e9:.1f} GB free"
    )
    rows = p.pick("micro_batch_size", best.micro_batch_size, why, measured=True)
    recompute = best.gradient_checkpointing
    if rows > best.micro_batch_size and not recompute:
        recompute = not memory.holds(
            n_params, values["adapter"], values["compute_dtype"], values["lora_r"], p.facts, rows
        )
    p.pick(
        "gradient_checkpointing",
        recompute,
        "only where the activations would not fit otherwise",
        measured=True,
    )


def _choose_intervals(p: _Picks, n_examples: int) -> None:
    steps_an_epoch = -(-n_examples // p.values["batch_size"])
    total = steps_an_epoch * p.values["n_epochs"]
    p.values["total_steps"] = total
    p.origins["total_steps"] = "default: examples / batch_size, rounded up, x n_epochs"
    every = min(200, max(5, total // CHECKPOINTS_A_RUN))
    p.pick("checkpoint_steps", every, "about ten a run, at least every 200 steps")
    p.pick("eval_steps", max(1, total // EVALUATIONS_A_RUN), "about five a run")
    p.pick("keep_checkpoints", 2, "the newest two, in case the last is damaged")
