"""Finding providers: by entry point, ours and third parties' on the same footing."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from ftbridge.errors import UsageError
from ftbridge.provider import Provider

GROUP = "ftbridge.providers"


@cache
def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def names() -> list[str]:
    """The names of all known providers, sorted."""
    return list(_found())


def load(name: str) -> type[Provider]:
    """The class of a provider. Its vendor's SDK is not imported by this.

    Raises:
        UsageError: for a name that nobody registered, with the nearest ones.
    """
    point = _found().get(name)
    if point is None:
        near = difflib.get_close_matches(name, names(), n=1)
        raise UsageError(
            f"no provider is called `{name}`",
            hint=(f"did you mean `{near[0]}`? " if near else "") + f"known: {', '.join(names())}",
            where="provider",
            code="unknown_provider",
        )
    provider: type[Provider] = point.load()
    return provider


def all_providers() -> list[type[Provider]]:
    """The classes of all known providers, in the order of their names."""
    return [load(name) for name in names()]
