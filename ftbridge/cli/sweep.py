"""``ftbridge sweep DATA --provider P --vary NAME=V1,V2``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from ftbridge import registry
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import pairs, wishes
from ftbridge.errors import UsageError
from ftbridge.sweep import Sweep


@click.command()
@wishes
@click.option("--vary", "varied", multiple=True, metavar="NAME=V1,V2",
              help="n_epochs, learning_rate, lora_r...; each combination is a trial.")  # fmt: skip
@click.option("--metric", "metrics", multiple=True, metavar="NAME",
              help="As for eval; the first one chooses.")  # fmt: skip
@click.option("--max-tokens", default=64, type=click.IntRange(1), show_default=True)
@click.option("--parallel", default=2, type=click.IntRange(1), show_default=True,
              help="Trials at a time.")  # fmt: skip
@click.option("--again", is_flag=True, help="Try trials once more that have failed.")
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@common
def command(
    session: Session,
    varied: tuple[str, ...],
    metrics: tuple[str, ...],
    max_tokens: int,
    parallel: int,
    again: bool,
    yes: bool,
    **wanted: Any,
) -> int:
    """Train DATA with every combination of some values; the best is chosen by held-out rows.

    --validation says which rows choose (a share of 0.2 if left out); they are not trained on.
    --max-usd holds for all trials and their evaluations together. Started again, a sweep goes on
    where it was.
    """
    provider = wanted["provider"]
    if registry.load(provider).bills and not yes:
        _ask(session, provider, wanted["max_usd"])
    wanted["tags"] = pairs(wanted["tags"], "--tag")
    wanted["options"] = pairs(wanted["options"], "--option")
    data, validation = wanted.pop("data"), wanted.pop("validation")
    with session.progress("sweep", 1.0) as update:
        found = session.bridge.sweep(
            data,
            parse(varied),
            validation=0.2 if validation is None else validation,
            metrics=metrics or ("exact_match",),
            evaluation={"max_tokens": max_tokens},
            again=again,
            parallel=parallel,
            on_progress=update,
            **wanted,
        )
    session.document(found.to_dict())
    _show(session, found)
    return 0 if found.best else 1


def _ask(session: Session, provider: str, max_usd: str | None) -> None:
    if not session.interactive:
        raise UsageError(
            f"{provider} bills; without a terminal that needs --yes",
            hint="add --yes, and a limit with --max-usd",
            where="--yes",
        )
    limit = "without a limit" if max_usd is None else f"up to {max_usd} USD"
    click.confirm(f"Train and evaluate all trials at {provider}, {limit}?", abort=True, err=True)


def _show(session: Session, found: Sweep) -> None:
    session.table(
        ("trial", "job", "state", found.metric, "95 % interval", "against the base", ""),
        [
            (
                ", ".join(f"{name}={value:g}" for name, value in trial.values.items()),
                trial.job,
                trial.state,
                None if trial.score is None else f"{trial.score:.4g}",
                trial.result and "{:.4g} to {:.4g}".format(*trial.result.main.tuned.ci),
                trial.result and trial.result.verdict,
                "best" if trial is found.best else trial.error,
            )
            for trial in found.trials
        ],
    )
    if found.best is None:
        session.lines("no trial has a model that could be evaluated")
        return
    close = [trial.job for trial in found.close]
    said = f"; these rows cannot tell it from {', '.join(close)}" if close else ""
    session.lines(f"best: {found.best.job}{said}", found.to_dict()["note"])


def parse(varied: Sequence[str]) -> dict[str, list[float]]:
    """``NAME=V1,V2`` texts as a grid; whole numbers stay whole.

    Raises:
        UsageError: for anything else.
    """
    grid: dict[str, list[float]] = {}
    for text in varied:
        name, _, values = text.partition("=")
        try:
            grid[name.strip().replace("-", "_")] = list(_numbers(values))
        except ValueError:
            raise UsageError(
                f"`{text}` is not NAME=V1,V2", hint="--vary n_epochs=1,3", where="vary"
            ) from None
    return grid


def _numbers(values: str) -> Iterator[float]:
    for value in values.split(","):
        number = float(value)
        yield int(number) if value.strip().isdecimal() else number
