"""What every vendor asks of an example, whatever its own format: the shape of a conversation."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET, Raw

from ftbridge.dataset.drafts import problem_of_draft
from ftbridge.dataset.types import Chat, Example, Message, Preference, Reward, Text, Tool, ToolCall


def problem_of(example: Example) -> str | None:
    """The first thing that makes an example unfit to train on, with what to do, or None."""
    if example.metadata is not None and (draft := problem_of_draft(example.metadata)):
        return draft
    if type(example) is Chat:
        problem = _chat_problem(example)
    elif isinstance(example, Preference):
        problem = _preference_problem(example)
    elif isinstance(example, Reward):
        problem = _reward_problem(example)
    else:
        assert isinstance(example, Text)
        return None if example.text.strip() else "`text`: is blank; write some text or drop it"
    if problem is None and example.tools is not None:
        return tools_problem(example.tools)
    return problem


def _chat_problem(example: Chat) -> str | None:
    messages = example.messages
    trained = _trained(messages)
    if trained is None:
        problem = _first_problem("messages", messages)
        if problem:
            return problem
    if messages[-1].role != "assistant":
        return (
            f"`messages[{len(messages) - 1}]`: the last turn is from {messages[-1].role}; "
            "end with the assistant's answer"
        )
    if trained is False or (trained is None and not _any_trained(messages)):
        return "`messages`: every assistant turn has weight 0; leave at least one to learn from"
    return None


def _trained(messages: list[Message]) -> bool | None:
    """Whether some assistant turn is learnt; None where a turn needs a closer look.

    One cheap pass, since this runs for every message of every file.
    """
    trained = False
    first = True
    calls: list[ToolCall] = []
    for message in messages:
        role = message.role
        if role == "assistant":
            if message.tool_calls is not None:
                calls += message.tool_calls
            elif message.content is None:
                return None
            if message.weight != 0:
                trained = True
        elif (
            message.content is None or message.tool_calls is not None or message.weight is not None
        ):
            return None
        elif role == "tool":
            wanted = message.tool_call_id
            if wanted is None or not any(call.id == wanted for call in calls):
                return None
            first = False
            continue
        elif role == "system" and not first:
            return None
        if message.tool_call_id is not None:
            return None
        first = False
    return trained


def _any_trained(messages: list[Message]) -> bool:
    return any(message.role == "assistant" and message.weight != 0 for message in messages)


def _preference_problem(example: Preference) -> str | None:
    problem = _first_problem("prompt", example.prompt)
    if problem:
        return problem
    if example.prompt[-1].role not in ("user", "tool"):
        return (
            f"`prompt`: the last turn is from {example.prompt[-1].role}; end with what the "
            "assistant answers to"
        )
    for field, answer in (("chosen", example.chosen), ("rejected", example.rejected)):
        if answer[0].role != "assistant" or answer[-1].role != "assistant":
            return f"`{field}`: must begin and end with an assistant turn; add the answer"
        problem = _first_problem(field, answer, before=example.prompt)
        if problem:
            return problem
    return None


def _reward_problem(example: Reward) -> str | None:
    last = example.messages[-1].role
    if last not in ("user", "tool"):
        return (
            f"`messages`: the last turn is from {last}; end with the user's turn (the model "
            "writes the answer, graders score it)"
        )
    return _first_problem("messages", example.messages) or _raw_problem(
        [("reference", example.reference), *example.extra.items()]
    )


def _first_problem(
    field: str, messages: list[Message], before: Iterable[Message] = ()
) -> str | None:
    """The first problem of a list of messages; ``before`` are the turns that it follows on."""
    ids = {call.id for message in before for call in message.tool_calls or ()}
    start = 1 if before else 0
    for index, message in enumerate(messages):
        problem = _message_problem(message, index + start)
        unnamed = message.role == "tool" and None not in ids and message.tool_call_id not in ids
        if not problem and unnamed:
            problem = "`tool_call_id` names no call of an earlier turn; correct it"
        if problem:
            return f"`{field}[{index}]`: {problem}"
        ids.update(call.id for call in message.tool_calls or ())
    return None


def _message_problem(message: Message, index: int) -> str | None:
    if message.tool_call_id is not None and message.role != "tool":
        return f"`tool_call_id` in a {message.role} turn; only a tool turn answers a call"
    if message.role == "assistant":
        if message.content is None and not message.tool_calls:
            return "an assistant turn needs `content` or `tool_calls`; add one"
        return None
    if message.tool_calls is not None:
        return f"`tool_calls` in a {message.role} turn; only the assistant calls tools"
    if message.weight is not None:
        return f"`weight` in a {message.role} turn; only assistant turns are trained"
    if message.content is None:
        return f"a {message.role} turn without `content`; add it"
    if message.role == "system" and index > 0:
        return "a system turn after the first place; move it to the start"
    if message.role == "tool" and message.tool_call_id is None:
        return "a tool turn without `tool_call_id`; name the call that it answers"
    return None


def tools_problem(tools: list[Tool]) -> str | None:
    """What is wrong with the tools on offer, or None."""
    for index, tool in enumerate(tools):
        raw = tool.function.parameters
        if raw is not UNSET and not bytes(raw).isascii():
            problem = _raw_problem([(f"tools[{index}].function.parameters", raw)])
            if problem:
                return problem
    return None


def _raw_problem(named: Iterable[tuple[str, object]]) -> str | None:
    """JSON that is kept undecoded is not looked into by the decoder: it may not be UTF-8."""
    for field, raw in named:
        content = bytes(raw) if isinstance(raw, Raw) else b""
        if not content.isascii():
            try:
                content.decode()
            except UnicodeDecodeError:
                return f"`{field}`: not UTF-8; save the file as UTF-8"
    return None
