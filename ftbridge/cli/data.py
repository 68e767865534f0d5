"""``ftbridge data``: rows made with models, which a person has the last word on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.errors import UsageError

if TYPE_CHECKING:
    from ftbridge.curate.pairs import Pair
    from ftbridge.curate.review import Draft, Review

_MONEY = (
    click.option("--max-usd", help="Refuse calls that may cost more."),
    click.option("--allow-unknown-cost", is_flag=True, help="Go on where no price is known."),
    click.option("--privacy", help="The label of the rows, at least."),
)
_ANSWERS = (
    click.argument("data", type=click.Path(path_type=Path)),
    click.option("--model", "models", multiple=True, required=True, metavar="REF",
                 help="Who answers: one model twice, or two."),
    click.option("-o", "--out", required=True, type=click.Path(path_type=Path),
                 help="The file of preferences; it grows."),
    click.option("--limit", type=click.IntRange(1), help="Only so many new prompts."),
    click.option("--max-tokens", default=512, type=click.IntRange(1), show_default=True),
)  # fmt: skip


def _added(*options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return add


@click.group(invoke_without_command=True)
@common
@click.pass_context
def command(ctx: click.Context, session: Session) -> None:
    """Make data with models: drafts that a person reviews, answers that are rated.

    Alone it says what there is.
    """
    if ctx.invoked_subcommand:
        return
    told = {name: each.get_short_help_str(100) for name, each in sorted(command.commands.items())}
    session.document({"commands": told})
    session.table(("command", "does"), list(told.items()))


@command.command("expand")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--model", required=True, metavar="REF", help="Who writes, at any provider.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path),
              help="The drafts' file.")  # fmt: skip
@click.option("-n", "--count", type=click.IntRange(1),
              help="Drafts of each kind; what is missing to 20 if left out.")  # fmt: skip
@click.option("--kind", metavar="LABEL", help="One label; else all that have too few examples.")
@click.option("--max-tokens", default=1024, type=click.IntRange(1), show_default=True)
@_added(*_MONEY)
@common
def expand(session: Session, data: Path, out: Path, **wanted: Any) -> None:
    """Draft examples for the kinds that DATA has too few of.

    A draft is never trained on before `ftbridge data review` has accepted it.
    """
    with session.progress("expand", 1.0) as update:
        found = session.bridge.expand(data, out, on_progress=update, **wanted)
    session.document(found.to_dict())
    session.table(("kind", "drafts"), list(found.by_kind.items()))
    session.lines(
        f"{found.written} drafts in {found.out}; left out: {found.repeated} repeated, "
        f"{found.wrong_label} with another label, {found.unreadable} answers unreadable",
        f"next: ftbridge data review {found.out} -o accepted.jsonl",
    )


@command.command("review")
@click.argument("drafts", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path),
              help="Write all accepted rows here at the end.")  # fmt: skip
@click.option("--accept", metavar="N,N", help="Accept these without asking.")
@click.option("--reject", metavar="N,N", help="Reject these without asking.")
@click.option("--reviewer", help="Who decides; the user of this machine if left out.")
@common
def review(
    session: Session,
    drafts: Path,
    out: Path | None,
    accept: str | None,
    reject: str | None,
    reviewer: str | None,
) -> None:
    """Look at each draft: accept, edit, reject, skip or quit. What is decided is kept at once."""
    found = session.bridge.review(drafts, reviewer=reviewer)
    for number in _numbers(accept, "--accept"):
        found.accept(number)
    for number in _numbers(reject, "--reject"):
        found.reject(number)
    if not session.as_json and accept is None and reject is None:
        _walk(found)
    written = found.write(out) if out else None
    told = found.to_dict()
    session.document(told | ({"out": out, "written": written} if out else {}))
    session.lines(f"{told['accepted']} accepted, {told['rejected']} rejected, {told['open']} open")
    if out:
        session.lines(f"written: {out} ({written} rows)")


def _walk(found: Review) -> None:
    left = found.open
    for number, draft in enumerate(left, 1):
        click.echo(_shown(draft, f"{number} of {len(left)}"))
        word = _key("[a]ccept, [e]dit, [r]eject, [s]kip, [q]uit", "aersq")
        if word == "q":
            return
        if word == "a":
            found.accept(draft.number)
        elif word == "r":
            found.reject(draft.number)
        elif word == "e":
            found.accept(
                draft.number,
                prompt=click.prompt("input", default=draft.prompt),
                answer=click.prompt("output", default=draft.answer),
            )


def _shown(draft: Draft, place: str) -> str:
    kind = f", kind {draft.kind}" if draft.kind else ""
    return (
        f"\ndraft {draft.number} ({place}{kind}, by {draft.by})\n"
        f"input:\n  {_indented(draft.prompt)}\noutput:\n  {_indented(draft.answer)}"
    )


def _indented(text: str) -> str:
    """A model's text as it may be shown: indented, and without what steers a terminal."""
    plain = "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
    return plain.replace("\n", "\n  ")


def _key(question: str, keys: str) -> str:
    return str(click.prompt(question, type=click.Choice([*keys]), show_choices=False))


def _numbers(text: str | None, flag: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")] if text else []
    except ValueError:
        what = f"`{text}` is no list of numbers"
        raise UsageError(what, hint=f"{flag} 1,2", where=flag) from None


@command.command("rate")
@_added(*_ANSWERS, *_MONEY)
@click.option("--rater", help="Who chooses; the user of this machine if left out.")
@common
def rate(session: Session, data: Path, out: Path, models: tuple[str, ...], **wanted: Any) -> None:
    """Choose the better of two answers to each prompt of DATA; pairs for DPO.

    The order is drawn, and who has answered is not shown.
    """
    if session.as_json:
        raise UsageError("a person has to choose", hint="leave --json out", where="--json")
    with session.progress("answers", 1.0) as update:
        found = session.bridge.rate(data, out, _choice, models=models, on_progress=update, **wanted)
    session.lines(f"{found['kept']} pairs kept in {found['out']}, {found['ties']} without a choice")


def _choice(pair: Pair, left: int) -> str:
    asked = "\n".join(f"{turn.role}: {turn.content}" for turn in pair.prompt)
    first, second = pair.shown
    click.echo(
        f"\n{left} left\nprompt:\n  {_indented(asked)}\nanswer 1:\n  {_indented(first)}\n"
        f"answer 2:\n  {_indented(second)}"
    )
    return _key("better: [1], [2], [t]ie, [s]kip, [q]uit", "12tsq")


@command.command("judge")
@_added(*_ANSWERS, *_MONEY)
@click.option("--judge", required=True, metavar="REF", help="Who judges, at any provider.")
@click.option("--criteria", metavar="FILE", type=click.Path(path_type=Path),
              help="What it judges by, instead of the usual.")  # fmt: skip
@click.option("--judge-max-tokens", default=16, type=click.IntRange(1), show_default=True,
              help="Of a verdict; a judge that reasons first needs more.")  # fmt: skip
@common
def judge(session: Session, data: Path, out: Path, models: tuple[str, ...], **wanted: Any) -> None:
    """Let a model choose the better of two answers, in both orders; pairs for DPO (RLAIF).

    Only answers that win in both orders are kept.
    """
    with session.progress("answers", 1.0) as update:
        found = session.bridge.judge(data, out, models=models, on_progress=update, **wanted)
    session.document(found)
    bias = found["judge"]["position_bias"]["order_changed_winner"]
    session.lines(
        f"{found['kept']} of {found['pairs']} pairs kept in {found['out']}; the order changed the "
        f"winner of {bias}"
    )
