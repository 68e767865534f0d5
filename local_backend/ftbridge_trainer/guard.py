"""No network: environment switches for the libraries, and a guard below them that refuses."""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "WANDB_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "BITSANDBYTES_NOWELCOME": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # waiting threads would take the cores from other runs
}
LOCAL_NAMES = frozenset({"", "localhost", "localhost.localdomain", "ip6-localhost"})

_state = {"installed": False, "active": False}


class NetworkRefused(OSError):
    """Raised in place of a connection to any other machine."""


def set_environment(offline: bool) -> None:
    """Must run before transformers is imported, which reads these once."""
    os.environ.update(QUIET)
    for name in OFFLINE:
        if offline:
            os.environ[name] = "1"


def install() -> None:
    """Refuse every connection and name look-up that would leave this machine, from now on.

    An audit hook sees the call itself, so it holds for every library, also for those that kept
    a reference to `socket.socket`. Python offers no way to remove one: `lift` makes it idle.
    """
    _state["active"] = True
    if not _state["installed"]:
        _state["installed"] = True
        sys.addaudithook(_audit)


def lift() -> None:
    """Let connections pass again (for a process that goes on to do something else)."""
    _state["active"] = False


def is_local(host: Any) -> bool:
    """Whether an address or name means this machine."""
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name.lower() in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return False


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if not _state["active"] or not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        if not isinstance(address, tuple):  # a Unix socket has a path, netlink has no host
            return
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    if not is_local(host):
        raise NetworkRefused(f"the trainer is offline and refuses {event} to another machine")
