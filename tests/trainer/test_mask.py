"""What is trained: spans by position, end of turn, weights, tools, unstable templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge_trainer.data import read_rows
from ftbridge_trainer.errors import TrainerError
from ftbridge_trainer.items import Example, cut
from ftbridge_trainer.render import Renderer

from .conftest import chat, make_tokenizer, write_rows


def encode(tokenizer: Any, folder: Path, *rows: dict[str, Any]) -> list[Example]:
    renderer = Renderer(tokenizer)
    return [renderer.encode(row) for row in read_rows(write_rows(folder / "t.jsonl", list(rows)))]


def trained_texts(tokenizer: Any, example: Example) -> list[str]:
    spans: list[list[int]] = []
    for i, (token, trained) in enumerate(zip(example.ids, example.trained, strict=True)):
        if trained and i and example.trained[i - 1]:
            spans[-1].append(token)
        elif trained:
            spans.append([token])
    return [tokenizer.decode(span) for span in spans]


@pytest.mark.parametrize(
    "answer", ["Yes.", "", "\n\nlate start", " padded ", "naïve 🙂 مرحبا", "a\nb"]
)
def test_exactly_the_answer_and_its_end_are_trained(
    tokenizer: Any, tmp_path: Path, answer: str
) -> None:
    (example,) = encode(tokenizer, tmp_path, chat("Is it here?", answer))
    assert trained_texts(tokenizer, example) == [answer + "<|im_end|>"]


def test_end_of_turn_is_trained_though_it_is_the_padding_token(
    tokenizer: Any, tmp_path: Path
) -> None:
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    (example,) = encode(tokenizer, tmp_path, chat("Q", "A"))
    assert example.ids[-1] == tokenizer.pad_token_id
    assert example.trained[-1]


def test_the_prompt_is_what_the_model_sees_when_used_and_is_not_trained(
    tokenizer: Any, tmp_path: Path
) -> None:
    row = chat("Where is it?", "\nHere.")  # the line break would merge with the header's
    (example,) = encode(tokenizer, tmp_path, row)
    prompt = tokenizer.apply_chat_template(
        row["messages"][:1], add_generation_prompt=True, return_dict=False
    )
    first = example.trained.index(True)
    assert example.ids[:first] == prompt
    assert not any(example.trained[:first])
    assert all(example.trained[first:])


def test_each_turn_is_trained_and_weight_0_is_not(tokenizer: Any, tmp_path: Path) -> None:
    messages = [*chat("a", "first")["messages"], *chat("b", "second")["messages"]]
    both = {"messages": messages}
    one = {"messages": [messages[0], {**messages[1], "weight": 0}, *messages[2:]]}
    examples = encode(tokenizer, tmp_path, both, one)
    assert trained_texts(tokenizer, examples[0]) == ["first<|im_end|>", "second<|im_end|>"]
    assert trained_texts(tokenizer, examples[1]) == ["second<|im_end|>"]


def test_nothing_to_learn_names_the_line(tokenizer: Any, tmp_path: Path) -> None:
    silent = {"messages": [{"role": "user", "content": "hello"}]}
    with pytest.raises(TrainerError, match=r"t\.jsonl:2: ") as caught:
        encode(tokenizer, tmp_path, chat("q", "a"), silent)
    assert caught.value.code == "no_trained_tokens"
    assert "hello" not in caught.value.message


def test_a_template_that_rewrites_history_is_refused(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
        "{% if m['role'] == 'assistant' and loop.last %}<think></think>{% endif %}"
        "{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    two = {"messages": [*chat("a", "first")["messages"], *chat("b", "second")["messages"]]}
    with pytest.raises(TrainerError, match=r"t\.jsonl:1: ") as caught:
        encode(tokenizer, tmp_path, two)
    assert caught.value.code == "template_not_prefix_stable"
    (example,) = encode(tokenizer, tmp_path, chat("a", "only"))
    assert trained_texts(tokenizer, example) == ["<think></think>only<|im_end|>"]


def test_tool_arguments_become_objects_exactly_once(tokenizer: Any, tmp_path: Path) -> None:
    def call(arguments: str) -> dict[str, Any]:
        function = {"name": "find", "arguments": arguments}
        calls = [{"id": "1", "type": "function", "function": function}]
        turn = {"role": "assistant", "content": None, "tool_calls": calls}
        return {"messages": [{"role": "user", "content": "q"}, turn]}

    (example,) = encode(tokenizer, tmp_path, call('{"id": 3}'))
    assert trained_texts(tokenizer, example) == ['<call>find{"id": 3}<|im_end|>']
    for wrong in (json.dumps('{"id": 3}'), "[1]", "{"):
        with pytest.raises(TrainerError, match=r"t\.jsonl:1: message 2"):
            encode(tokenizer, tmp_path, call(wrong))


def test_tools_need_a_template_that_shows_them(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}<|im_end|>{% endfor %}"
    row = chat("q", "a", tools=[{"type": "function", "function": {"name": "f"}}])
    with pytest.raises(TrainerError) as caught:
        encode(tokenizer, tmp_path, row)
    assert caught.value.code == "template_without_tools"


def test_content_may_come_in_text_parts(tokenizer: Any, tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    row = chat("q", "a")
    row["messages"][1]["content"] = parts
    (example,) = encode(tokenizer, tmp_path, row)
    assert trained_texts(tokenizer, example) == ["one two<|im_end|>"]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"messages": []}', '{"messages": [{"role": "bot", "content": "x"}]}']
)
def test_bad_lines_are_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(json.dumps(chat("q", "a")) + "\n\n" + line + "\n", "utf-8")
    with pytest.raises(TrainerError, match=r"^t\.jsonl:3: "):
        list(read_rows(file))


def test_cutting_keeps_a_trained_token_or_refuses(tokenizer: Any, tmp_path: Path) -> None:
    (example,) = encode(tokenizer, tmp_path, chat("question", "a long answer"))
    first = example.trained.index(True)
    assert cut(example, first + 1).trained_tokens == 1
    with pytest.raises(TrainerError, match=r"t\.jsonl:1: ") as caught:
        cut(example, first)
    assert caught.value.code == "example_too_long"
