"""``ftbridge eval DATA --model REF --baseline REF``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.evaluate.result import Asked, Labels, Result, Share


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
@click.option(
    "--baseline-prompt",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The baseline's system message; {system} in it is the row's own.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="exact_match (default), normalized_match, number_match, regex, json_valid, "
    "schema_valid, field_f1, tool_call, tool_name, chrf, rouge_l, or module:function; may be "
    "repeated, the first gives the verdict.",
)
@click.option("--pattern", metavar="REGEX", help="For the metric regex.")
@click.option("--schema", metavar="FILE", type=click.Path(path_type=Path),
              help="A JSON schema, for the metric schema_valid.")  # fmt: skip
@click.option("--max-tokens", default=64, type=click.IntRange(1), show_default=True)
@click.option("--privacy", help="The label of the rows, at least.")
@click.option("--limit", type=click.IntRange(1), help="Only the first rows.")
@click.option("--allow-trained-rows", is_flag=True, help="Go on though rows were trained on.")
@common
def command(
    session: Session,
    data: Path,
    model: str,
    baseline: str,
    few_shot: Path | None,
    baseline_prompt: Path | None,
    metrics: tuple[str, ...],
    pattern: str | None,
    schema: Path | None,
    max_tokens: int,
    privacy: str | None,
    limit: int | None,
    allow_trained_rows: bool,
) -> None:
    """Tuned model against baseline on the held-out rows of DATA, paired row by row."""
    with session.progress("eval", None) as update:
        result = session.bridge.evaluate(
            data,
            model=model,
            baseline=baseline,
            metrics=metrics or ("exact_match",),
            pattern=pattern,
            schema=schema,
            few_shot=few_shot,
            baseline_prompt=baseline_prompt,
            max_tokens=max_tokens,
            limit=limit,
            privacy=privacy,
            allow_trained_rows=allow_trained_rows,
            on_progress=update,
        )
    session.document(result.to_dict())
    _show(session, result)


def _show(session: Session, result: Result) -> None:
    for each in result.comparisons:
        session.table(
            ("", "model", each.metric, "95 % interval", "calls from cache", "median s"),
            [
                ("baseline", *_side(result.baseline, each.baseline)),
                ("tuned", *_side(result.tuned, each.tuned)),
                ("difference", "", f"{each.difference:+.1%}", _span(each.difference_ci),
                 f"p = {each.p:.2g} ({each.test})", ""),
            ],
        )  # fmt: skip
    _show_labels(session, result.labels)
    if result.held_out.reason:
        session.note(f"rows compared with the training data by {result.held_out.checked} only: "
                     f"{result.held_out.reason}")  # fmt: skip
    least = result.main.minimum_detectable
    session.lines(
        f"{result.verdict} on {result.n} rows; so many rows show a difference of {least:.1%} "
        "8 times in 10"
    )


def _show_labels(session: Session, labels: Labels | None) -> None:
    if labels is None:
        return
    session.table(
        ("label", "rows", "baseline", "tuned"),
        [(row.label, row.n, f"{row.baseline:.0%}", f"{row.tuned:.0%}") for row in labels.classes],
    )
    session.table(
        ("label", "tuned model said", "rows"),
        [(wanted, said or "(no label)", count) for wanted, said, count in labels.confusion],
    )


def _side(asked: Asked, share: Share) -> tuple[str, str, str, int, str]:
    value, seconds = f"{share.value:.1%}", f"{asked.seconds:.2f}"
    return asked.model, value, _span(share.ci), asked.cached, seconds


def _span(ci: tuple[float, float]) -> str:
    return f"{ci[0]:.1%} to {ci[1]:.1%}"
