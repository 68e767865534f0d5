"""Mistral's instruct lines. Ids of calls must be nine letters and digits: others are replaced.

Source: docs.mistral.ai/capabilities/finetuning/text_finetuning (read 2026-11-24). Images are
left out: the page is for text models. ``weight`` is that of mistral-finetune's README.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from ftbridge.dataset.formats.parts import Losses
from ftbridge.dataset.types import Kind, Message
from ftbridge.dialects.openai_data import OpenAIShape


class MistralFormat(OpenAIShape):
    """Roles, tools and weights; no names, images, strict schemas or parallel calls."""

    name = "mistral"
    kinds = (Kind.CHAT,)
    folder = Path(__file__).parent
    takes_names = False
    takes_images = False
    takes_parallel = False
    takes_strict = False

    def _message(self, message: Message, losses: Losses) -> Message:
        message = super()._message(message, losses)
        calls = message.tool_calls
        answered = _mistral_id(message.tool_call_id)
        if calls is not None:
            calls = [msgspec.structs.replace(call, id=_mistral_id(call.id)) for call in calls]
        if calls == message.tool_calls and answered == message.tool_call_id:
            return message
        losses.add("tool_call_ids_changed")
        return msgspec.structs.replace(message, tool_calls=calls, tool_call_id=answered)


def _mistral_id(given: str | None) -> str | None:
    """The id itself where it fits, else nine hexadecimal digits that depend on it alone."""
    if given is None or re.fullmatch("[a-zA-Z0-9]{9}", given):
        return given
    return hashlib.blake2b(given.encode(), digest_size=5).hexdigest()[:9]


FORMAT = MistralFormat()
