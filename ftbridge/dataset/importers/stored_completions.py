"""Stored chat completions: OpenAI's ``chat.completion`` objects with their prompts.

``GET /chat/completions`` lists what was stored with ``store: true``; the messages that were sent
come from ``GET /chat/completions/ID/messages``. So a record is a ``chat.completion`` with the
prompt beside it, under ``messages``, ``input`` or ``request.messages``. That the dashboard's own
export has this shape is not verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge.dataset.importers.log import Json, Log, first_of


class StoredCompletions(Log):
    """A ``chat.completion`` with the messages that were sent."""

    name = "stored-completions"

    def call(self, record: Json) -> tuple[Any, Any, list[Any] | None, Any]:
        """The prompt, the first choice, the tools, and the group that the metadata names."""
        asked = first_of(record, "messages", "input", "request.messages")
        answered = first_of(record, "choices", "response.choices", "output")
        tools = first_of(record, "tools", "request.tools")
        group = first_of(record, "metadata.group", "metadata.conversation_id", "metadata.thread_id")
        return asked, answered, tools, group

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """OpenAI's mark of a completion."""
        return record.get("object") == "chat.completion" and "choices" in record


FORMAT = StoredCompletions()
