"""Named columns as examples: ``--map role=column`` for CSV, TSV, Parquet and JSON records.

``user=text`` takes a column by its name, ``user=1`` by its place (the first is 1; a mapping of
places only says that there is no header), ``system==Sort the message`` is a constant,
``metadata.group=thread`` keeps a column beside the example, and ``rows=train`` names the list
inside a whole-file JSON object.
"""

from __future__ import annotations

from collections.abc import Mapping as Columns
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from ftbridge.dataset.types import Chat, Example, Message, Preference, Reward, Text
from ftbridge.errors import DataError, UsageError

ROLES = ("system", "user", "assistant", "text", "chosen", "rejected", "reference")
_HINT = (
    "use system, user and assistant; or user, chosen and rejected; or user and reference; or "
    "text; each as role=column"
)


class Mapping:
    """Which column plays which role.

    Raises:
        UsageError: for a role that does not exist, or roles that make no example.
    """

    def __init__(self, pairs: Sequence[str]) -> None:
        self.columns: dict[str, str] = {}
        self.constants: dict[str, str] = {}
        self.rows: str | None = None
        for pair in pairs:
            self._add(*pair.partition("=")[::2])
        given = self.columns.keys() | self.constants.keys()
        plain = {role for role in given if not role.startswith("metadata.")}
        enough = ({"user", "assistant"}, {"user", "chosen", "rejected"}, {"user", "reference"})
        if plain != {"text"} and not any(want <= plain <= want | {"system"} for want in enough):
            raise UsageError(
                f"the mapping of {', '.join(sorted(plain)) or 'nothing'} makes no example",
                hint=_HINT,
                where="--map",
            )

    def _add(self, role: str, column: str) -> None:
        if role == "rows":
            self.rows = column
        elif not column or (role not in ROLES and not role.startswith("metadata.")):
            raise UsageError(f"`{role}={column}` maps nothing", hint=_HINT, where="--map")
        elif column.startswith("="):
            self.constants[role] = column[1:]
        else:
            self.columns[role] = column

    @property
    def by_place(self) -> bool:
        """Whether all columns are named by their place, so that there is no header."""
        return bool(self.columns) and all(name.isdigit() for name in self.columns.values())

    def example(self, row: Columns[str, Any] | Sequence[Any]) -> Example:
        """A row as an example.

        Raises:
            DataError: naming the column that is absent or empty.
        """
        if isinstance(row, Sequence) and not isinstance(row, str):
            row = {str(place): value for place, value in enumerate(row, 1)}
        if not isinstance(row, Columns):
            raise DataError("a row must be an object or a list")
        cells = dict(self.constants)
        metadata: dict[str, Any] = {}
        for role, column in self.columns.items():
            if column not in row:
                raise DataError(f"`{column}`: no such column; correct --map {role}=")
            if role.startswith("metadata."):
                metadata[role.removeprefix("metadata.")] = row[column]
            else:
                cells[role] = _text(row[column], column)
        return _example(cells, metadata or None)


def _text(value: Any, column: str) -> str:
    if value is None or value == "":
        raise DataError(f"`{column}`: the cell is empty; fill it or drop the row")
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _example(cells: dict[str, str], metadata: dict[str, Any] | None) -> Example:
    if "text" in cells:
        return Text(text=cells["text"], metadata=metadata)
    prompt = [
        Message(role=role, content=cells[role]) for role in ("system", "user") if role in cells
    ]
    if "reference" in cells:
        reference = Raw(msgspec.json.encode(cells["reference"]))
        return Reward(messages=prompt, reference=reference, metadata=metadata)
    if "chosen" in cells:
        chosen, rejected = (
            [Message(role="assistant", content=cells[side])] for side in ("chosen", "rejected")
        )
        return Preference(prompt=prompt, chosen=chosen, rejected=rejected, metadata=metadata)
    answer = Message(role="assistant", content=cells["assistant"])
    return Chat(messages=[*prompt, answer], metadata=metadata)
