"""The project's settings file ``ftbridge.toml``, looked for upwards from a folder."""

from __future__ import annotations

from pathlib import Path

NAME = "ftbridge.toml"


def project_files(folder: Path) -> list[Path]:
    """Every ``ftbridge.toml`` in a folder and above it, the nearest first.

    One that cannot even be looked at counts as there: what it forbids must not be lost.
    """
    start = folder.absolute()
    return [path for path in (parent / NAME for parent in (start, *start.parents)) if present(path)]


def present(path: Path) -> bool:
    """Whether there is anything under this name; what cannot be looked at counts as there."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
