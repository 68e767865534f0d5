"""Trimmed lists of a vendor's OpenAPI document, held against what passes on the wire.

A list is a JSON file with ``source``, ``operations`` (method and path -> names of the schemas of
body and answer) and ``schemas`` (name -> ``required`` and ``known`` fields, ``newer`` ones that
only the SDK has yet, and ``of``: field -> the schema of what it holds, or several of which one
must fit).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tape import Exchange


class Lists:
    """One vendor's lists."""

    def __init__(self, path: Path) -> None:
        data = json.loads(path.read_text("utf-8"))
        self.source: str = data["source"]
        self.operations: dict[str, dict[str, Any]] = data["operations"]
        self.schemas: dict[str, dict[str, Any]] = data["schemas"]
        self._paths = {
            name: re.compile(re.sub(r"\{\w+\}", "[^/]+", name) + "$") for name in self.operations
        }

    def operation(self, exchange: Exchange) -> str | None:
        """The documented operation that an exchange is; the most literal of several."""
        asked = f"{exchange.method} {exchange.path}"
        fits = [name for name, path in self._paths.items() if path.match(asked)]
        return min(fits, key=lambda name: name.count("{"), default=None)

    def unknown(self, exchange: Exchange) -> list[str]:
        """Fields of the request that the document does not name."""
        rule = self.operations[str(self.operation(exchange))]
        queries = [name for name in exchange.query if name not in rule.get("query", ())]
        body = self._unknown(exchange.sent, rule.get("sends"), "") if exchange.sent else ()
        return [f"?{name}" for name in queries] + list(body)

    def missing(self, exchange: Exchange) -> list[str]:
        """Fields that the document requires and the answer lacks."""
        answers = self.operations[str(self.operation(exchange))].get("answers")
        return list(self._missing(exchange.answered, answers, ""))

    def _unknown(self, value: Any, schema: Any, path: str) -> Iterator[str]:
        if isinstance(value, list):
            for item in value:
                yield from self._unknown(item, schema, f"{path}[]")
        elif isinstance(value, dict) and isinstance(schema, list):
            yield from min((list(self._unknown(value, one, path)) for one in schema), key=len)
        elif isinstance(value, dict) and schema is None and not path:
            yield from value
        elif isinstance(value, dict) and schema is not None:
            rule = self.schemas[schema]
            for name, item in value.items():
                if name not in (*rule["known"], *rule.get("newer", ())):
                    yield f"{path}.{name}"
                yield from self._unknown(item, rule.get("of", {}).get(name), f"{path}.{name}")

    def _missing(self, value: Any, schema: Any, path: str) -> Iterator[str]:
        if isinstance(value, list):
            for item in value:
                yield from self._missing(item, schema, f"{path}[]")
        elif isinstance(schema, list):
            if isinstance(value, dict):
                yield from min((list(self._missing(value, one, path)) for one in schema), key=len)
        elif isinstance(value, dict) and schema is not None:
            rule = self.schemas[schema]
            yield from (f"{path}.{name}" for name in rule["required"] if name not in value)
            for name, inner in rule.get("of", {}).items():
                yield from self._missing(value.get(name), inner, f"{path}.{name}")
        elif schema is not None and not path:
            yield "(the whole answer)"
