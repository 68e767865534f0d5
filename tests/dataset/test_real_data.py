"""Public sets: read, checked, to every vendor and back, with the traps that they hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ftbridge.dataset import BadLine, Dataset, Kind
from ftbridge.dataset.convert import convert
from ftbridge.dataset.formats import load, names
from ftbridge.dataset.types import kind_of
from ftbridge.dataset.vendor_rules import faults

from . import real
from .normal import normal

SETS: dict[str, Callable[[Path], Dataset]] = {
    "gsm8k": real.gsm8k,
    "clinc": real.clinc,
    "qa_feedback": real.qa_feedback,
    **{f"mgsm_{x}": lambda out, x=x: real.mgsm(x, out)
       for x in ("en", "de", "th", "te", "zh", "sw")},
    **{f"bfcl_{x}": lambda out, x=x: real.bfcl(x, out)
       for x in ("simple_python", "multiple", "parallel", "irrelevance")},
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_there_and_back(name: str, tmp_path: Path) -> None:
    dataset = SETS[name](tmp_path / "a.jsonl")
    before = [item.example for item in dataset.examples()]
    assert len(before) >= 20 and dataset.structure().error_count == 0
    for form in (load(name) for name in names()):
        if dataset.kind not in form.kinds:
            continue
        made = convert(dataset, form.name, tmp_path / "out.jsonl", allow_lossy=True)
        assert made.written == len(before)
        back = [i.example for i in Dataset(tmp_path / "out.jsonl", form=form.name).examples()]
        if not made.losses:
            assert [normal(x) for x in back] == [normal(x) for x in before], form.name
        else:
            assert name.startswith(("bfcl", "clinc")), (form.name, made.losses)
        again = convert(
            Dataset(tmp_path / "out.jsonl", form=form.name), "canonical", tmp_path / "back.jsonl"
        )
        assert again.written == len(before) and not again.losses
        assert {kind_of(x) for x in back} == {dataset.kind}


def test_dotted_names_and_odd_types_are_refused_where_the_vendor_refuses(tmp_path: Path) -> None:
    dataset = real.bfcl("simple_python", tmp_path / "a.jsonl")
    count = sum(1 for _ in dataset.examples())
    lines = {bad.line for bad in faults(dataset, "openai") if "parameters.type" in bad.message}
    assert lines == set(range(1, count + 1)), "`dict` is no type of JSON Schema"
    dotted = [bad for bad in faults(dataset, "openai") if "function names" in bad.message]
    assert 0.3 * count < len({bad.line for bad in dotted}) < 0.7 * count
    gemini = [bad for bad in faults(dataset, "vertex") if "function names" in bad.message]
    assert not gemini, "Gemini takes dots"


def test_the_file_as_it_is_upstream_is_named_line_by_line() -> None:
    dataset = Dataset(real.DATA / "bfcl/BFCL_v4_simple_python.json")
    items = list(dataset.read())
    assert all(isinstance(item, BadLine) for item in items)
    assert [item.line for item in items] == list(range(1, 61)), "the last line has no line break"


def test_scripts_and_separators_survive(tmp_path: Path) -> None:
    for language, sign in (("th", "เ"), ("te", "ల")):
        texts = [i.example for i in real.mgsm(language, tmp_path / "a.jsonl").examples()]
        assert any(sign in str(x) for x in texts)
        answers = [x.messages[-1].content for x in texts]  # type: ignore[union-attr]
        assert any("," in str(answer) for answer in answers), "thousands separators stay"


def test_calculator_marks_and_ties(tmp_path: Path) -> None:
    chats = [i.example for i in real.gsm8k(tmp_path / "a.jsonl").examples()]
    assert "<<48/2=24>>" in str(chats[0])
    pairs = real.qa_feedback(tmp_path / "b.jsonl")
    assert pairs.kind is Kind.PREFERENCE
    assert 100 < sum(1 for _ in pairs.examples()) < 150, "ties are left out"
