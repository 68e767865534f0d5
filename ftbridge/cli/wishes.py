"""The options that ``plan`` and ``submit`` share, and the plan made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from ftbridge.choose import AUTO
from ftbridge.cli.session import Session
from ftbridge.errors import UsageError
from ftbridge.jobs.plan import Plan

_WHAT = (
    click.argument("data", type=click.Path(path_type=Path)),
    click.option("--provider", required=True,
                 help="Where to train; see `ftbridge providers`. auto: the cheapest that may."),
    click.option("--model", help="Base model; the provider's default if left out."),
    click.option("--method", default="sft", show_default=True, help="sft, dpo or rl."),
    click.option("--adapter", help="lora, qlora or full, where the provider lets choose."),
    click.option("--validation", metavar="FILE|SHARE", help="A file, or a share like 0.1."),
)  # fmt: skip
_HYPERPARAMETERS = (
    click.option("--n-epochs", type=int, help="Passes over the data."),
    click.option("--batch-size", type=int, help="Examples per optimizer step."),
    click.option("--learning-rate", type=float, help="Absolute learning rate."),
    click.option("--learning-rate-multiplier", type=float, help="Factor on the vendor's rate."),
    click.option("--lora-r", type=int, help="Rank of the adapter."),
    click.option("--lora-alpha", type=float, help="Scale of the adapter."),
    click.option("--lora-dropout", type=float, help="Dropout on the adapter, 0 to 1."),
    click.option("--warmup-ratio", type=float, help="Share of steps with a rising rate."),
    click.option("--weight-decay", type=float, help="Decay of the trained weights."),
    click.option("--beta", type=float, help="Strength of DPO's pull to the base."),
)
_GRADER = click.option(
    "--grader", metavar="FILE", help="What scores answers (method rl): JSON or TOML."
)
_NAMED = (
    click.option("--seed", type=int, help="For the same result again."),
    click.option("--suffix", help="Part of the tuned model's name."),
)
_TAG = click.option("--tag", "tags", multiple=True, metavar="K=V", help="Mark the job.")
_REACH = (
    click.option("--option", "options", multiple=True, metavar="K=V", help="Vendor-only setting."),
    click.option("--base-url", help="Another address: sandbox, proxy, compatible server."),
)
_PRIVACY = click.option(
    "--privacy",
    help="public, internal, confidential or restricted; a label beside the file or in the "
    "project can only be raised.",
)
_LIMITS = (
    click.option("--max-usd", help="Refuse a job that may cost more."),
    click.option("--allow-unknown-cost", is_flag=True, help="Go on where no price is known."),
    click.option("--allow-lossy", is_flag=True, help="Go on where the format loses something."),
)
_OPTIONS = (*_WHAT, *_HYPERPARAMETERS, _GRADER, *_NAMED, _TAG, *_REACH, _PRIVACY, *_LIMITS)
_KEPT = (*_HYPERPARAMETERS, *_NAMED, *_REACH, *_LIMITS)


def wishes(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the shared options to a command."""
    return _added(function, _OPTIONS)


def hyperparameters(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the hyperparameters alone."""
    return _added(function, _HYPERPARAMETERS)


def how_to_train(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add those of them that do not say what is trained on, nor as what."""
    return _added(function, _KEPT)


def _added(function: Callable[..., Any], options: Sequence[Any]) -> Callable[..., Any]:
    for option in reversed(options):
        function = option(function)
    return function


def make(session: Session, wanted: dict[str, Any]) -> Plan:
    """The plan of what the options ask for."""
    settings = dict(wanted)
    data = settings.pop("data")
    settings["tags"] = pairs(settings["tags"], "--tag")
    settings["options"] = pairs(settings["options"], "--option")
    if settings["provider"] == AUTO:
        del settings["provider"]
        return session.bridge.plan_cheapest(data, **settings)
    return session.bridge.plan(data, **settings)


def pairs(items: tuple[str, ...], flag: str) -> dict[str, str]:
    """``K=V`` texts as a mapping."""
    found = {}
    for item in items:
        name, sign, value = item.partition("=")
        if not sign or not name:
            raise UsageError(f"`{item}` is not K=V", hint=f"write {flag} name=value", where=flag)
        found[name] = value
    return found
