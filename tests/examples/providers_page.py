"""Writes ``docs/providers.md``: ``python tests/examples/providers_page.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ftbridge import registry
from ftbridge.catalogue import Catalogue, TunableModel
from ftbridge.jobs.spec import Adapter
from ftbridge.provider import Provider

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "providers.md"
HEAD = """# Providers

Generated from catalogues and READMEs by `python tests/examples/providers_page.py`; a test compares.
`ftbridge providers` and `ftbridge models` show the same facts for what is installed.

**Verified** says how far a provider was tried: *live* at the vendor, *really runs* on a machine of
ours, against the *vendor's emulator* or our *own emulator*, or from *documents only*. What could
not be verified, and how to do it with an account, stands in each README.
"""
HOW = ("live", "really runs", "vendor's emulator", "own emulator", "documents only")
"""The words that the line ``Verified:`` of a README begins with."""


def readme(provider: type[Provider]) -> Path:
    """Where a provider's README lies in this repository."""
    (found,) = ROOT.glob(f"*/{provider.home().name}/README.md")
    return found


def verified(provider: type[Provider]) -> str:
    """How it was verified, by its README.

    Raises:
        ValueError: where the README does not say it in one of the known words.
    """
    text = readme(provider).read_text("utf-8")
    said = re.search(r"^Verified: (.+?)\n\n", text, re.MULTILINE | re.DOTALL)
    if said is None or not said[1].startswith(HOW):
        raise ValueError(f"{readme(provider)}: no line `Verified: {' | '.join(HOW)} ...`")
    return " ".join(said[1].split()).removesuffix(".")


def page() -> str:
    """The whole page."""
    chosen = registry.all_providers()
    parts = [HEAD, _table(chosen)]
    parts += ["\n".join(_section(provider)) for provider in chosen]
    return "\n".join(parts)


def _table(chosen: list[type[Provider]]) -> str:
    lines = [
        "| provider | kind | methods | adapters | install | closes | facts of | verified |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for provider in chosen:
        facts = provider.catalogue()
        cells = [
            f"[{provider.name}](#{provider.name})",
            provider.kind,
            ", ".join(facts.methods) or "none",
            ", ".join(facts.adapters) or "none",
            f"`{provider.install_hint()}`" if provider.sdk else "nothing more",
            str(facts.closing.closed_after) if facts.closing else "",
            str(facts.as_of),
            verified(provider),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _section(provider: type[Provider]) -> Iterator[str]:
    facts = provider.catalogue()
    path = readme(provider).relative_to(ROOT).as_posix()
    yield f"## {provider.name}\n"
    yield f"{facts.title}. Credentials, costs, traps: [{path}](../{path}).\n"
    for notice in (facts.nothing, facts.closing):
        if notice:
            yield f"{notice.message} ({notice.source}, {notice.as_of}).\n"
    if facts.models:
        yield "| model | family | methods | adapters | context | closes |"
        yield "|---|---|---|---|---|---|"
        yield from (_model(row, facts) for row in facts.models)
        yield ""
    if facts.open_models:
        yield "Other models are taken too.\n"
    for method, takes in facts.hyperparameters.items():
        yield f"Hyperparameters of {method}: {', '.join(f'`{name}`' for name in takes)}.\n"
    if provider.absent and not facts.nothing:
        yield "Not there:"
        yield from (f"- `{name}`: {why}" for name, why in sorted(provider.absent.items()))
        yield ""


def _model(row: TunableModel, facts: Catalogue) -> str:
    days = [day for day in (row.closed_after, row.ends) if day]
    days += [facts.closing.closed_after] if facts.closing else []
    adapters = [name for name in row.adapters if name is not Adapter.MANAGED]
    cells = [
        f"`{row.model}`",
        row.family or "",
        ", ".join(row.methods),
        ", ".join(adapters) or "the vendor's",
        f"{row.context:,}" if row.context else "",
        str(min(days)) if days else "",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
