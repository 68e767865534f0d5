"""Where price files lie: with each provider, with packages that only list prices, and ours.

A vendor that ftbridge cannot submit to yet may have a price list all the same: its package is
named in the entry-point group ``ftbridge.prices`` and holds a ``prices.toml``. As soon as the name
is registered as a provider, the provider's folder counts.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from ftbridge import registry

GROUP = "ftbridge.prices"
RENTAL = Path(__file__).with_name("gpu_cloud.toml")
"""What machines with GPUs are rented for by those who do nothing else."""


def price_files() -> list[Path]:
    """Every folder or file with prices, providers first, each once."""
    folders = [provider.folder for provider in registry.all_providers()]
    return list(dict.fromkeys([*folders, *price_lists().values(), RENTAL]))


@cache
def price_lists() -> dict[str, Path]:
    """The folders of price lists by vendor, of those only that are no providers here."""
    known = set(registry.names())
    found = {}
    for point in sorted(entry_points(group=GROUP)):
        spec = importlib.util.find_spec(point.value)
        if point.name not in known and spec and spec.submodule_search_locations:
            found[point.name] = Path(spec.submodule_search_locations[0])
    return found
