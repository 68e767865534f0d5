"""Brings the files into ``docs/add-a-provider.md``: ``python tests/examples/guide_page.py``.

A block belongs to a file where ``<!-- file: PATH -->`` stands in the line before it.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "add-a-provider.md"
BLOCK = re.compile(r"(<!-- file: (\S+) -->\n```\w+\n).*?^```$", re.DOTALL | re.MULTILINE)


def shown(text: str) -> list[str]:
    """The paths of the files that a page shows."""
    return [path for _, path in BLOCK.findall(text)]


def filled(text: str) -> str:
    """The page with each block as its file is now.

    Raises:
        FileNotFoundError: where a block names no file of the project.
        ValueError: where a file would end its block early.
    """

    def block(match: re.Match[str]) -> str:
        content = (ROOT / match[2]).read_text("utf-8")
        if re.search("^```", content, re.MULTILINE):
            raise ValueError(f"{match[2]}: a line begins with ```")
        return f"{match[1]}{content}```"

    return BLOCK.sub(block, text)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
