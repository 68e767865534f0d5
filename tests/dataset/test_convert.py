"""Conversion of files: reports, refusals, several processes, and byte-exact arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbridge.cli import run
from ftbridge.dataset import Dataset, parallel
from ftbridge.dataset.convert import convert
from ftbridge.dataset.formats import LOSSES, load, names
from ftbridge.errors import DataError, LossError

ARGUMENTS = '{"z": 123456789012345678901234567890,  "a": [1.0, 1e2, "\\u00e9é🙂"], "m": null}'


def _call(arguments: str, call: str = "call_0") -> Any:
    return {"id": call, "type": "function", "function": {"name": "f", "arguments": arguments}}


def _chat(*calls: Any, **more: Any) -> Any:
    turns = [{"role": "user", "content": "q"}]
    turns += [{"role": "assistant", "tool_calls": list(calls)}] if calls else []
    return {"messages": [*turns, {"role": "assistant", "content": "a"} | more]}


def _file(path: Path, *lines: Any) -> Dataset:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return Dataset(path)


@pytest.mark.parametrize("name", ["openai", "gemini", "trl", "sharegpt", "together", "fireworks"])
def test_arguments_survive_byte_for_byte(tmp_path: Path, name: str) -> None:
    dataset = _file(tmp_path / "a.jsonl", _chat(_call(ARGUMENTS)))
    made = convert(dataset, name, tmp_path / "b.jsonl")
    assert not made.losses
    (item,) = Dataset(tmp_path / "b.jsonl", form=name).examples()
    assert item.example.messages[1].tool_calls[0].function.arguments == ARGUMENTS  # type: ignore[union-attr, index]


def test_the_wire_says_what_type_a_call_is(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"b": 1, "a": 10**30}}}
    dataset = _file(tmp_path / "a.jsonl", _chat(_call("{}")) | {"tools": [tool]})
    convert(dataset, "openai", tmp_path / "b.jsonl")
    line = (tmp_path / "b.jsonl").read_text()
    assert line.count('"type":"function"') == 2
    assert '{"b": 1, "a": 1000000000000000000000000000000}' in line


def test_arguments_that_are_no_object_keep_a_place_or_are_named(tmp_path: Path) -> None:
    for arguments in ('"{}"', "[1]", '{"a": ', "", '{"a": "\\ud800"}'):
        dataset = _file(tmp_path / "a.jsonl", _chat(), _chat(_call(arguments)))
        assert convert(dataset, "openai", tmp_path / "b.jsonl").written == 2
        for name in ("trl", "gemini", "sharegpt"):
            with pytest.raises(DataError, match=r"a\.jsonl:2: `arguments`"):
                convert(dataset, name, tmp_path / "c.jsonl")
            assert not (tmp_path / "c.jsonl").exists()


def test_line_breaks_between_tokens_are_reported(tmp_path: Path) -> None:
    dataset = _file(tmp_path / "a.jsonl", _chat(_call('{\n "a": "x\\ny"\n}')))
    made = convert(dataset, "trl", tmp_path / "b.jsonl", allow_lossy=True)
    assert set(made.losses) == {"arguments_reformatted"}
    (item,) = Dataset(tmp_path / "b.jsonl", form="trl").examples()
    found = item.example.messages[1].tool_calls[0].function.arguments  # type: ignore[union-attr, index]
    assert json.loads(found) == {"a": "x\ny"}


def test_losses_are_refused_counted_and_named(tmp_path: Path) -> None:
    odd = _chat(weight=0)
    odd["messages"].append({"role": "assistant", "content": "b"})
    dataset = _file(tmp_path / "a.jsonl", _chat(), *[odd] * 15)
    with pytest.raises(LossError, match=r"weight_dropped \(15, first on line 2\)"):
        convert(dataset, "gemini", tmp_path / "b.jsonl")
    assert not (tmp_path / "b.jsonl").exists()
    made = convert(dataset, "gemini", tmp_path / "b.jsonl", allow_lossy=True)
    assert made.losses["weight_dropped"].lines == list(range(2, 12)) and made.written == 16


def test_several_processes_write_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "MIN_PART_BYTES", 2000)
    odd = _chat(name="ann")
    dataset = _file(tmp_path / "a.jsonl", *[_chat(), _chat(_call("{}")), odd] * 40)
    one = convert(dataset, "together", tmp_path / "1.jsonl", allow_lossy=True)
    two = convert(dataset, "together", tmp_path / "2.jsonl", allow_lossy=True, workers=3)
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert (one.written, one.losses) == (two.written, two.losses)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.jsonl", "2.jsonl", "a.jsonl"]
    with (tmp_path / "a.jsonl").open("a") as stream:
        stream.write('{"messages": []}\n')
    found = Dataset(tmp_path / "a.jsonl").structure(workers=3)
    assert (found.examples, found.error_count, found.errors[0].line) == (120, 1, 121)


def test_formats_are_detected(tmp_path: Path) -> None:
    example = next(_file(tmp_path / "a.jsonl", _chat(_call("{}"))).examples()).example
    pair = msgspec.json.encode(
        {
            "prompt": [{"role": "user", "content": "q"}],
            **{s: [{"role": "assistant", "content": s}] for s in ("chosen", "rejected")},
        }
    )
    answers = load("canonical").decode(pair)
    for name, what in (
        ("gemini", example), ("gemini", answers), ("trl", example), ("sharegpt", example),
        ("alpaca", example), ("prompt-completion", example), ("openai", answers),
        ("bedrock-nova", example),
    ):  # fmt: skip
        path = tmp_path / "b.jsonl"
        path.write_bytes(load(name).encode(what).line)
        assert Dataset(path).format.name == name


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _file(tmp_path / "a.jsonl", _chat(_call("{}", "x")))
    out = tmp_path / "b.jsonl"
    arguments = ["convert", str(tmp_path / "a.jsonl"), "--to", "gemini", "-o", str(out), "--json"]
    assert run(arguments) == 3 and not out.exists()
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "lossy"
    assert run([*arguments, "--allow-lossy"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["written"] == 1 and document["losses"][0]["lines"] == [1]
    assert run([*arguments, "--allow-lossy", "--from", "gemnii"]) == 2
    assert "gemini" in json.loads(capsys.readouterr().out)["error"]["hint"]


def test_the_document_lists_every_loss_and_format() -> None:
    text = (Path(__file__).parents[2] / "docs/dataset-format.md").read_text("utf-8")
    for code, sentence in LOSSES.items():
        assert f"| `{code}` | {sentence} |" in text
    importers = {"langfuse", "langsmith", "stored-completions"}
    for name in set(names()) - importers:
        assert f"`{name}`" in text
