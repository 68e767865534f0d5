"""Gemini's tuning lines: SFT (``contents``), preference (``contents``, ``completions``) and
reinforcement (``contents``, ``references``).

Sources: docs.cloud.google.com, gemini-supervised-tuning-prepare, tune-function-calling and
gemini-preference-tuning-prepare (read 2026-11-24); ``ReinforcementTuningExample`` of google-genai
2.34.0 (read 2026-11-25). That results of tools go in a ``user`` turn
is the API's rule; the tuning pages are silent on ids of calls, so none are written.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ftbridge.dataset.formats.format import Converted, Format, unformed
from ftbridge.dataset.formats.parts import (
    DATA_URL,
    Losses,
    drop_tool_settings,
    link,
    object_of,
    plain_text,
    record_link,
    text_of_raw,
)
from ftbridge.dataset.types import (
    Chat,
    Example,
    Function,
    FunctionCall,
    ImagePart,
    ImageUrl,
    Kind,
    Message,
    Preference,
    Reward,
    TextPart,
    Tool,
    ToolCall,
)
from ftbridge_vertex import references

WRAP = "output"
"""The key that holds a tool's result which is no JSON object by itself."""


class _Strict(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    pass


class _Call(_Strict):
    name: str
    args: Raw | UnsetType = UNSET


class _Result(_Strict):
    name: str
    response: Raw


class _File(_Strict):
    mimeType: str
    fileUri: str


class _Inline(_Strict):
    mimeType: str
    data: str


class _Part(_Strict):
    text: str | None = None
    functionCall: _Call | None = None
    functionResponse: _Result | None = None
    fileData: _File | None = None
    inlineData: _Inline | None = None


class _Content(_Strict):
    parts: list[_Part]
    role: str = ""


class _Declaration(_Strict):
    name: str
    description: str | None = None
    parameters: Raw | UnsetType = UNSET


class _Declarations(_Strict):
    functionDeclarations: list[_Declaration] = []
    function_declarations: list[_Declaration] = []


class _Completion(_Strict):
    score: float
    completion: _Content


class _Line(_Strict):
    contents: list[_Content]
    systemInstruction: _Content | None = None
    system_instruction: _Content | None = None
    tools: list[_Declarations] | None = None
    completions: list[_Completion] | None = None
    references: dict[str, str] | None = None


_line = msgspec.json.Decoder(_Line)
_object = msgspec.json.Decoder(dict[str, Raw])


class GeminiFormat(Format):
    """Chats with tools and images; preference pairs of text; prompts with references."""

    name = "gemini"
    kinds = (Kind.CHAT, Kind.PREFERENCE, Kind.REWARD)
    folder = Path(__file__).parent

    def encode(self, example: Example) -> Converted:
        """Contents by role, the system text beside them."""
        self.require(example)
        losses = Losses()
        drop_tool_settings(example, losses, tools=True)
        assert isinstance(example, Chat | Preference | Reward)
        messages = example.prompt if isinstance(example, Preference) else example.messages
        if isinstance(example, Preference):
            for answer in (example.chosen, example.rejected):
                if len(answer) > 1:
                    raise unformed("`chosen`: gemini takes one answer turn on each side")
                record_link([*messages, *answer], losses, by_name=True)
        else:
            record_link(messages, losses, by_name=True)
        system, rest = None, messages
        if messages[0].role == "system":
            losses.add("name_dropped", messages[0].name is not None)
            system, rest = _Content(_parts(messages[0], losses), "system"), messages[1:]
        line = _Line(_contents(rest, messages, losses), system)
        if example.tools:
            line.tools = [_Declarations([_declaration(tool, losses) for tool in example.tools])]
        if isinstance(example, Reward):
            line.references = references.of(example, losses)
        if isinstance(example, Preference):
            line.completions = [
                _Completion(score, _contents(answer, [*messages, *answer], losses)[0])
                for score, answer in ((1, example.chosen), (0, example.rejected))
            ]
        return Converted(msgspec.json.encode(line), losses())

    def decode(self, line: bytes) -> Example:
        """A preference where there are completions, a prompt where there are references or no
        answer, else a chat."""
        found = _line.decode(line)
        messages = [m for i, c in enumerate(found.contents) for m in _messages(c, f"contents[{i}]")]
        system = found.systemInstruction or found.system_instruction
        if system is not None:
            content = _content([part for part in system.parts if part.text is not None])
            messages.insert(0, Message(role="system", content=content))
        tools = [
            Tool(Function(made.name, made.description, made.parameters))
            for group in found.tools or ()
            for made in [*group.functionDeclarations, *group.function_declarations]
        ] or None
        if not messages:
            raise unformed("`contents`: is empty; add turns")
        if found.completions is None:
            link(messages, by_name=True)
            if found.references is None and messages[-1].role not in ("user", "tool"):
                return Chat(messages=messages, tools=tools)
            reference, extra = references.read(found.references or {})
            return Reward(messages, reference, tools, extra=extra)
        answers = {c.score: _messages(c.completion, "completions") for c in found.completions}
        if len(found.completions) != 2 or set(answers) != {0.0, 1.0}:
            raise unformed("`completions`: needs exactly two, with the scores 1 and 0")
        count = link(messages, by_name=True)
        for answer in answers.values():
            link(answer, by_name=True, count=count)
        return Preference(messages, answers[1.0], answers[0.0], tools)

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """``contents``."""
        return isinstance(record.get("contents"), list)


def _declaration(tool: Tool, losses: Losses) -> _Declaration:
    losses.add("strict_dropped", tool.function.strict)
    return _Declaration(tool.function.name, tool.function.description, tool.function.parameters)


def _contents(messages: list[Message], context: list[Message], losses: Losses) -> list[_Content]:
    """Turns as contents; results that follow each other share one, as the API wants."""
    names = {c.id: c.function.name for m in context for c in m.tool_calls or ()}
    contents: list[_Content] = []
    previous = ""
    for message in messages:
        losses.add("name_dropped", message.name is not None)
        losses.add("weight_dropped", message.weight == 0)
        if message.role == "tool":
            name = names[message.tool_call_id]
            part = _Part(functionResponse=_Result(name, _response(plain_text(message, losses))))
            if previous == "tool":
                contents[-1].parts.append(part)
            else:
                contents.append(_Content([part], "user"))
        else:
            role = "model" if message.role == "assistant" else "user"
            contents.append(_Content(_parts(message, losses), role))
        previous = message.role
    return contents


def _parts(message: Message, losses: Losses) -> list[_Part]:
    if message.content is None:
        parts = []
    elif isinstance(message.content, str):
        parts = [_Part(text=message.content)]
    else:
        parts = [
            _Part(text=part.text) if isinstance(part, TextPart) else _image(part, losses)
            for part in message.content
        ]
    for call in message.tool_calls or ():
        arguments = object_of(call.function.arguments, losses)
        parts.append(_Part(functionCall=_Call(call.function.name, arguments)))
    return parts


def _image(part: ImagePart, losses: Losses) -> _Part:
    losses.add("image_detail_dropped", part.image_url.detail not in (None, "auto"))
    url = part.image_url.url
    found = DATA_URL.match(url)
    if found:
        return _Part(inlineData=_Inline(found["mime"], found["data"]))
    if url.startswith("data:"):
        raise unformed("`image_url`: a data URL that is not base64; encode the image as base64")
    return _Part(fileData=_File(mimetypes.guess_type(url)[0] or "image/jpeg", url))


def _response(text: str) -> Raw:
    """A result as the object that Gemini wants: itself, or wrapped."""
    try:
        members = _object.decode(text)
    except (msgspec.DecodeError, RecursionError):
        members = None
    plain = text == text.strip() and "\n" not in text and "\r" not in text
    wrapped = members is not None and members.keys() == {WRAP}
    if members is None or wrapped or not plain:
        return Raw(msgspec.json.encode({WRAP: text}))
    return Raw(text.encode())


def _result_text(response: Raw) -> str:
    members = _object.decode(response)
    if members.keys() == {WRAP} and bytes(members[WRAP]).startswith(b'"'):
        return msgspec.json.decode(members[WRAP], type=str)
    return bytes(response).decode()


def _messages(content: _Content, where: str) -> list[Message]:
    """A content as messages: results each on their own, the rest as one."""
    role = "assistant" if content.role == "model" else "user"
    if content.role not in ("model", "user", "function", "tool", ""):
        raise unformed(f"`{where}.role`: unknown role; use user or model")
    messages, rest, calls = [], [], []
    for part in content.parts:
        if part.functionResponse is not None:
            result = part.functionResponse
            text = _result_text(result.response)
            messages.append(Message("tool", text, name=result.name, tool_call_id="-"))
        elif part.functionCall is not None:
            args = part.functionCall.args
            arguments = text_of_raw(args) if isinstance(args, Raw) else "{}"
            calls.append(ToolCall(FunctionCall(part.functionCall.name, arguments)))
        else:
            rest.append(part)
    if rest or calls or not messages:
        made = _content(rest) if rest else None
        messages.append(Message(role, made, tool_calls=calls or None))  # type: ignore[arg-type]
    return messages


def _content(parts: list[_Part]) -> str | list[TextPart | ImagePart]:
    made: list[TextPart | ImagePart] = []
    for part in parts:
        if part.text is not None:
            made.append(TextPart(part.text))
        elif part.fileData is not None:
            made.append(ImagePart(ImageUrl(part.fileData.fileUri)))
        elif part.inlineData is not None:
            inline = part.inlineData
            made.append(ImagePart(ImageUrl(f"data:{inline.mimeType};base64,{inline.data}")))
        else:
            raise unformed("`parts`: an empty part; give it text, a file or a call")
    return made[0].text if len(made) == 1 and isinstance(made[0], TextPart) else made


FORMAT = GeminiFormat()
