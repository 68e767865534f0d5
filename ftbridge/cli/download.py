"""``ftbridge download JOB -o DIR``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.argument("job")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--merged", is_flag=True, help="Merge the adapter into the 16-bit base.")
@click.option(
    "--gguf",
    type=click.Choice(["f32", "f16", "bf16", "q8_0"]),
    help="Merge, and write a GGUF file of such numbers too (llama.cpp, Ollama).",
)
@common
def command(session: Session, job: str, out: Path, merged: bool, gguf: str | None) -> None:
    """Bring the weights of JOB's model to a folder."""
    path = session.bridge.job(job).download(out, merged=merged or gguf is not None)
    file = session.bridge.write_gguf(path, gguf) if gguf else None
    session.document({"job": job, "path": str(path), "merged": merged or gguf is not None}
                     | ({"gguf": str(file)} if file else {}))  # fmt: skip
    session.lines(str(path), *([str(file)] if file else []))
