"""``ftbridge eval DATA --model REF --baseline REF``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.evaluate.result import Result, Score


@click.command("eval")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="What is tested: job, folder or provider:model.")
@click.option(
    "--baseline",
    default="base",
    show_default=True,
    help="What it must beat; `base` is the model it was tuned from.",
)
@click.option(
    "--few-shot",
    type=click.Path(path_type=Path),
    help="Examples shown to the baseline, so that prompting gets its fair chance.",
)
@click.option("--max-tokens", default=64, type=click.IntRange(1), show_default=True)
@click.option("--limit", type=click.IntRange(1), help="Only the first rows.")
@click.option("--allow-trained-rows", is_flag=True, help="Go on though rows were trained on.")
@common
def command(
    session: Session,
    data: Path,
    model: str,
    baseline: str,
    few_shot: Path | None,
    max_tokens: int,
    limit: int | None,
    allow_trained_rows: bool,
) -> None:
    """Exact match of tuned model and baseline on the held-out rows of DATA, paired."""
    with session.progress("eval", None) as update:
        result = session.bridge.evaluate(
            data,
            model=model,
            baseline=baseline,
            few_shot=few_shot,
            max_tokens=max_tokens,
            limit=limit,
            allow_trained_rows=allow_trained_rows,
            on_progress=update,
        )
    session.document(result.to_dict())
    _show(session, result)


def _show(session: Session, result: Result) -> None:
    session.table(
        ("", "model", result.metric, "95 % interval", "calls from cache"),
        [
            ("baseline", *_row(result.baseline)),
            ("tuned", *_row(result.tuned)),
            ("difference", "", f"{result.difference:+.1%}", _span(result.difference_ci),
             f"p = {result.p:.2g}"),
        ],
    )  # fmt: skip
    session.lines(f"{result.verdict} on {result.n} rows")


def _row(score: Score) -> tuple[str, str, str, int]:
    return score.model, f"{score.value:.1%}", _span(score.ci), score.cached


def _span(ci: tuple[float, float]) -> str:
    return f"{ci[0]:.1%} to {ci[1]:.1%}"
