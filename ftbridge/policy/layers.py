"""One policy file: its rules, or why it cannot be followed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ftbridge.errors import PolicyRefused
from ftbridge.policy import toml
from ftbridge.policy.labels import Privacy

MACHINE_FILE = Path("/etc/ftbridge/policy.toml")
"""The policy of the whole machine. No variable and no flag names another."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TABLES = frozenset({"privacy", "policy"})


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Allow(_Frozen):
    """Where data of some labels may go. Names are patterns (``eu-*``), in exact case.

    A destination must fit all three lists. Where ``regions`` is given, a place that names no
    region does not fit.
    """

    name: str = ""
    labels: tuple[Privacy, ...] = Field(min_length=1)
    providers: tuple[str, ...] = ("*",)
    accounts: tuple[str, ...] = ("*",)
    regions: tuple[str, ...] | None = None

    def misfit(self, provider: str, account: str, region: str | None) -> str:
        """Why a destination does not fit; empty where it does."""
        if not _fits(provider, self.providers):
            return f"providers: {', '.join(self.providers)}"
        if not _fits(account, self.accounts):
            return f"accounts: {', '.join(self.accounts)}; this one is {account}"
        if self.regions is not None and (region is None or not _fits(region, self.regions)):
            here = "which names no region" if region is None else f"here {region}"
            return f"regions: {', '.join(self.regions)}; {here}"
        return ""


class Rules(_Frozen):
    """The table ``[policy]``.

    ``default`` is for labels that no ``allow`` row names. ``scan``: which labels must be free of
    secrets and personal data before they leave. ``retention``: how long after its end a job's
    training data may stay at a vendor. ``submitters``: names of this machine's users.
    """

    default: Literal["allow", "deny"] = "allow"
    allow: tuple[Allow, ...] = ()
    scan: bool | tuple[Privacy, ...] = False
    retention: str | None = None
    submitters: tuple[str, ...] | None = None

    @field_validator("retention")
    @classmethod
    def _is_a_time(cls, value: str | None) -> str | None:
        if value is not None:
            duration(value)
        return value

    def scans(self, privacy: Privacy) -> bool:
        """Whether data of this label must be scanned."""
        return self.scan if isinstance(self.scan, bool) else privacy in self.scan


@dataclass(frozen=True)
class Layer:
    """One file that may hold a policy. ``fault`` says why it cannot be followed."""

    path: Path
    machine: bool
    rules: Rules | None = None
    fault: str = ""

    @property
    def title(self) -> str:
        """How rules of this file are named."""
        return "machine" if self.machine else "project"


def load(path: Path, *, machine: bool) -> Layer:
    """Read one file. Never raises: a fault is part of the layer, and denies."""
    try:
        content = toml.read(path)
        if machine and (odd := sorted(content.keys() - _TABLES)):
            raise PolicyRefused(f"{path}: has no key `{odd[0]}`; it takes privacy and [policy]")
        table = content.get("policy")
        return Layer(path, machine, None if table is None else Rules.model_validate(table))
    except PolicyRefused as error:
        return Layer(path, machine, fault=error.message)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(["policy", *map(str, first["loc"])])
        return Layer(path, machine, fault=f"{path}: {where}: {first['msg']}")


def duration(text: str) -> timedelta:
    """``7d``, ``12h``, ``30m``, ``2w`` as a time. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,5})([mhdw])", text)
    if match is None:
        raise ValueError("write a time as 30m, 12h, 7d or 2w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
