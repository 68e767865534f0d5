"""Counts are those of the reference implementations: texts, then whole chats with their frames."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from cost import references
from cost.rows import all_texts, chat, chats, multilingual, tools
from ftbridge.catalogue import TokenRule
from ftbridge.cost.tokens import counter_for, load
from ftbridge.cost.tokens.families import rule_of_family, rules

TEKKEN, SPM = "tekken_240718.json", "mistral_instruct_tokenizer_240323.model.v3"


def ours(name: str, texts: Sequence[str]) -> list[int]:
    vocabulary = load(name)
    assert vocabulary
    return vocabulary.count(texts)


def mistral(file: str) -> Any:
    path = MistralTokenizer._data_path() / file
    return MistralTokenizer.from_file(str(path), mode=ValidationMode.finetuning)


def same(name: str, count: Callable[[str], int], texts: Sequence[str]) -> None:
    """Names the texts that differ, if any."""
    found = zip(texts, ours(name, texts), map(count, texts), strict=True)
    assert [(text[:40], mine, theirs) for text, mine, theirs in found if mine != theirs] == []


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_openai(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoding = references.tiktoken_encoding(name, tmp_path, monkeypatch)
    same(name, lambda text: len(encoding.encode_ordinary(text)), all_texts())


def test_llama3(tmp_path: Path) -> None:
    same("llama3", references.llama3(tmp_path), all_texts())


@pytest.mark.parametrize("name", ["qwen2", "qwen3"])
def test_qwen_brings_texts_to_nfc_first(name: str, tmp_path: Path) -> None:
    same(name, references.qwen(name, tmp_path), all_texts())


def test_qwen35() -> None:
    same("qwen3.5", references.qwen35(), all_texts())


def test_tekken() -> None:
    tokenizer = mistral(TEKKEN).instruct_tokenizer.tokenizer
    same("mistral_v3", lambda text: len(tokenizer.encode(text, bos=False, eos=False)), all_texts())


def test_mistral_sentencepiece() -> None:
    tokenizer = mistral(SPM).instruct_tokenizer.tokenizer
    texts = [text for text in all_texts() if "\0" not in text]
    same("mistral_v2", lambda text: len(tokenizer.encode(text, bos=False, eos=False)), texts)


# -- whole chats ---------------------------------------------------------------------------------


def counted(rule: TokenRule | None, rows: Sequence[dict[str, Any]]) -> list[int]:
    assert rule
    return counter_for(rule, None).count([chat(row) for row in rows]).expected


def test_openai_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI's cookbook (Chat_finetuning_data_prep): 3 a message, its values, 3 an example."""
    encoding = references.tiktoken_encoding("o200k_base", tmp_path, monkeypatch)
    rule = TokenRule(vocabulary="o200k_base", per_message=4, per_example=3, source="cookbook")
    rows = list(chats(80, tools=0))
    expected = [
        3 + sum(3 + sum(len(encoding.encode(value)) for value in message.values())
                for message in row["messages"])
        for row in rows
    ]  # fmt: skip
    assert counted(rule, rows) == expected


def test_openai_tools_are_their_compact_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoding = references.tiktoken_encoding("o200k_base", tmp_path, monkeypatch)
    rule = TokenRule(vocabulary="o200k_base", per_message=4, per_example=3, source="cookbook")
    row = next(row for row in chats(20, tools=1.0))
    bare = {"messages": row["messages"]}
    extra = counted(rule, [row])[0] - counted(rule, [bare])[0]
    compact = [
        json.dumps({"function": tool["function"], "type": "function"}, separators=(",", ":"))
        for tool in row["tools"]
    ]
    assert abs(extra - len(encoding.encode("\n".join(compact)))) <= len(compact)


def test_mistral_frame_with_tools() -> None:
    """Against mistral-common's own rendering for fine-tuning."""
    tokenizer = mistral(TEKKEN)
    rows = list(chats(120))
    expected = [
        len(tokenizer.encode_chat_completion(ChatCompletionRequest.model_validate(row)).tokens)
        for row in rows
    ]
    assert counted(rule_of_family("open-mistral-nemo"), rows) == expected


GOLDEN = {
    "llama-3.1-8b-instruct": (12_748, 29_423),
    "qwen2.5-7b-instruct": (12_651, 28_344),
    "qwen3-8b": (12_265, 27_943),
    "qwen3.5-9b": (11_919, 33_068),
}
"""Tokens of 40 generated chats without and with tools, rendered once (2026-11-25) by the
publishers' own Jinja templates (tokenizer_config.json) and counted by Hugging Face's tokenizers
with the publishers' tokenizer.json; 400 chats were equal one by one."""


@pytest.mark.parametrize("family", GOLDEN)
def test_templates(family: str) -> None:
    rule = rule_of_family(family)
    sums = tuple(sum(counted(rule, list(chats(40, tools=share)))) for share in (0.0, 1.0))
    assert sums == GOLDEN[family]


def test_every_family_has_a_vocabulary_and_a_frame() -> None:
    rows = [next(chats(1, tools=1.0))]
    for rule in rules():
        assert 100 < counted(rule, rows)[0] < 3000, rule


@pytest.mark.parametrize(
    ("name", "vocabulary", "frame"),
    [
        ("meta-llama/Meta-Llama-3.1-8B-Instruct-Reference", "llama3", "llama3.1"),
        ("accounts/fireworks/models/llama-v3p1-8b-instruct", "llama3", "llama3.1"),
        ("llama-3.3-70b-instruct", "llama3", "llama3.1"),
        ("meta-llama/Meta-Llama-3-8B", "llama3", "llama3"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2", "qwen2.5"),
        ("qwen2p5-7b-instruct", "qwen2", "qwen2.5"),
        ("Qwen/Qwen3-8B", "qwen3", "qwen3"),
        ("accounts/fireworks/models/qwen3p5-9b", "qwen3.5", "qwen3.5"),
        ("Qwen/Qwen3.6-27B", "qwen3.5", "qwen3.5"),
        ("gemini-2.5-flash", "gemma3", "counted"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "llama3", "deepseek"),
        ("deepseek-ai/DeepSeek-V3", "deepseek_v3", "deepseek"),
        ("mistralai/Mistral-7B-Instruct-v0.2", "mistral_v1", "mistral"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mistral_v1", "mistral"),
        ("ministral-8b-latest", "mistral_v3", "mistral"),
        ("google/gemma-3-12b-it", "gemma3", "gemma"),
        ("openai/gpt-oss-20b", "o200k_base", "counted"),
    ],
)
def test_families_by_any_name(name: str, vocabulary: str, frame: str) -> None:
    rule = rule_of_family(name)
    assert rule and (rule.vocabulary, rule.frame) == (vocabulary, frame)


@pytest.mark.parametrize("name", ["nova-lite", "llama-4-scout", "Qwen/Qwen3.8-27B", "grok-3"])
def test_no_family_where_no_package_has_the_vocabulary(name: str) -> None:
    assert rule_of_family(name) is None


def test_a_special_token_in_a_text_is_text() -> None:
    for name in ("o200k_base", "llama3", "qwen3", "mistral_v3", "gemma3", "deepseek_v3"):
        assert ours(name, ["<|endoftext|><|eot_id|></s><eos>"])[0] > 8, name


def test_multilingual_and_tool_rows_are_there() -> None:
    assert len(multilingual()) > 100 and len(tools()) > 40
