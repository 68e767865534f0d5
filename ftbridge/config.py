"""Where ftbridge keeps things, and what the user has set.

Home is ``--home``, else ``FTBRIDGE_HOME``, else ``~/.ftbridge``; settings are in ``config.toml``
there and, stronger, in the nearest ``ftbridge.toml`` of the working folder and those above it.
A provider's option comes from a flag, else ``FTBRIDGE_<PROVIDER>_<OPTION>``, else
``[providers.<provider>]``. The policy in those files is read by :mod:`ftbridge.policy`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from ftbridge import registry
from ftbridge.errors import UsageError
from ftbridge.files import private_dir
from ftbridge.project import project_files


class Config:
    """The merged settings of one home and one working folder, read on first use.

    Raises:
        UsageError: where a settings file is not TOML, naming the line.
    """

    def __init__(self, home: str | Path | None = None, project: Path | None = None) -> None:
        chosen = home or os.environ.get("FTBRIDGE_HOME") or Path.home() / ".ftbridge"
        self.home = Path(chosen).expanduser().absolute()
        self._folder = project or Path.cwd()

    @cached_property
    def values(self) -> dict[str, Any]:
        """All settings, the project's on top of the home's."""
        nearest = project_files(self._folder)[:1]
        project = _read(nearest[0]) if nearest else {}
        return _merge(_read(self.home / "config.toml"), project)

    def ensure_home(self) -> Path:
        """The home folder, made (mode 0700) if it was not there.

        Raises:
            UsageError: where it cannot be made or written.
        """
        try:
            private_dir(self.home)
        except OSError as error:
            raise UsageError(
                f"{self.home}: cannot be used as home: {error.strerror}",
                hint="choose another with --home or FTBRIDGE_HOME",
                where="home",
            ) from None
        return self.home

    def provider_options(self, provider: str, flags: Mapping[str, str]) -> dict[str, str]:
        """All options of one provider, flags first, then environment, then files."""
        prefix = f"FTBRIDGE_{provider.upper()}_"
        # The longest name of a provider wins: OPENAI_COMPATIBLE_X is none of OPENAI's options.
        others = tuple(
            f"FTBRIDGE_{name.upper()}_"
            for name in registry.names()
            if name.startswith(f"{provider}_")
        )
        from_env = {
            name.removeprefix(prefix).lower(): value
            for name, value in os.environ.items()
            if name.startswith(prefix) and not name.startswith(others)
        }
        section = self.section("providers").get(provider, {})
        if not isinstance(section, dict):
            raise UsageError(
                f"`providers.{provider}` in the settings must be a table",
                hint=f"write [providers.{provider}]",
            )
        from_files = {name: str(value) for name, value in section.items()}
        return from_files | from_env | dict(flags)

    def section(self, name: str) -> dict[str, Any]:
        """One table of the settings; empty if absent."""
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            raise UsageError(f"`{name}` in the settings must be a table", hint=f"write [{name}]")
        return value

    def rows(self, name: str) -> list[dict[str, Any]]:
        """One array of tables of the settings; empty if absent."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise UsageError(
                f"`{name}` in the settings must be a list of tables", hint=f"write [[{name}]]"
            )
        return value


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}", hint="correct that line") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _merge(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for name, value in high.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merge(merged[name], value) if both else value
    return merged
