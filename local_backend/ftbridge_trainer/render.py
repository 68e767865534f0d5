"""From a conversation to token ids and a mask that says which of them are trained.

The mask is made by position, never by token id, so that the end of a turn is trained even where
padding and end of turn are the same token. For assistant message i of a chat:

    prompt = render(chat[:i] + generation prompt)        what the model will be shown
    turn   = render(chat[:i+1]) without that prefix      what it has to write, end of turn included
"""

from __future__ import annotations

import os
from typing import Any

from .data import ChatRow, TextRow
from .errors import TrainerError
from .items import Example


class Renderer:
    """Applies one tokenizer's chat template and finds the trained spans."""

    def __init__(self, tokenizer: Any) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise TrainerError(
                "no_chat_template",
                "the model's tokenizer has no chat template",
                "use an instruct model, or add chat_template.jinja to the model's folder",
            )
        self.tokenizer = tokenizer
        self.template = str(tokenizer.chat_template)
        self.ends = _end_marks(tokenizer)
        self.without_end = 0  # turns whose template writes no end-of-turn token

    def encode(self, row: ChatRow) -> Example:
        """Render one row; a row without any trained token is an error that names it."""
        self._check_tools(row)
        whole = self._render(row, len(row.messages), False)
        spans = [self._span(row, i, whole) for i, trained in enumerate(row.trained) if trained]
        if not spans:
            raise TrainerError(
                "no_trained_tokens",
                f"{row.where}: no assistant message carries weight, so there is nothing to learn",
                "add an assistant message, or remove the line",
            )
        ids, trained = self._tokenise(whole, spans)
        trained[0] = False
        if not any(trained):
            raise TrainerError(
                "no_trained_tokens",
                f"{row.where}: the trained messages are empty in this model's template",
                "write the answer that the model should learn",
            )
        return Example(row.where, ids, trained)

    def prompt(self, row: ChatRow) -> list[int]:
        """The tokens that an answer is drawn after."""
        return self._ids(self._render(row, len(row.messages), True))

    def text(self, row: TextRow) -> Example:
        """Tokens of a plain text and the end-of-text token, all trained but the first."""
        ids = [*self._ids(row.text), *self._end_of_text()]
        if self.tokenizer.bos_token_id is not None and ids[:1] != [self.tokenizer.bos_token_id]:
            ids = [self.tokenizer.bos_token_id, *ids]
        if len(ids) < 2:
            raise TrainerError(
                "no_trained_tokens",
                f"{row.where}: the text is too short to learn from",
                "remove the line",
            )
        return Example(row.where, ids, [False] + [True] * (len(ids) - 1))

    def _end_of_text(self) -> list[int]:
        end = self.tokenizer.eos_token_id
        return [] if end is None else [end]

    def _check_tools(self, row: ChatRow) -> None:
        uses = row.tools is not None or any("tool_calls" in m for m in row.messages)
        if uses and "tool" not in self.template:
            raise TrainerError(
                "template_without_tools",
                f"{row.where}: the example has tools, which the model's chat template ignores",
                "choose a model whose template knows tools, or write them into the text",
            )

    def _render(self, row: ChatRow, count: int, generation_prompt: bool) -> str:
        try:
            text = self.tokenizer.apply_chat_template(
                row.messages[:count],
                tools=row.tools,
                tokenize=False,
                add_generation_prompt=generation_prompt,
            )
        except Exception as error:  # a template raises whatever it likes
            raise TrainerError(
                "template_failed",
                f"{row.where}: the chat template refuses the first {count} messages "
                f"({type(error).__name__})",
                "check the order of roles that the model's template expects",
            ) from error
        return str(text)

    def _span(self, row: ChatRow, index: int, whole: str) -> tuple[int, int]:
        """Character range in `whole` that assistant message `index` has to write."""
        prompt = self._render(row, index, True)
        upto = whole if index + 1 == len(row.messages) else self._render(row, index + 1, False)
        turn = upto[len(prompt) :]
        closed = turn.rstrip()
        if closed.endswith(self.ends):  # a line break behind the end of turn is the template's
            turn = closed
        else:
            self.without_end += 1
        end = len(prompt) + len(turn)
        if whole[:end] != upto[:end]:
            end = self._shared_end(len(prompt), upto, whole)
        if not upto.startswith(prompt) or end == 0:
            raise TrainerError(
                "template_not_prefix_stable",
                f"{row.where}: the chat template renders message {index + 1} differently once "
                "the chat goes on, so its tokens can't be told apart safely",
                'give the earlier assistant messages "weight": 0, or split the chat into one '
                "example for each answer",
            )
        return len(prompt), end

    def _shared_end(self, start: int, upto: str, whole: str) -> int:
        """Where a turn ends that begins at `start`, if all that the template writes behind it only
        while it is the last one are special tokens (Phi's end of text); else 0."""
        common = os.path.commonprefix([upto, whole])  # noqa: RUF071 - of characters is meant
        places = [
            common.rfind(mark, start) + len(mark) for mark in self.ends if mark in common[start:]
        ]
        end = max(places, default=0)
        behind = upto[end:]
        for mark in self.ends:
            behind = behind.replace(mark, "")
        return 0 if behind.strip() else end

    def _tokenise(self, whole: str, spans: list[tuple[int, int]]) -> tuple[list[int], list[bool]]:
        """Token ids up to the last trained character (nothing behind it can matter).

        Each border must fall between two tokens of the text tokenised as a whole; where a token
        straddles one, the pieces are tokenised apart, since a prompt never ends inside a token.
        """
        text = whole[: spans[-1][1]]
        ids = self._ids(text)
        trained = [False] * len(ids)
        for start, end in spans:
            first, last = self._ids(text[:start]), self._ids(text[:end])
            if ids[: len(first)] != first or ids[: len(last)] != last:
                return self._tokenise_apart(text, spans)
            trained[len(first) : len(last)] = [True] * (len(last) - len(first))
        return ids, trained

    def _tokenise_apart(
        self, text: str, spans: list[tuple[int, int]]
    ) -> tuple[list[int], list[bool]]:
        ids: list[int] = []
        trained: list[bool] = []
        done = 0
        for start, end in spans:
            for piece, learn in ((text[done:start], False), (text[start:end], True)):
                piece_ids = self._ids(piece)
                ids += piece_ids
                trained += [learn] * len(piece_ids)
            done = end
        return ids, trained

    def _ids(self, text: str) -> list[int]:
        # the template has written the special tokens already
        return list(self.tokenizer.encode(text, add_special_tokens=False))


def _end_marks(tokenizer: Any) -> tuple[str, ...]:
    """Texts of all special tokens: one of them closes an assistant's turn."""
    marks = {str(token) for token in tokenizer.all_special_tokens}
    marks |= {
        str(token.content) for token in tokenizer.added_tokens_decoder.values() if token.special
    }
    return tuple(sorted(marks))
