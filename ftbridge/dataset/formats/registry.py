"""Finding formats by entry point."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from ftbridge.dataset.formats.format import Format
from ftbridge.errors import UsageError

GROUP = "ftbridge.formats"


@cache
def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def names() -> list[str]:
    """The names of all known formats, sorted."""
    return list(_found())


@cache
def load(name: str) -> Format:
    """A format by its name. No vendor's SDK is imported by this.

    Raises:
        UsageError: for a name that nobody registered, with the nearest one.
    """
    point = _found().get(name)
    if point is None:
        near = difflib.get_close_matches(name, names(), n=1)
        raise UsageError(
            f"no format is called `{name}`",
            hint=(f"did you mean `{near[0]}`? " if near else "") + f"known: {', '.join(names())}",
            where="format",
            code="unknown_format",
        )
    made: Format = point.load()
    return made
