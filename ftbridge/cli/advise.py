"""``ftbridge advise DATA``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--baseline", metavar="REF", help="A model to ask a sample: provider:model, folder, job."
)
@click.option("--sample", default=60, show_default=True, type=click.IntRange(10),
              help="How many rows it is asked.")  # fmt: skip
@click.option("--max-tokens", default=256, show_default=True, type=click.IntRange(1))
@click.option("--privacy", help="The data's label, at least.")
@common
def command(
    session: Session,
    data: Path,
    baseline: str | None,
    sample: int,
    max_tokens: int,
    privacy: str | None,
) -> None:
    """Prompt, retrieve, classify, collect or tune: what DATA calls for, and on what evidence."""
    with session.progress("advise", None) as update:
        found = session.bridge.advise(
            data,
            baseline=baseline,
            sample=sample,
            max_tokens=max_tokens,
            privacy=privacy,
            on_progress=update,
        )
    session.document(found.to_dict())
    session.lines(f"first: {found.recommendation}")
    session.table(
        ("advice", "what", "evidence"),
        [(each.code, each.text, each.evidence) for each in found.statements],
    )
    base = found.known.baseline
    if base:
        session.table(
            ("failure", "rows", "first lines", "what it is"),
            [(f.code, f.count, ", ".join(map(str, f.lines)), f.meaning) for f in base.failures],
        )
    session.table(("label", "examples missing"), [(name, n) for name, n in found.missing.items()])
    for each in found.unknown:
        session.note(f"not known: {each}")
