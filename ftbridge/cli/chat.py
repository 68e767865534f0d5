"""``ftbridge chat REF``."""

from __future__ import annotations

import sys

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.errors import UsageError
from ftbridge.job import Model


@click.command()
@click.argument("ref")
@click.argument("prompt", required=False)
@click.option("--system", help="System message.")
@click.option("--max-tokens", default=512, type=click.IntRange(1), show_default=True)
@click.option("--temperature", default=0.0, show_default=True)
@common
def command(
    session: Session,
    ref: str,
    prompt: str | None,
    system: str | None,
    max_tokens: int,
    temperature: float,
) -> None:
    """Ask REF (a job, a folder or provider:model) PROMPT, or talk to it on a terminal."""
    model = session.bridge.model(ref)
    opening = [{"role": "system", "content": system}] if system else []
    settings = {"max_tokens": max_tokens, "temperature": temperature}
    if prompt is None and not sys.stdin.isatty():
        prompt = sys.stdin.read().strip()
    if prompt is None and not session.as_json:
        _talk(model, opening, settings)
        return
    if not prompt:
        raise UsageError("no prompt", hint="give one as the second argument")
    messages = [*opening, {"role": "user", "content": prompt}]
    reply = model.chat(messages, **settings)  # type: ignore[arg-type]
    session.document({"model": model.name, "provider": model.provider.name} | vars(reply))
    session.lines(reply.text)


def _talk(model: Model, opening: list[dict[str, str]], settings: dict[str, float]) -> None:
    """Turn by turn until the input ends."""
    messages = list(opening)
    while True:
        try:
            said = click.prompt("you", prompt_suffix="> ", err=True)
        except (click.Abort, EOFError):
            return
        messages.append({"role": "user", "content": said})
        pieces = []
        for piece in model.stream(messages, **settings):  # type: ignore[arg-type]
            click.echo(piece, nl=False)
            pieces.append(piece)
        click.echo()
        messages.append({"role": "assistant", "content": "".join(pieces)})
