"""Drafts by a model: no reader takes one that no person has accepted."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.curate import files
from ftbridge.dataset import Dataset
from ftbridge.provider import ChatReply, ChatRequest

WRITER = "gpt-4.1-2025-04-14"
Write = Callable[[str], str]


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Write], list[ChatRequest]]:
    """Let OpenAI's chat write by a function of what it is asked; gives its requests."""
    from ftbridge_openai.adapter import OpenAIProvider

    def install(write: Write) -> list[ChatRequest]:
        asked: list[ChatRequest] = []

        def chat(self: Any, model: str, request: ChatRequest) -> ChatReply:
            asked.append(request)
            text = write(str(request.messages[-1]["content"]))
            return ChatReply(text, prompt_tokens=50, completion_tokens=20)

        monkeypatch.setattr(OpenAIProvider, "chat", chat)
        return asked

    return install


def labelled(path: Path, **counts: int) -> Path:
    rows = (
        {"messages": [{"role": "system", "content": "Sort."},
                      {"role": "user", "content": f"{label} question {n}"},
                      {"role": "assistant", "content": label}]}
        for label, count in counts.items() for n in range(count)
    )  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def inventive(text: str) -> str:
    """Five new inputs a call, one of them seen before and one of another label."""
    label = "loan" if '"loan"' in text.rpartition("exactly")[2] else "card"
    mark = zlib.crc32(text.encode())
    rows = [{"input": f"{label} new {mark} {n}", "output": label} for n in range(5)]
    rows[0]["input"] = f"{label} question 0"
    rows[1]["output"] = "other"
    return "```json\n" + json.dumps(rows) + "\n```"


@pytest.fixture
def drafts(
    bridge: ftbridge.Bridge, tmp_path: Path, writer: Callable[[Write], list[ChatRequest]]
) -> Path:
    writer(inventive)
    data = labelled(tmp_path / "train.jsonl", card=25, loan=14)
    out = tmp_path / "drafts.jsonl"
    bridge.expand(data, out, model=f"openai:{WRITER}")
    return out


def test_kinds_that_are_missing_are_drafted_with_their_origin(
    bridge: ftbridge.Bridge, tmp_path: Path, writer: Callable[[Write], list[ChatRequest]]
) -> None:
    asked = writer(inventive)
    data = labelled(tmp_path / "train.jsonl", card=25, loan=14)
    found = bridge.expand(data, tmp_path / "drafts.jsonl", model=f"openai:{WRITER}")
    # 6 are missing of loan: two calls; of five drafts one repeats a row, one has another label
    assert len(asked) == 2 and found.by_kind == {"loan": 6}
    assert (found.written, found.repeated, found.wrong_label) == (6, 2, 2)
    assert found.usd and found.usd > 0
    rows = files.read(tmp_path / "drafts.jsonl")
    told = rows[0]["metadata"]["draft"]
    assert (told["status"], told["by"], told["kind"]) == ("draft", f"openai:{WRITER}", "loan")
    assert told["data_sha256"] == Dataset(data).sha256
    assert all(line > 25 for line in told["after_lines"]) and len(told["after_lines"]) == 5
    assert rows[0]["messages"][0] == {"role": "system", "content": "Sort."}
    assert all(request.temperature for request in asked)
    entries = [each for each in bridge.ledger.egress.entries() if each.action == "asked"]
    assert entries[-1].remote_id == WRITER


def test_no_reader_takes_a_draft(
    bridge: ftbridge.Bridge, drafts: Path, tmp_path: Path, vendor: Account
) -> None:
    before = len(vendor.store.requests)
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_bytes((tmp_path / "train.jsonl").read_bytes() + drafts.read_bytes())
    for path in (drafts, mixed):
        report = bridge.check(path)
        assert not report.ok and "no person has accepted" in report.errors[0].message
        assert not bridge.check(path, structure_only=True).ok
        for act in (
            lambda p: bridge.plan(p, provider="openai"),
            lambda p: bridge.plan(p, provider="local", model="smollm2-135m"),
            lambda p: list(Dataset(p).examples()),
        ):
            with pytest.raises(ftbridge.DataError, match="data review"):
                act(path)
        assert run(["check", str(path)]) == 3
        out = str(tmp_path / "out.jsonl")
        assert run(["convert", str(path), "--to", "openai", "-o", out]) == 3
        assert run(["split", str(path), "--validation", "0.2", "-o", str(tmp_path / "s")]) == 3
    assert len(vendor.store.requests) == before


def test_only_what_a_person_accepts_can_be_trained_on(
    bridge: ftbridge.Bridge, drafts: Path, tmp_path: Path
) -> None:
    review = bridge.review(drafts, reviewer="ann")
    count = len(review.open)
    review.accept(1)
    review.accept(2, answer="loan, said by ann")
    review.reject(3)
    again = bridge.review(drafts)
    assert again.to_dict() | {"drafts": ""} == {
        "drafts": "", "accepted": 2, "rejected": 1, "open": count - 3,
    }  # fmt: skip
    out = tmp_path / "accepted.jsonl"
    assert again.write(out) == 2
    assert bridge.check(out).ok
    rows = files.read(out)
    told = rows[1]["metadata"]["draft"]
    assert (told["reviewed_by"], told["edited"]) == ("ann", True)
    assert "edited" not in rows[0]["metadata"]["draft"]
    assert rows[1]["messages"][-1]["content"] == "loan, said by ann"
    rejected = bridge.check(drafts).errors
    assert any("has rejected this draft" in bad.message for bad in rejected)
    with pytest.raises(ftbridge.UsageError, match="has no draft 99"):
        review.accept(99)
    with pytest.raises(ftbridge.DataError, match="no draft of"):
        bridge.review(tmp_path / "train.jsonl")


def test_labels_travel_with_the_drafts(
    bridge: ftbridge.Bridge,
    tmp_path: Path,
    writer: Callable[[Write], list[ChatRequest]],
) -> None:
    asked = writer(inventive)
    data = labelled(tmp_path / "train.jsonl", card=25, loan=14)
    label = data.with_name("train.jsonl.ftbridge.toml")
    label.write_text('privacy = "confidential"\n')
    drafts, out = tmp_path / "drafts.jsonl", tmp_path / "accepted.jsonl"
    bridge.expand(data, drafts, model=f"openai:{WRITER}")
    review = bridge.review(drafts)
    review.accept(1)
    review.write(out)
    for made in (drafts, out):
        sidecar = made.with_name(made.name + ".ftbridge.toml")
        assert sidecar.read_text() == 'privacy = "confidential"\n'
    label.write_text('privacy = "restricted"\n')
    calls = len(asked)
    with pytest.raises(ftbridge.PolicyRefused):
        bridge.expand(data, tmp_path / "more.jsonl", model=f"openai:{WRITER}")
    assert len(asked) == calls


def test_what_cannot_be_expanded(
    bridge: ftbridge.Bridge, tmp_path: Path, writer: Callable[[Write], list[ChatRequest]]
) -> None:
    asked = writer(lambda text: "I would rather not.")
    data, out = labelled(tmp_path / "train.jsonl", card=25, loan=25), tmp_path / "d.jsonl"
    model = f"openai:{WRITER}"
    with pytest.raises(ftbridge.UsageError, match="no kind is missing"):
        bridge.expand(data, out, model=model)
    with pytest.raises(ftbridge.UsageError, match="no such label"):
        bridge.expand(data, out, model=model, kind="house")
    with pytest.raises(ftbridge.BudgetRefused):
        bridge.expand(data, out, model=model, kind="loan", max_usd=0)
    assert asked == []
    with pytest.raises(ftbridge.OperationFailed, match="4 answers of 4 were no JSON list"):
        bridge.expand(data, out, model=model, kind="loan")
    out.write_text("{}\n")
    with pytest.raises(ftbridge.UsageError, match="is there already"):
        bridge.expand(data, out, model=model, kind="loan")


def test_a_kind_of_free_text_is_drafted_too(
    bridge: ftbridge.Bridge, tmp_path: Path, writer: Callable[[Write], list[ChatRequest]]
) -> None:
    writer(lambda text: json.dumps({"examples": [{"input": f"new {len(text)}", "output": "x"},
                                                 {"input": "", "output": "y"}, "z"]}))  # fmt: skip
    data = tmp_path / "free.jsonl"
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    rows = [[turns[0] | {"content": f"q{n}"}, turns[1] | {"content": f"a{n}"}] for n in range(9)]
    data.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    found = bridge.expand(data, tmp_path / "d.jsonl", model=f"openai:{WRITER}", count=3)
    assert found.written == 1 and found.by_kind == {"all": 1}


def test_review_in_a_terminal(drafts: Path, tmp_path: Path) -> None:
    """A real terminal (pty): accept, edit, reject, quit; a draft cannot steer the terminal."""
    rows = files.read(drafts)
    rows[0]["messages"][-2]["content"] = "loan \x1b]0;title\x07 please"
    files.write(drafts, rows)
    out = tmp_path / "accepted.jsonl"
    mine, theirs = pty.openpty()
    words = [sys.executable, "-m", "ftbridge", "data", "review", str(drafts), "-o", str(out)]
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    os.write(mine, b"a\ne\nin my words\nloan\nr\nq\n")
    shown = b""
    try:
        while piece := os.read(mine, 4096):
            shown += piece
    except OSError:  # the other end is closed
        pass
    assert process.wait(60) == 0, shown
    os.close(mine)
    assert b"\x1b]0;" not in shown and b"draft 1 (1 of" in shown
    assert [row["messages"][-2]["content"] for row in files.read(out)][1] == "in my words"
    statuses = [row["metadata"]["draft"]["status"] for row in files.read(drafts)]
    assert statuses[:3] == ["accepted", "accepted", "rejected"]


def test_review_without_a_terminal(
    drafts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "accepted.jsonl"
    words = ["data", "review", str(drafts), "--accept", "1,2", "--reject", "3", "-o", str(out)]
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["accepted"], told["rejected"], told["written"]) == (2, 1, 2)
    assert run(["data", "review", str(drafts), "--accept", "one"]) == 2
    assert run(["check", str(out)]) == 0


def test_expand_by_the_command_line(
    bridge: ftbridge.Bridge,
    tmp_path: Path,
    writer: Callable[[Write], list[ChatRequest]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    writer(inventive)
    data = labelled(tmp_path / "train.jsonl", card=25, loan=25)
    words = ["data", "expand", str(data), "--model", f"openai:{WRITER}", "--kind", "card", "-n",
             "5", "-o", str(tmp_path / "d.jsonl")]  # fmt: skip
    assert run(words) == 0
    assert "next: ftbridge data review" in capsys.readouterr().out
    assert run([*words[:-1], str(tmp_path / "e.jsonl"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["written"] == 3 and told["usd"] == 0  # the calls were kept


def test_accepted_rows_go_the_ordinary_way(drafts: Path, tmp_path: Path) -> None:
    plain = write_chats(tmp_path / "plain.jsonl", "card")
    rows = files.read(plain)
    rows[0]["metadata"] = {"draft": {"status": "accepted"}}
    rows[1]["metadata"] = {"draft": "yes"}
    files.write(plain, rows)
    bad = [item for item in Dataset(plain).read() if not hasattr(item, "example")]
    assert [each.line for each in bad] == [2]
