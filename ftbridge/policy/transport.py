"""Whether an address would be spoken to in the clear, outside this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def in_the_clear(address: str) -> bool:
    """Whether this is a plain ``http://`` address of another machine."""
    parts = urlsplit(address.strip())
    return parts.scheme.lower() == "http" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this very machine, without asking a name server."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
