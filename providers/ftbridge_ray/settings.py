"""Ray's settings in one place: address, token, folders, and the options of a job.

Sources: ``ray job submit --help`` and docs.ray.io (job submission REST API, token authentication)
by ray 2.60.0 (read 2026-11-25).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ftbridge.errors import UsageError

ADDRESS = "http://127.0.0.1:8265"
TOKEN = "RAY_AUTH_TOKEN"  # noqa: S105 - the variable's name
OPTIONS = ("storage", "mounted", "gpus", "gpu", "python", "attempts", "engine", "usd_per_hour")
MOST = 64


def endpoint(options: Mapping[str, str]) -> str:
    """Option ``base_url``, else ``RAY_API_SERVER_ADDRESS``, else a head on this machine."""
    return options.get("base_url") or os.environ.get("RAY_API_SERVER_ADDRESS") or ADDRESS


def token() -> str:
    """``RAY_AUTH_TOKEN``, else the file that ``RAY_AUTH_TOKEN_PATH`` names, else Ray's own file;
    empty where there is none."""
    given = os.environ.get(TOKEN)
    if given:
        return given
    path = os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token"
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError:
        return ""


def storage(options: Mapping[str, str]) -> Path:
    """The shared folder as it is seen here.

    Raises:
        UsageError: where none is named, or not by its whole path.
    """
    text = options.get("storage", "")
    if not text.startswith("/"):
        raise UsageError(
            "ray needs a folder that this machine and the cluster share",
            hint="name it by its whole path: --option storage=/mnt/shared/ftbridge",
            where="storage",
        )
    return Path(text)


def mounted(options: Mapping[str, str]) -> str:
    """The same folder as the cluster sees it."""
    return (options.get("mounted") or str(storage(options))).rstrip("/")


def whole(options: Mapping[str, str], name: str, default: int, least: int = 0) -> int:
    """A whole number."""
    text = options.get(name, str(default))
    if not text.isdigit() or not least <= int(text) <= MOST:
        raise UsageError(
            f"option {name}: `{text}` is no whole number from {least} to {MOST}", where=name
        )
    return int(text)


def rate(options: Mapping[str, str]) -> Decimal | None:
    """USD that an hour of the machine costs; None where nobody says."""
    text = options.get("usd_per_hour")
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not (value.is_finite() and value >= 0):
        raise UsageError(
            f"option usd_per_hour: `{text}` is no number of 0 or more", where="usd_per_hour"
        )
    return value


def engine(options: Mapping[str, str]) -> str:
    """``one``: one process group on one node; ``train``: Ray Train places the workers."""
    text = options.get("engine", "one")
    if text not in ("one", "train"):
        raise UsageError(
            f"option engine: `{text}` is neither one nor train",
            hint="train: Ray Train spreads --option workers=N over the cluster",
            where="engine",
        )
    return text
