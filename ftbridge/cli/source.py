"""The options with which any command names a data file that is not canonical."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ftbridge.dataset import Dataset

_OPTIONS = (
    click.argument("data"),
    click.option("--from", "form", metavar="FORMAT", help="Its format, if not to be detected."),
    click.option(
        "--map",
        "mapping",
        multiple=True,
        metavar="ROLE=COLUMN",
        help="Which column is what, for tables and plain logs; may be repeated.",
    ),
)


def source(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument DATA with ``--from`` and ``--map``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def opened(data: str | Path, form: str | None, mapping: tuple[str, ...]) -> Dataset:
    """The data file that these options name."""
    return Dataset(data, form=form, mapping=mapping)
