"""What models answered, in files of its own beside the ledger, so that the ledger holds no text."""

from __future__ import annotations

from pathlib import Path

from ftbridge.files import atomic_write


class Replies:
    """``HOME/eval/replies``: one file (0600) for each call, named by its content's hash."""

    def __init__(self, home: Path) -> None:
        self._root = home / "eval" / "replies"

    def write(self, content: str, reply: str) -> None:
        """Keep a reply's JSON. It can be asked for again, so that no disk is waited for."""
        with atomic_write(self._path(content), durable=False) as stream:
            stream.write(reply.encode())

    def read(self, content: str) -> str | None:
        """A reply's JSON; None where it is not kept any more."""
        try:
            return self._path(content).read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def remove(self, content: str) -> None:
        """Delete a reply; one that is gone is what was wanted."""
        self._path(content).unlink(missing_ok=True)

    def _path(self, content: str) -> Path:
        return self._root / content[:2] / f"{content}.json"
