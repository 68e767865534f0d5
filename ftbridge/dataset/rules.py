"""What every vendor asks of an example, whatever its own format: the shape of a conversation."""

from __future__ import annotations

from ftbridge.dataset.types import Chat, Message


def problem_of(example: Chat) -> str | None:
    """The first thing that makes a chat unfit to train on, with what to do, or None.

    A chat needs at least one message, an assistant turn that is trained on, and the assistant
    in the last place.
    """
    messages = example.messages
    if not messages:
        return "`messages` is empty; write at least a user and an assistant turn"
    for index, message in enumerate(messages):
        problem = _message_problem(message, index)
        if problem:
            return f"`messages[{index}]`: {problem}"
    assistants = [message for message in messages if message.role == "assistant"]
    if not assistants:
        return "no assistant turn; add the answer that the model should learn"
    if messages[-1].role != "assistant":
        return f"the last turn is from {messages[-1].role}; end with the assistant's answer"
    if all(message.weight == 0 for message in assistants):
        return "every assistant turn has weight 0; leave at least one to learn from"
    return None


def _message_problem(message: Message, index: int) -> str | None:
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
