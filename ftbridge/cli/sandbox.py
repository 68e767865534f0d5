"""``ftbridge sandbox PROVIDER``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ftbridge import registry
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.errors import NotInstalled, Unsupported
from ftbridge.files import atomic_write


@click.command()
@click.argument("provider")
@click.option("--port", default=0, help="0: any free one.")
@click.option("--speed", default=1.0, show_default=True, help="How much faster jobs run.")
@click.option("--latency", default=0.0, show_default=True, help="Seconds before each answer.")
@click.option("--env-file", type=click.Path(path_type=Path), help="Write the settings here.")
@common
def command(
    session: Session,
    provider: str,
    port: int,
    speed: float,
    latency: float,
    env_file: Path | None,
) -> None:
    """Run PROVIDER's emulator here in the foreground; point ftbridge and the vendor's SDK at it.

    Prints NAME='value' lines for the shell. Ctrl-C ends it.
    """
    sandbox = registry.load(provider).sandbox()
    if sandbox is None:
        raise Unsupported(f"{provider} has no emulator", hint="it needs none, or none is written")
    try:
        from ftbridge.testing.server import run_foreground
    except ImportError as error:
        raise NotInstalled(
            f"the sandbox needs {error.name}", hint="pip install 'ftbridge[sandbox]'"
        ) from None

    def announce(url: str) -> None:
        lines = [f"{name}={shlex.quote(value)}" for name, value in sandbox.variables(url).items()]
        if env_file:
            with atomic_write(env_file) as stream:
                stream.write("".join(line + "\n" for line in lines).encode())
        if session.as_json:
            session.document({"provider": provider, "url": url} | {"env": sandbox.variables(url)})
        session.lines(*lines)

    run_foreground(sandbox.app(speed, latency), port=port, ready=announce)
