"""Showing an error: the sentence, the next step, the exit code."""

from __future__ import annotations

import json
import os
import sys
import traceback

import click

from ftbridge.errors import FtbridgeError, UsageError


def report(error: Exception, *, as_json: bool) -> int:
    """Print an error for people (stderr) or programs (stdout) and return its exit code."""
    known = _known(error)
    if os.environ.get("FTBRIDGE_DEBUG"):
        traceback.print_exception(error)
    if as_json:
        document = known.document | {"error": known.to_dict()}
        print(json.dumps(document, ensure_ascii=False))  # noqa: T201
    else:
        click.echo(f"{_styled('error', 'red')}: {known.message}", err=True)
        if known.hint:
            click.echo(f"{_styled('hint', 'cyan')}: {known.hint}", err=True)
    return known.exit_code


def _known(error: Exception) -> FtbridgeError:
    if isinstance(error, FtbridgeError):
        return error
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "ftbridge"
        return UsageError(error.format_message(), hint=f"see `{command} --help`")
    if isinstance(error, click.ClickException):
        return UsageError(error.format_message())
    return FtbridgeError(
        f"this is a fault in ftbridge: {type(error).__name__}",
        hint="run again with FTBRIDGE_DEBUG=1 and report what it prints",
        code="internal",
    )


def _styled(text: str, colour: str) -> str:
    plain = bool(os.environ.get("NO_COLOR")) or not sys.stderr.isatty()
    return text if plain else click.style(text, fg=colour, bold=True)
