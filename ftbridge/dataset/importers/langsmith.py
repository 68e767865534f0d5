"""LangSmith runs and dataset examples (JSON lines).

Documented: a run has ``run_type``, ``trace_id``, ``inputs``, ``outputs`` and ``extra``; a dataset
example has ``inputs`` and ``outputs``; LangChain's models put messages into ``inputs.messages``
(a list in a list) and ``outputs.generations``, the wrapped OpenAI client ``inputs.messages`` and
``outputs.choices``, and LangChain's tools stand in ``extra.invocation_params``. Other keys depend
on the traced function; ``--map`` takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge.dataset.importers.log import Json, Log, first_of
from ftbridge.errors import DataError


class LangSmith(Log):
    """One run or one dataset example a line; of runs only calls to a model."""

    name = "langsmith"

    def call(self, record: Json) -> tuple[Any, Any, list[Any] | None, Any]:
        """Inputs, outputs, the tools, and the thread, else the trace."""
        if record.get("run_type", "llm") not in ("llm", "chat"):
            raise DataError("no run of a model; export runs of `run_type` llm alone")
        tools = first_of(record, "inputs.tools", "extra.invocation_params.tools")
        group = first_of(
            record,
            *(f"extra.metadata.{name}" for name in ("thread_id", "session_id", "conversation_id")),
            "trace_id",
        )
        return record.get("inputs"), record.get("outputs"), tools, group

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """``inputs`` and ``outputs``, both objects."""
        return isinstance(record.get("inputs"), dict) and isinstance(record.get("outputs"), dict)


FORMAT = LangSmith()
