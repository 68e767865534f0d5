"""Lines of SageMaker's serverless customization of open models.

Source: docs.aws.amazon.com sagemaker customizing-models-sft, -dpo, -rft (seen 2026-11-25): chats as
``messages`` of role and content; ``chosen`` and ``rejected`` as whole conversations; ``prompt``
with ``reward_model``. Tools, names and weights are on none of these pages. Unverified: that further
keys of an RL line reach the reward function. Nova models take Bedrock's lines, and are tuned there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from ftbridge.dataset.formats.format import Converted, Format, unformed
from ftbridge.dataset.formats.parts import (
    Losses,
    Turn,
    as_chat,
    drop_tool_settings,
    plain_turns,
)
from ftbridge.dataset.types import Chat, Example, Kind, Message, Preference, Reward

STYLE = "rule"
_TAKEN = frozenset({"prompt", "reward_model", "messages", "chosen", "rejected", "reference"})


class _Strict(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    pass


class _Message(_Strict):
    role: str
    content: str


class _ChatLine(_Strict):
    messages: list[_Message]


class _PairLine(_Strict):
    chosen: list[_Message]
    rejected: list[_Message]


class _Truth(_Strict):
    ground_truth: str
    style: str = msgspec.field(default_factory=lambda: STYLE)


class _GradedLine(msgspec.Struct, gc=False):
    prompt: list[_Message]
    reward_model: _Truth | None = None


_chat = msgspec.json.Decoder(_ChatLine)
_pair = msgspec.json.Decoder(_PairLine)
_graded = msgspec.json.Decoder(_GradedLine)
_keys = msgspec.json.Decoder(dict[str, Raw])


class SageMakerFormat(Format):
    """Text turns alone."""

    name = "sagemaker"
    kinds = (Kind.CHAT, Kind.PREFERENCE, Kind.REWARD)
    folder = Path(__file__).parent

    def encode(self, example: Example) -> Converted:
        """The shape of the example's kind."""
        self.require(example)
        losses = Losses()
        drop_tool_settings(example, losses, tools=False)
        if isinstance(example, Chat):
            return Converted(
                msgspec.json.encode(_ChatLine(_out(example.messages, losses))), losses()
            )
        if isinstance(example, Preference):
            chosen, rejected = (
                _out([*example.prompt, *answer], losses)
                for answer in (example.chosen, example.rejected)
            )
            return Converted(msgspec.json.encode(_PairLine(chosen, rejected)), losses())
        assert isinstance(example, Reward)
        return Converted(_reward(example, losses), losses())

    def decode(self, line: bytes) -> Example:
        """Any of the three shapes, judged by its keys."""
        keys = _keys.decode(line)
        if "chosen" in keys or "rejected" in keys:
            return _preference(_pair.decode(line))
        if "prompt" in keys:
            found = _graded.decode(line)
            extra = {key: raw for key, raw in keys.items() if key not in ("prompt", "reward_model")}
            truth = found.reward_model
            return Reward(
                messages=as_chat(_in(found.prompt)).messages,
                reference=UNSET if truth is None else Raw(msgspec.json.encode(truth.ground_truth)),
                extra=extra,
            )
        return as_chat(_in(_chat.decode(line).messages))

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """A prompt with ``reward_model``: the other shapes are TRL's too."""
        return "prompt" in record and isinstance(record.get("reward_model"), dict)


def _out(messages: Sequence[Message], losses: Losses) -> list[_Message]:
    return [_Message(turn.role, turn.text) for turn in plain_turns(messages, losses)]


def _in(messages: Sequence[_Message]) -> list[Turn]:
    for index, message in enumerate(messages):
        if message.role not in ("system", "user", "assistant"):
            raise unformed(f"`messages[{index}].role`: unknown role; use user or assistant")
    if not messages:
        raise unformed("`messages`: is empty; add turns")
    return [Turn(message.role, message.content) for message in messages]


def _preference(line: _PairLine) -> Preference:
    """What both begin with is the prompt; each keeps an answer at least."""
    chosen, rejected = _in(line.chosen), _in(line.rejected)
    shared = 0
    while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
        shared += 1
    if shared == 0:
        raise unformed("`chosen`: begins otherwise than `rejected`; both hold the same prompt")
    parts = (chosen[:shared], chosen[shared:], rejected[shared:])
    prompt, better, worse = (as_chat(turns).messages for turns in parts)
    return Preference(prompt=prompt, chosen=better, rejected=worse)


def _reward(example: Reward, losses: Losses) -> bytes:
    if taken := _TAKEN & example.extra.keys():
        raise unformed(f"`{min(taken)}`: the key has another meaning there; rename it")
    line: dict[str, Any] = {"prompt": _out(example.messages, losses), **example.extra}
    if isinstance(example.reference, Raw):
        value = msgspec.json.decode(example.reference)
        losses.add("reference_as_text", not isinstance(value, str))
        text = value if isinstance(value, str) else bytes(example.reference).decode()
        line["reward_model"] = _Truth(text)
    return msgspec.json.encode(line)


FORMAT = SageMakerFormat()
