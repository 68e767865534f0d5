"""``ftbridge eval DATA --model REF --baseline REF``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.eval_tables import show
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


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
    metavar="FILE|N",
    help="Examples shown to the baseline, so that prompting gets its fair chance: a file, or how "
    "many of those that the job was trained on.",
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
    "schema_valid, field_f1, tool_call, tool_name, chrf, rouge_l, judge, log_likelihood (local), "
    "or module:function; may be repeated, the first gives the verdict.",
)
@click.option("--pattern", metavar="REGEX", help="For the metric regex.")
@click.option("--schema", metavar="FILE", type=click.Path(path_type=Path),
              help="A JSON schema, for the metric schema_valid.")  # fmt: skip
@click.option(
    "--judge",
    metavar="REF",
    help="The model of the metric judge, at any provider: it sees both answers, in both orders.",
)
@click.option("--judge-criteria", metavar="FILE", type=click.Path(path_type=Path),
              help="What it judges by, instead of the usual.")  # fmt: skip
@click.option("--judge-max-tokens", default=16, type=click.IntRange(1), show_default=True,
              help="Of a verdict; a judge that reasons first needs more.")  # fmt: skip
@click.option("--max-tokens", default=64, type=click.IntRange(1), show_default=True)
@click.option("--max-usd", help="Refuse calls that may cost more, all models together.")
@click.option("--allow-unknown-cost", is_flag=True, help="Go on where no price is known.")
@click.option("--privacy", help="The label of the rows, at least.")
@click.option("--forgetting", is_flag=True,
              help="Also measure what general ability the tuning has cost.")  # fmt: skip
@click.option("--probe", metavar="FILE", type=click.Path(path_type=Path),
              help="The same, by general questions of your own.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Only the first rows.")
@click.option("--allow-trained-rows", is_flag=True, help="Go on though rows were trained on.")
@common
def command(
    session: Session,
    data: Path,
    model: str,
    baseline: str,
    few_shot: str | None,
    baseline_prompt: Path | None,
    metrics: tuple[str, ...],
    pattern: str | None,
    schema: Path | None,
    judge: str | None,
    judge_criteria: Path | None,
    judge_max_tokens: int,
    max_tokens: int,
    max_usd: str | None,
    allow_unknown_cost: bool,
    privacy: str | None,
    forgetting: bool,
    probe: Path | None,
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
            judge=judge,
            judge_criteria=judge_criteria,
            judge_max_tokens=judge_max_tokens,
            few_shot=int(few_shot) if few_shot and few_shot.isdecimal() else few_shot,
            baseline_prompt=baseline_prompt,
            max_tokens=max_tokens,
            limit=limit,
            forgetting=forgetting,
            probe=probe,
            max_usd=max_usd,
            allow_unknown_cost=allow_unknown_cost,
            privacy=privacy,
            allow_trained_rows=allow_trained_rows,
            on_progress=update,
        )
    session.document(result.to_dict())
    show(session, result)
