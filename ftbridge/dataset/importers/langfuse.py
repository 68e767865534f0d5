"""Langfuse observations, as its blob storage export and its API write them (JSON lines).

Documented: ``type`` (GENERATION, SPAN, EVENT ...), ``input`` and ``output`` (plain text or JSON,
as text in the export), ``session_id``, ``trace_id``, ``metadata``. The shape inside ``input`` and
``output`` is whatever the traced client sent: a text, messages, or an object around them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge.dataset.importers.log import Json, Log, first_of, opened
from ftbridge.errors import DataError


class Langfuse(Log):
    """One observation a line; only generations are calls to a model."""

    name = "langfuse"

    def call(self, record: Json) -> tuple[Any, Any, list[Any] | None, Any]:
        """Input, output, the tools in the input, and the session, else the trace."""
        kind = record.get("type", "GENERATION")
        if kind != "GENERATION":
            raise DataError("no GENERATION; export generations alone, or filter by `type`")
        asked = opened(record.get("input"))
        tools = first_of(asked, "tools")
        group = first_of(record, "session_id", "sessionId", "trace_id", "traceId")
        return asked, record.get("output"), tools, group

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """An observation: input and output beside a trace."""
        return {"input", "output"} <= record.keys() and bool({"trace_id", "traceId"} & set(record))


FORMAT = Langfuse()
