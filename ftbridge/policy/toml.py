"""Reading the files that labels and rules are written in: what is there and unreadable is said."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ftbridge.errors import PolicyRefused


def read(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        PolicyRefused: where it cannot be read or is not TOML. Its text is not quoted.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PolicyRefused(f"{path}: not TOML: {error}") from None
    except UnicodeDecodeError:
        raise PolicyRefused(f"{path}: not UTF-8") from None
    except OSError as error:
        raise PolicyRefused(f"{path}: cannot be read: {error.strerror}") from None
