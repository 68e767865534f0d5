"""``ftbridge doctor``."""

from __future__ import annotations

import click

from ftbridge import registry
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import pairs
from ftbridge.errors import PolicyRefused
from ftbridge.provider import Check


@click.command()
@click.argument("provider", required=False)
@click.option("--base-url", help="Another address than the vendor's.")
@click.option("--option", "options", multiple=True, metavar="K=V", help="Vendor-only setting.")
@common
def command(
    session: Session, provider: str | None, base_url: str | None, options: tuple[str, ...]
) -> int:
    """Are packages, credentials and access in order; one provider, or all."""
    given = pairs(options, "--option") | ({"base_url": base_url} if base_url else {})
    names = [provider] if provider else registry.names()
    checks = [(name, check) for name in names for check in _of(session, name, given)]
    if provider is None:
        checks = [("ftbridge", check) for check in session.bridge.home_checks()] + checks
    session.document({"checks": [{"provider": name} | vars(check) for name, check in checks]})
    marks = {True: "ok", False: "fails", None: "?"}
    session.table(
        ("provider", "check", "", "what", "next"),
        [(name, c.name, marks[c.ok], c.message, c.hint) for name, c in checks],
    )
    return 4 if provider and any(check.ok is False for _, check in checks) else 0


def _of(session: Session, name: str, given: dict[str, str]) -> list[Check]:
    """A provider's checks; an address that is not encrypted is asked nothing."""
    try:
        return session.bridge.provider(name, given).doctor()
    except PolicyRefused as error:
        return [Check("address", False, error.message, error.hint)]
