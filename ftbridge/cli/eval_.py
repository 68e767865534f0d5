"""``ftbridge eval DATA --model REF --baseline REF``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ftbridge.cli.eval_tables import show
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.errors import UsageError


@click.command("eval")
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option("--data", "fresh", metavar="FILE", type=click.Path(path_type=Path),
              help="The rows; the same as DATA.")  # fmt: skip
@click.option("--model", help="What is tested: job, folder or provider:model.")
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
@click.option("--again", metavar="JOB|ALIAS",
              help="Measure this model on fresh rows as before: has it drifted?")  # fmt: skip
@common
def command(
    session: Session,
    data: Path | None,
    fresh: Path | None,
    again: str | None,
    model: str | None,
    few_shot: str | None,
    metrics: tuple[str, ...],
    **wanted: Any,
) -> None:
    """Tuned model against baseline on the held-out rows of DATA, paired row by row.

    With --again the model, the baseline and how they are measured come from the stored
    evaluation; the rows are others, so that nothing is paired.
    """
    rows = _rows(data, fresh)
    with session.progress("eval", None) as update:
        if again is not None:
            kept = _without_defaults(again, model, few_shot, metrics, wanted)
            result = session.bridge.evaluate_again(again, rows, on_progress=update, **kept)
        elif model is None:
            raise UsageError("no model is named", hint="--model REF, or --again JOB", where="model")
        else:
            result = session.bridge.evaluate(
                rows,
                model=model,
                metrics=metrics or ("exact_match",),
                few_shot=int(few_shot) if few_shot and few_shot.isdecimal() else few_shot,
                on_progress=update,
                **wanted,
            )
    session.document(result.to_dict())
    show(session, result)


def _rows(data: Path | None, fresh: Path | None) -> Path:
    if (data is None) == (fresh is None):
        raise UsageError(
            "the rows are named once, as DATA or as --data", hint="name one file", where="data"
        )
    return data or fresh or Path()


AGAIN = ("limit", "max_usd", "allow_unknown_cost", "allow_trained_rows", "privacy")
"""What may be said anew with --again; all else is as it was."""


def _without_defaults(
    again: str,
    model: str | None,
    few_shot: str | None,
    metrics: tuple[str, ...],
    wanted: dict[str, Any],
) -> dict[str, Any]:
    """What --again takes over from the command line."""
    context = click.get_current_context()
    given = {
        name for name in wanted if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    taken = [name for name, value in (("model", model), ("few-shot", few_shot),
                                      ("metric", metrics)) if value]  # fmt: skip
    taken += [name.replace("_", "-") for name in sorted(given - set(AGAIN))]
    if taken:
        raise UsageError(
            f"--again measures {again} as before, so --{taken[0]} cannot be changed",
            hint=f"leave it out, or evaluate anew with --model {again}",
            where=taken[0],
        )
    return {name: wanted[name] for name in AGAIN}
