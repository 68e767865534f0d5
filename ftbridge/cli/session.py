"""What every command is given: the library, and a way to show things that suits the reader.

With ``--json`` one document goes to stdout and nothing else. On a terminal there are tables
and progress bars; in a pipe, plain tab-separated lines and silence on stderr.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftbridge.bridge import Bridge
from ftbridge.jobs.ledger.deployments import DeploymentRow

if TYPE_CHECKING:
    from ftbridge.report.parts import Chart


class Session:
    """One run of one command."""

    def __init__(self, home: str | None, as_json: bool) -> None:
        self.as_json = as_json
        self._home = home

    @cached_property
    def bridge(self) -> Bridge:
        """The library, at the chosen home."""
        return Bridge(self._home)

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.as_json

    @property
    def chatty(self) -> bool:
        """Whether a person reads stderr, so that progress is worth showing."""
        return sys.stderr.isatty()

    def document(self, content: dict[str, Any]) -> None:
        """Print the JSON document, if that was asked for."""
        if self.as_json:
            click.echo(json.dumps(content, default=_plain, ensure_ascii=False))

    def lines(self, *lines: str) -> None:
        """Print sentences for people on stdout."""
        if not self.as_json:
            for line in lines:
                click.echo(line)

    def note(self, line: str) -> None:
        """Say something on the side, to a person only."""
        if self.chatty:
            click.echo(line, err=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print rows: a table on a terminal, tab-separated in a pipe."""
        if self.as_json:
            return
        texts = [[_cell(value) for value in row] for row in rows]
        if not sys.stdout.isatty():
            for row in texts:
                click.echo("\t".join(row))
            return
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in texts:
            table.add_row(*row)
        Console(no_color=bool(os.environ.get("NO_COLOR"))).print(table)

    def plot(self, chart: Chart) -> None:
        """Draw a chart for people, as wide as the terminal; without plotille say what to install.

        The values are no secret to who cannot draw them: the JSON form has them too.
        """
        if self.as_json:
            return
        import shutil

        from ftbridge.errors import NotInstalled
        from ftbridge.report.terminal import plot

        try:
            click.echo(plot(chart, columns=shutil.get_terminal_size((100, 24)).columns))
        except NotInstalled as missing:
            click.echo(f"{chart.title}: {missing.message} ({missing.hint})")

    @contextmanager
    def progress(self, label: str, total: float | None) -> Iterator[Callable[[float, str], None]]:
        """A bar on stderr for a person; ``update(done, text)`` moves it. Silent in a pipe."""
        if not self.chatty:
            yield lambda done, text: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(label, total=total, text="")
            yield lambda done, text: bar.update(task, completed=done, text=text)


def command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--json`` and ``--home``, and a :class:`Session` as first argument."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
    @click.option("--home", metavar="DIR", help="Ledger and files (else FTBRIDGE_HOME).")
    @functools.wraps(function)
    def wrapped(*args: Any, as_json: bool, home: str | None, **kwargs: Any) -> Any:
        return function(Session(home, as_json), *args, **kwargs)

    return wrapped


def money(low: Decimal | None, high: Decimal | None) -> str:
    """A price or a range of prices for people; unknown is said."""
    if low is None or high is None:
        return "unknown"
    if round(low, 2) == round(high, 2):
        return f"{high:.2f}"
    return f"{low:.2f} to {high:.2f}"


def deployed(row: DeploymentRow) -> str:
    """A deployment for people: its state, and what an hour of it costs."""
    rate = row.usd_per_hour
    return f"{row.state}, {'unknown' if rate is None else f'{rate:.2f}'} USD/h"


def _cell(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
