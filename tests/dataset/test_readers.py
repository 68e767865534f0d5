"""Every container and source: the same examples come out, and what is broken is named by line."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import BadLine, Dataset, Kind
from ftbridge.dataset.read import Numbered
from ftbridge.dataset.records import MAX_LINE_BYTES
from ftbridge.errors import DataError, NotInstalled, UsageError

CHAT = {
    "messages": [{"role": "user", "content": "Größe 🙂"}, {"role": "assistant", "content": "ไทย"}]
}
ALPACA = {"instruction": "Größe 🙂", "input": "", "output": "ไทย"}
SHARE = {"conversations": [{"from": "human", "value": "Größe 🙂"}, {"from": "gpt", "value": "ไทย"}]}


def _write(path: Path, *lines: Any) -> Path:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, "utf-8")
    return path


def _contents(dataset: Dataset) -> list[list[Any]]:
    return [[m.content for m in item.example.messages] for item in dataset.examples()]  # type: ignore[union-attr]


def _bad(dataset: Dataset) -> list[BadLine]:
    return [item for item in dataset.read() if isinstance(item, BadLine)]


@pytest.mark.parametrize(
    ("record", "form"), [(CHAT, "canonical"), (ALPACA, "alpaca"), (SHARE, "sharegpt")]
)
@pytest.mark.parametrize("shape", ["jsonl", "array", "indented"])
def test_lines_and_arrays(tmp_path: Path, record: Any, form: str, shape: str) -> None:
    path = tmp_path / "data.json"
    if shape == "jsonl":
        _write(path, record, record)
    else:
        path.write_text(json.dumps([record] * 2, indent=2 if shape == "indented" else None))
    dataset = Dataset(path)
    assert (dataset.format.name, dataset.kind) == (form, Kind.CHAT)
    assert _contents(dataset) == [["Größe 🙂", "ไทย"]] * 2


def test_a_large_array_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    long = {"messages": [{"role": "user", "content": "x" * 300_000}, CHAT["messages"][1]]}
    path.write_text(json.dumps([CHAT, long] * 5, indent=1))
    lines = [item.line for item in Dataset(path).examples()]
    assert len(lines) == 10 and lines == sorted(set(lines)) and lines[0] == 2


def test_an_array_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text(json.dumps([CHAT] * 3, indent=1)[:-40])
    good = [item for item in Dataset(path).read() if isinstance(item, Numbered)]
    assert len(good) == 2 and "breaks off" in _bad(Dataset(path))[0].message


def test_one_indented_object_is_one_example(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(CHAT, indent=2))
    assert _contents(Dataset(path)) == [["Größe 🙂", "ไทย"]]


def test_compressed(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    plain = _write(tmp_path / "a.jsonl", CHAT, CHAT).read_bytes()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(plain))
    (tmp_path / "a.jsonl.zst").write_bytes(zstandard.compress(plain))
    for name in ("a.jsonl.gz", "a.jsonl.zst"):
        assert _contents(Dataset(tmp_path / name)) == [["Größe 🙂", "ไทย"]] * 2
        assert Dataset(tmp_path / name).structure().examples == 2


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = io.BytesIO(json.dumps(CHAT).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    dataset = Dataset("-")
    assert _contents(dataset) == _contents(dataset) and not dataset.plain


def test_object_store() -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://bucket/train.jsonl", "wb") as stream:
        stream.write(json.dumps(CHAT).encode())
    dataset = Dataset("memory://bucket/train.jsonl")
    assert _contents(dataset) == [["Größe 🙂", "ไทย"]]
    assert dataset.structure().examples == 1 and dataset.bytes > 0
    with pytest.raises(DataError, match="no such file"):
        Dataset("memory://bucket/absent.jsonl").kind  # noqa: B018


def test_missing_extras_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("zstandard", "fsspec", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "a.zst").write_bytes(b"\x28\xb5\x2f\xfd0000")
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    for place, extra in (("a.zst", "zstd"), ("a.parquet", "parquet")):
        with pytest.raises(NotInstalled) as caught:
            list(Dataset(tmp_path / place).read())
        assert f"ftbridge[{extra}]" in caught.value.hint
    with pytest.raises(NotInstalled):
        Dataset("s3://bucket/a.jsonl").kind  # noqa: B018


def test_csv_with_quoted_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        'text,category\r\n"one,\ntwo",reverted_card_payment?\r\nthree\r\nfour,X\r\n', newline=""
    )
    pairs = ["user=text", "assistant=category", "system==Sort it"]
    items = list(Dataset(path, mapping=pairs).read())
    assert [item.line for item in items] == [2, 4, 5]
    assert isinstance(items[1], BadLine) and "cells" in items[1].message
    first = items[0]
    assert isinstance(first, Numbered)
    assert [m.content for m in first.example.messages] == [
        "Sort it",
        "one,\ntwo",
        "reverted_card_payment?",
    ]  # type: ignore[union-attr]


def test_tables_with_the_names_of_a_format(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("prompt,completion\nq,a\n")
    assert Dataset(path).format.name == "prompt-completion"
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    table = arrow.Table.from_pylist([CHAT, CHAT | {"messages": [*CHAT["messages"]] * 2}])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert len(_contents(Dataset(tmp_path / "a.parquet"))) == 2
    mapped = Dataset(tmp_path / "a.parquet", mapping=["text=messages"])
    assert mapped.kind is Kind.TEXT


def test_mappings_that_make_no_example(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", {"q": "x", "a": "y"})
    for pairs in (["user=q"], ["robot=q", "user=q"], ["user="], ["text=q", "user=a"]):
        with pytest.raises(UsageError):
            Dataset(path, mapping=pairs)
    (bad,) = _bad(Dataset(path, mapping=["user=q", "assistant=z"]))
    assert bad.message == "`z`: no such column; correct --map assistant="
    for pairs, kind in (
        (["user=q", "chosen=a", "rejected=q"], Kind.PREFERENCE),
        (["user=q", "reference=a", "metadata.group=q"], Kind.REWARD),
    ):
        dataset = Dataset(path, mapping=pairs)
        assert dataset.kind is kind and len(list(dataset.examples())) == 1


def test_blank_lines_marks_and_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = json.dumps(CHAT).encode()
    path.write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\n  \n" + line)
    assert [item.line for item in Dataset(path).examples()] == [1, 4]
    found = Dataset(path).structure()
    assert (found.examples, found.lines, found.error_count) == (2, 4, 0)


def test_a_line_over_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    line = json.dumps(CHAT).encode() + b"\n"
    with path.open("wb") as stream:
        stream.write(line + b'{"messages": "' + b"x" * (MAX_LINE_BYTES + 9) + b'"}\n' + line)
    items = list(Dataset(path).read())
    assert [type(item) for item in items] == [Numbered, BadLine, Numbered]
    assert [item.line for item in items] == [1, 2, 3]
    found = Dataset(path).structure()
    assert (found.examples, found.error_count, found.errors[0].line) == (2, 1, 2)


def test_kinds_are_told_apart_and_not_mixed(tmp_path: Path) -> None:
    user, answer = CHAT["messages"]
    reward = {"messages": [user], "reference": 10**30}
    pair = {"prompt": [user], "chosen": [answer], "rejected": [answer]}
    for first, kind in (
        (CHAT, Kind.CHAT),
        (reward, Kind.REWARD),
        (pair, Kind.PREFERENCE),
        ({"text": "x"}, Kind.TEXT),
    ):
        path = _write(tmp_path / "a.jsonl", first, CHAT, reward, pair, {"text": "x"})
        assert Dataset(path).kind is kind
        assert len(_bad(Dataset(path))) == 3
    # One forgotten answer does not turn a file of chats into prompts.
    path = _write(tmp_path / "a.jsonl", {"messages": [user]}, CHAT)
    assert Dataset(path).kind is Kind.CHAT
    assert "end with the assistant" in _bad(Dataset(path))[0].message
    assert Dataset(_write(tmp_path / "a.jsonl", {"messages": [user]})).kind is Kind.REWARD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"messages":[{"role":"user","content":"\\ud800"}]}', "surrogate"),
        ('{"messages":[]}', "`messages`: is empty"),
        ('{"messages": NaN}', "not JSON"),
        ('{"metadata": {"a":' + "[" * 5000, "nested too deeply"),
        ('{"text": "x"}', "`text`: unknown key"),
        ('{"messages":[{"content":"x"}]}', "`messages[0].role`: missing"),
        ("[1]", "expected `object`"),
        ('{"messages":[{"role":"robot","content":"SECRET"}]}', "unknown role"),
        ('{"messages":[{"role":"user","content":5}]}', "`messages[0].content`"),
    ],
)
def test_messages_name_the_field_and_no_value(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(CHAT) + "\n" + text + "\n")
    (bad,) = _bad(Dataset(path))
    assert bad.line == 2 and said in bad.message and "SECRET" not in bad.message


def test_undecoded_json_must_be_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    tool = b'[{"type":"function","function":{"name":"f","parameters":{"x":"\xff"}}}]'
    line = json.dumps(CHAT).encode()[:-1] + b', "tools": ' + tool + b"}"
    path.write_bytes(line)
    (bad,) = _bad(Dataset(path))
    assert "UTF-8" in bad.message
    assert Dataset(path).structure().error_count == 1
