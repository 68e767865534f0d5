"""``ftbridge sandbox PROVIDER``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge import registry
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.errors import NotInstalled, Unsupported, UsageError
from ftbridge.files import atomic_write

POSITIVE = click.FloatRange(0, 1e6, min_open=True)


@click.command()
@click.argument("provider")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option(
    "--speed", default=1.0, show_default=True, type=POSITIVE, help="How much faster jobs run."
)
@click.option(
    "--latency",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 60),
    help="Seconds before each answer.",
)
@click.option("--env-file", type=click.Path(path_type=Path), help="Write the settings here.")
@common  # fmt: skip
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
        lines = [f"{name}={_quoted(value)}" for name, value in sandbox.variables(url).items()]
        if env_file:
            with atomic_write(env_file) as stream:
                stream.write("".join(line + "\n" for line in lines).encode())
        if session.as_json:
            session.document({"provider": provider, "url": url} | {"env": sandbox.variables(url)})
        session.lines(*lines)

    try:
        run_foreground(sandbox.app(speed, latency), port=port, ready=announce)
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be served: {error.strerror}",
            hint="leave --port out for a free one",
            where="--port",
        ) from None


def _quoted(value: str) -> str:
    """For the shell, always in single quotes, so that every line has one shape."""
    return "'" + value.replace("'", "'\\''") + "'"
