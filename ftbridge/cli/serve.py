"""``ftbridge serve REF``."""

from __future__ import annotations

import ipaddress
import os

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.errors import NotInstalled, UsageError

KEY = "FTBRIDGE_SERVE_KEY"


@click.command()
@click.argument("ref")
@click.option("--name", help="What clients call the model; REF if left out.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="0: any free one.")
@common
def command(session: Session, ref: str, name: str | None, host: str, port: int) -> None:
    """Answer OpenAI's chat endpoint with a model (job, alias, folder or provider:model).

    In the foreground, on this machine alone; another --host needs a key in FTBRIDGE_SERVE_KEY,
    which clients send as their API key. Ctrl-C ends it.
    """
    key = os.environ.get(KEY)
    if not key and not _loopback(host):
        raise UsageError(
            f"{host} can be reached from elsewhere, and no key is set",
            hint=f"set {KEY}, or leave --host out",
            where="--host",
        )
    try:
        from ftbridge.gateway import application
        from ftbridge.testing.server import run_foreground
    except ImportError as error:
        raise NotInstalled(
            f"serving needs {error.name}", hint="pip install 'ftbridge[sandbox]'"
        ) from None
    model = session.bridge.model(ref)
    called = name or ref

    def announce(url: str) -> None:
        session.document({"url": f"{url}/v1", "model": called})
        session.lines(f"{called} at {url}/v1; Ctrl-C ends it")

    try:
        run_foreground(application(called, model, key), host=host, port=port, ready=announce)
    except OSError as error:
        raise UsageError(
            f"{host}:{port} cannot be served: {error.strerror}",
            hint="leave --port out for a free one",
            where="--port",
        ) from None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
