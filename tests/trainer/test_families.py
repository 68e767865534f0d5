"""What is trained, family by family: the answer with its end of turn, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftbridge_trainer.__main__ import main
from ftbridge_trainer.data import read_rows
from ftbridge_trainer.errors import TrainerError
from ftbridge_trainer.items import Example
from ftbridge_trainer.render import Renderer

from .conftest import read, read_lines, write_rows
from .families import FAMILIES, build, tokenizer_of

Run = Callable[..., Path]
NAMES = sorted(FAMILIES)
FORGETS = frozenset({"qwen-3"})
"""Families that render an earlier answer unlike the last one."""
ASK = {"role": "user", "content": "Where is the card?"}
SAY = {"role": "assistant", "content": "The card is here."}
CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "call00001", "type": "function",
                    "function": {"name": "find", "arguments": '{"what": "card"}'}}],
}  # fmt: skip
FOUND = {"role": "tool", "tool_call_id": "call00001", "content": "7"}
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}]


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def own(name: str) -> Any:
    pytest.importorskip("transformers")
    return tokenizer_of(name)


def encoded(tokenizer: Any, folder: Path, messages: list[Any], **more: Any) -> Example:
    (row,) = read_rows(write_rows(folder / "one.jsonl", [{"messages": messages, **more}]))
    return Renderer(tokenizer).encode(row)


def spans(tokenizer: Any, example: Example) -> list[str]:
    """The texts of the trained stretches."""
    found: list[list[int]] = []
    for i, (token, trained) in enumerate(zip(example.ids, example.trained, strict=True)):
        if trained:
            if not example.trained[i - 1]:
                found.append([])
            found[-1].append(token)
    return [tokenizer.decode(ids) for ids in found]


def thought(name: str) -> str:
    return "<think>\n\n</think>\n\n" if name == "qwen-3" else FAMILIES[name].lead


def test_the_answer_and_its_end_are_trained(name: str, own: Any, tmp_path: Path) -> None:
    (span,) = spans(own, encoded(own, tmp_path, [ASK, SAY]))
    end = FAMILIES[name].end + ("\n<|endoftext|>" if name == "phi-3.5" else "")
    assert span == thought(name) + "The card is here." + end


def test_what_stands_before_is_what_the_model_will_be_asked(
    name: str, own: Any, tmp_path: Path
) -> None:
    example = encoded(own, tmp_path, [ASK, SAY])
    asked = own.apply_chat_template([ASK], add_generation_prompt=True, tokenize=False)
    first = example.trained.index(True)
    assert example.ids[:first] == own.encode(asked, add_special_tokens=False)


def test_every_answer_of_a_longer_chat(name: str, own: Any, tmp_path: Path) -> None:
    again = {"role": "assistant", "content": "Still here."}
    chat = [ASK, SAY, {"role": "user", "content": "And now?"}, again]
    if name in FORGETS:
        with pytest.raises(TrainerError, match="renders message 2 differently"):
            encoded(own, tmp_path, chat)
        chat[1] = SAY | {"weight": 0}
    example = encoded(own, tmp_path, chat)
    found = spans(own, example)
    if name not in FORGETS:
        assert found.pop(0) == FAMILIES[name].lead + "The card is here." + FAMILIES[name].end
    (last,) = found
    assert last.startswith(thought(name) + "Still here." + FAMILIES[name].end)
    whole = own.decode(example.ids)
    assert whole.count("The card is here.") == whole.count("And now?") == 1


def test_calls_are_trained_and_results_are_not(name: str, own: Any, tmp_path: Path) -> None:
    chat = [ASK, CALL | {"weight": 0 if name in FORGETS else 1}, FOUND, SAY]
    if not FAMILIES[name].calls:
        with pytest.raises(TrainerError) as refused:
            encoded(own, tmp_path, chat, tools=TOOLS)
        assert refused.value.code == "template_without_tools"
        return
    example = encoded(own, tmp_path, chat, tools=TOOLS)
    *calls, answer = spans(own, example)
    assert "The card is here." in answer
    if name not in FORGETS:
        (call,) = calls
        assert '"find"' in call and '{"what": "card"}' in call
        assert call.endswith(FAMILIES[name].end)
    untrained = [t for t, trained in zip(example.ids, example.trained, strict=True) if not trained]
    before = own.decode(untrained)
    assert '"parameters"' in before  # the tools on offer are read
    assert "7" in before


def test_a_system_turn(name: str, own: Any, tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Be brief."}, ASK, SAY]
    if name in ("gemma-2", "mistral-v3"):
        with pytest.raises(TrainerError) as refused:
            encoded(own, tmp_path, chat)
        assert refused.value.code == "template_failed"
        return
    example = encoded(own, tmp_path, chat)
    assert "Be brief." in own.decode(example.ids)
    assert len(spans(own, example)) == 1


@pytest.mark.long
@pytest.mark.parametrize("adapter", ["full", "lora", "qlora"])
def test_a_tiny_model_of_the_family_learns(name: str, new_run: Run, adapter: str) -> None:
    run = new_run(n_epochs=6, adapter=adapter, learning_rate=0.02, lora_dropout=0.0, packing=True)
    recipe = read(run / "recipe.json")
    recipe["model"] = str(build(run.parent / name, name))
    (run / "recipe.json").write_text(json.dumps(recipe))
    assert main([str(run)]) == 0
    losses = [row["loss"] for row in read_lines(run / "metrics.jsonl")]
    assert losses[-1] < 0.92 * losses[0]


def test_mistrals_tools_stand_before_the_last_question_alone(tmp_path: Path) -> None:
    chat = [ASK, SAY, ASK, SAY]
    with pytest.raises(TrainerError, match="renders message 2 differently"):
        encoded(tokenizer_of("mistral-v3"), tmp_path, chat, tools=TOOLS)
