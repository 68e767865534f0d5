"""``ftbridge convert DATA --to FORMAT -o OUT``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.source import opened, source


@click.command()
@source
@click.option("--to", required=True, metavar="FORMAT", help="The format to write.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The file.")
@click.option("--allow-lossy", is_flag=True, help="Go on where the format loses something.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64),
              help="Processes, for large plain JSONL.")  # fmt: skip
@common
def command(
    session: Session,
    data: str,
    form: str | None,
    mapping: tuple[str, ...],
    to: str,
    out: Path,
    allow_lossy: bool,
    workers: int,
) -> int:
    """Write DATA in another format; name what it cannot carry. Nothing is written by halves."""
    from ftbridge.dataset.convert import convert

    dataset = opened(data, form, mapping)
    made = convert(dataset, to, out, allow_lossy=allow_lossy, workers=workers)
    losses = [made.losses[code] for code in sorted(made.losses)]
    session.document(
        {
            "from": dataset.format.name,
            "to": to,
            "kind": str(dataset.kind),
            "out": str(out),
            "written": made.written,
            "losses": [vars(lost) | {"message": lost.message}
                       for lost in losses],
        }
    )  # fmt: skip
    session.table(
        ("loss", "count", "first lines", "what it means"),
        [(lost.code, lost.count, ", ".join(map(str, lost.lines)), lost.message) for lost in losses],
    )
    session.lines(f"{made.written:,} examples in {out}, from {dataset.format.name} to {to}")
    return 0
