"""Bedrock's lines: Nova, Claude, Llama, reinforcement fine-tuning, continued pre-training.

Sources: docs.aws.amazon.com, nova fine-tune-prepare-data-understanding, rft-prepare-data,
preparing-text-data; the Bedrock notebook of Anthropic's cookbook (all read 2026-11-24).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ftbridge.dataset.formats.format import Converted, Format, unformed
from ftbridge.dataset.formats.parts import (
    DATA_URL,
    Losses,
    Turn,
    as_chat,
    drop_tool_settings,
    plain_turns,
    split_system,
)
from ftbridge.dataset.formats.prompt_completion import PromptCompletion
from ftbridge.dataset.types import (
    Chat,
    Example,
    ImagePart,
    ImageUrl,
    Kind,
    Message,
    Text,
    TextPart,
)
from ftbridge.dialects.openai_data import OpenAIShape

SCHEMA = "bedrock-conversation-2024"
IMAGE_FORMATS = ("png", "jpeg", "gif", "webp")


class _Strict(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    pass


class _Location(_Strict):
    uri: str


class _Source(_Strict):
    s3Location: _Location | None = None
    bytes: str | None = None


class _Image(_Strict):
    format: str
    source: _Source


class _Part(_Strict):
    text: str | None = None
    image: _Image | None = None


class _Message(_Strict):
    role: str
    content: list[_Part]


class _SystemText(_Strict):
    text: str


class _NovaLine(_Strict):
    schemaVersion: str
    messages: list[_Message]
    system: list[_SystemText] | None = None


class _ClaudeMessage(_Strict):
    role: str
    content: str


class _ClaudeLine(_Strict):
    messages: list[_ClaudeMessage]
    system: str | None = None


_nova = msgspec.json.Decoder(_NovaLine)
_claude = msgspec.json.Decoder(_ClaudeLine)


class NovaFormat(Format):
    """Text and images in strict alternation; tools have no documented place in tuning data."""

    name = "bedrock-nova"
    kinds = (Kind.CHAT,)
    folder = Path(__file__).parent

    def encode(self, example: Example) -> Converted:
        """A ``bedrock-conversation-2024`` line."""
        self.require(example)
        assert isinstance(example, Chat)
        losses = Losses()
        drop_tool_settings(example, losses, tools=False)
        system: list[_SystemText] | None = None
        messages: list[_Message] = []
        for message in example.messages:
            role, parts = _nova_parts(message, losses)
            if role == "system":
                system = [_SystemText(part.text or "") for part in parts]
            elif messages and messages[-1].role == role:
                losses.add("turns_merged")
                messages[-1].content += parts
            else:
                messages.append(_Message(role, parts))
        return Converted(msgspec.json.encode(_NovaLine(SCHEMA, messages, system)), losses())

    def decode(self, line: bytes) -> Example:
        """A chat."""
        found = _nova.decode(line)
        messages: list[Message] = []
        if found.system:
            texts: list[TextPart | ImagePart] = [TextPart(item.text) for item in found.system]
            messages.append(Message("system", _content(texts)))
        for index, turn in enumerate(found.messages):
            if turn.role not in ("user", "assistant"):
                raise unformed(f"`messages[{index}].role`: unknown role; use user or assistant")
            parts = [_nova_part(part, index) for part in turn.content]
            messages.append(Message(turn.role, _content(parts)))  # type: ignore[arg-type]
        if not messages:
            raise unformed("`messages`: is empty; add turns")
        return Chat(messages=messages)

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """The schema's name, or a system of parts."""
        return "schemaVersion" in record or (
            "messages" in record and isinstance(record.get("system"), list)
        )


class ClaudeFormat(Format):
    """Text turns in strict alternation, the system text beside them."""

    name = "bedrock-claude"
    kinds = (Kind.CHAT,)
    folder = Path(__file__).parent

    def encode(self, example: Example) -> Converted:
        """``system`` and ``messages``."""
        self.require(example)
        assert isinstance(example, Chat)
        losses = Losses()
        drop_tool_settings(example, losses, tools=False)
        system, turns = split_system(plain_turns(example.messages, losses))
        line = _ClaudeLine([_ClaudeMessage(turn.role, turn.text) for turn in turns], system)
        return Converted(msgspec.json.encode(line), losses())

    def decode(self, line: bytes) -> Example:
        """A chat."""
        found = _claude.decode(line)
        turns = [] if found.system is None else [Turn("system", found.system)]
        for index, message in enumerate(found.messages):
            if message.role not in ("user", "assistant"):
                raise unformed(f"`messages[{index}].role`: unknown role; use user or assistant")
            turns.append(Turn(message.role, message.content))
        if not found.messages:
            raise unformed("`messages`: is empty; add turns")
        return as_chat(turns)

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """A system text beside the messages."""
        return "messages" in record and isinstance(record.get("system"), str)


class LlamaFormat(PromptCompletion):
    """A prompt and a completion."""

    name = "bedrock-llama"
    folder = Path(__file__).parent

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """Never: the shape is that of ``prompt-completion``."""
        return False


class RewardFormat(OpenAIShape):
    """OpenAI's shape with ``reference_answer``; further keys go to the grading function."""

    name = "bedrock-rft"
    kinds = (Kind.REWARD,)
    folder = Path(__file__).parent
    reference_key = "reference_answer"

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """``reference_answer`` beside messages."""
        return "messages" in record and "reference_answer" in record


class _TextLine(_Strict):
    input: str


_text = msgspec.json.Decoder(_TextLine)


class TextFormat(Format):
    """Text alone, for continued pre-training."""

    name = "bedrock-text"
    kinds = (Kind.TEXT,)
    folder = Path(__file__).parent

    def encode(self, example: Example) -> Converted:
        """``input``."""
        self.require(example)
        assert isinstance(example, Text)
        return Converted(msgspec.json.encode(_TextLine(example.text)), ())

    def decode(self, line: bytes) -> Example:
        """A text."""
        return Text(text=_text.decode(line).input)

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """``input`` and nothing else."""
        return record.keys() == {"input"} and isinstance(record["input"], str)


def _nova_parts(message: Message, losses: Losses) -> tuple[str, list[_Part]]:
    """A turn's parts; whatever is no text or image is written as text."""
    if message.role == "tool" or message.tool_calls or isinstance(message.content, str | None):
        turn = plain_turns([message], losses)[0]
        return turn.role, [_Part(text=turn.text)]
    losses.add("name_dropped", message.name is not None)
    losses.add("weight_dropped", message.weight == 0)
    parts = []
    for part in message.content:
        made = _Part(text=part.text) if isinstance(part, TextPart) else _nova_image(part, losses)
        losses.add("image_dropped", made is None)
        if made is not None:
            parts.append(made)
    return message.role, parts or [_Part(text="")]


def _nova_image(part: ImagePart, losses: Losses) -> _Part | None:
    """An image as base64 or in S3; another address cannot be named in a line."""
    url = part.image_url.url
    losses.add("image_detail_dropped", part.image_url.detail not in (None, "auto"))
    found = DATA_URL.match(url)
    if found and found["mime"].removeprefix("image/") in IMAGE_FORMATS:
        return _Part(
            image=_Image(found["mime"].removeprefix("image/"), _Source(bytes=found["data"]))
        )
    suffix = url.rpartition(".")[2].lower().replace("jpg", "jpeg")
    if url.startswith("s3://") and suffix in IMAGE_FORMATS:
        return _Part(image=_Image(suffix, _Source(s3Location=_Location(url))))
    return None


def _nova_part(part: _Part, index: int) -> TextPart | ImagePart:
    if part.text is not None:
        return TextPart(part.text)
    if part.image is not None:
        source = part.image.source
        if source.s3Location is not None:
            return ImagePart(ImageUrl(source.s3Location.uri))
        return ImagePart(ImageUrl(f"data:image/{part.image.format};base64,{source.bytes or ''}"))
    raise unformed(f"`messages[{index}].content`: an empty part; give it text or an image")


def _content(parts: list[TextPart | ImagePart]) -> str | list[TextPart | ImagePart]:
    return parts[0].text if len(parts) == 1 and isinstance(parts[0], TextPart) else parts


NOVA, CLAUDE, LLAMA = NovaFormat(), ClaudeFormat(), LlamaFormat()
REWARD, TEXT = RewardFormat(), TextFormat()
