"""Whether an address would be spoken to in the clear, outside this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from ftbridge.errors import PolicyRefused


def in_the_clear(address: str) -> bool:
    """Whether this is a plain ``http://`` address of another machine."""
    parts = urlsplit(address.strip())
    return parts.scheme.lower() == "http" and not is_loopback(parts.hostname or "")


def require_encrypted(provider: str, addresses: Iterable[str]) -> None:
    """Raise PolicyRefused where any of a provider's addresses would be spoken to in the clear."""
    for address in addresses:
        if in_the_clear(address):
            host = urlsplit(address.strip()).hostname
            raise PolicyRefused(
                f"{provider}: http://{host} is not encrypted: data, key and answers could be read "
                "on the way",
                hint="use an https:// address; plain http is for this machine alone (127.0.0.1)",
                where="default.tls-only",
            )


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this very machine, without asking a name server."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
