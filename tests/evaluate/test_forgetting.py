"""What tuning has cost in general ability, beside what it has gained."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.dataset import Dataset, check
from ftbridge.evaluate.forgetting import GENERAL, Probe, right
from ftbridge.evaluate.rows import Row
from ftbridge.provider import ChatReply

N = 30


def row(reference: str, **metadata: str) -> Row:
    return Row(1, ({"role": "user", "content": "q"},), None, reference, (), b"", metadata)


def test_the_set_is_a_good_file_of_many_kinds_and_its_own_answers_are_right() -> None:
    probe = Probe.load()
    assert check(Dataset(GENERAL)).ok
    kinds = Counter(row.metadata["category"] for row in probe.rows)
    assert len(probe.rows) >= 55 and len(kinds) == 7 and min(kinds.values()) >= 5
    assert len({row.fingerprint for row in probe.rows}) == len(probe.rows)
    wrong = [row.line for row in probe.rows if not right(row, ChatReply(row.reference))]
    assert wrong == []


@pytest.mark.parametrize("said", ["card_arrival", "", "I am the base model of a sandbox."])
def test_one_answer_to_everything_is_right_almost_nowhere(said: str) -> None:
    probe = Probe.load()
    assert sum(right(row, ChatReply(said)) for row in probe.rows) <= 2


@pytest.mark.parametrize(
    ("reference", "metadata", "answer", "wanted"),
    [
        ("Paris", {}, "It is Paris, in France.", 1),
        ("Paris", {}, "It is Parison.", 0),
        ("", {}, "anything", 0),
        ("12", {"metric": "number_match"}, "The answer is 12.0", 1),
        ("x", {"pattern": "(?:yes|no)"}, "NO!", 1),
        ("x", {"pattern": "(?:yes|no)"}, "maybe", 0),
    ],
)
def test_how_a_probe_is_judged(
    reference: str, metadata: dict[str, str], answer: str, wanted: int
) -> None:
    assert right(row(reference, **metadata), ChatReply(answer)) == wanted


def test_the_loss_stands_beside_the_gain(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    """The emulator's base says one sentence to everything, its tuned model says `yes`."""
    probe = tmp_path / "probe.jsonl"
    chats = [("who are you", "sandbox"), ("what are you", "base model"), ("say yes", "yes")] * 4
    probe.write_text(
        "".join(
            json.dumps({"messages": [{"role": "user", "content": f"{asked} {n}"},
                                     {"role": "assistant", "content": said}],
                        "metadata": {"category": said}}) + "\n"
            for n, (asked, said) in enumerate(chats)
        )
    )  # fmt: skip
    told = bridge.evaluate(held, model=job.id, probe=probe).to_dict()
    assert told["verdict"] == "better"
    found = told["forgetting"]
    assert (found["n"], found["baseline"]["value"], found["tuned"]["value"]) == (12, 8 / 12, 4 / 12)
    loss = found["loss"]
    assert loss["value"] == pytest.approx(1 / 3) and loss["ci"][0] <= 1 / 3 <= loss["ci"][1]
    assert found["verdict"] == "no evidence of loss"  # 8 against 4 of 12 rows
    assert {c["category"]: c["tuned"] for c in found["categories"]} == {
        "sandbox": 0, "base model": 0, "yes": 1,
    }  # fmt: skip
    before = len(vendor.store.requests)
    assert bridge.evaluate(held, model=job.id, probe=probe).to_dict()["forgetting"] == found
    assert len(vendor.store.requests) == before


def test_the_packages_set_by_the_command_line(
    job: ftbridge.Job, held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", str(held), "--model", job.id, "--forgetting"]) == 0
    out = capsys.readouterr().out
    said = re.search(r"general ability \(general, (\d+) questions\): .*; loss .* p = ", out)
    assert said and int(said[1]) >= 55 and "arithmetic\t10" in out
    assert run(["eval", str(held), "--model", job.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["forgetting"] is None


def test_probes_count_in_the_budget_and_bad_ones_are_named(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path
) -> None:
    bridge.evaluate(held, model=job.id)
    with pytest.raises(ftbridge.BudgetRefused):
        bridge.evaluate(held, model=job.id, max_usd=0, forgetting=True)
    chat = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    bad = tmp_path / "bad.jsonl"
    for metadata in ({"metric": "perfect"}, {"pattern": "("}, {"pattern": 3}):
        bad.write_text(json.dumps(chat | {"metadata": metadata}) + "\n")
        with pytest.raises(ftbridge.DataError, match=r"bad.jsonl:1: metadata"):
            bridge.evaluate(held, model=job.id, probe=bad)


def test_the_probes_own_label_counts(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path
) -> None:
    probe = write_chats(tmp_path / "probe.jsonl", "probe", count=2)
    probe.with_name("probe.jsonl.ftbridge.toml").write_text('privacy = "restricted"\n')
    with pytest.raises(ftbridge.PolicyRefused):
        bridge.evaluate(held, model=job.id, probe=probe)
