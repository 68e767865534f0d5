"""Graders: what is taken, what is refused and where, and scores on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge import Bridge
from ftbridge.errors import DataError, FtbridgeError, Unsupported, UsageError
from ftbridge.graders import KINDS, Grader, Multi, grader_from
from ftbridge.grading import score, why_not_here
from ftbridge.jobs.spec import DataRef, JobSpec, Method
from ftbridge_trainer.formula import FUNCTIONS, Formula, FormulaError

CHECK: dict[str, Any] = {
    "type": "string_check", "name": "same", "operation": "eq",
    "input": "{{sample.output_text}}", "reference": "{{ item.reference }}",
}  # fmt: skip
ALIKE = CHECK | {"type": "text_similarity", "name": "alike", "evaluation_metric": "fuzzy_match"}
ALIKE = {name: value for name, value in ALIKE.items() if name != "operation"}
PROGRAM = {"type": "python", "name": "p", "source": "def grade(sample, item):\n    return 1.0\n"}
JUDGE: dict[str, Any] = {
    "type": "score_model", "name": "judge", "model": "gpt-4.1-mini",
    "input": [{"role": "user", "content": "Is {{sample.output_text}} right?"}], "range": [0, 10],
    "sampling_params": {"temperature": 0, "seed": 1},
}  # fmt: skip
MULTI: dict[str, Any] = {
    "type": "multi", "name": "both", "graders": {"same": CHECK, "alike": ALIKE},
    "calculate_output": "0.75 * same + 0.25 * min(alike, 1)",
}  # fmt: skip


def made(content: dict[str, Any]) -> Grader:
    found = grader_from(content)
    assert found is not None
    return found


@pytest.mark.parametrize("content", [CHECK, ALIKE, PROGRAM, JUDGE, MULTI])
def test_the_wire_is_what_was_written(content: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "grader.json"
    path.write_text(json.dumps(content))
    loaded = grader_from(path)
    assert loaded is not None and loaded.wire() == content == made(loaded.wire()).wire()


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "grader.toml"
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in CHECK.items())
    path.write_text(lines)
    loaded = grader_from(str(path))
    assert loaded is not None and loaded.wire() == CHECK


@pytest.mark.parametrize(
    ("content", "where", "said"),
    [
        ({}, "grader", "has no `type`"),
        ([], "grader", ""),
        ({"type": "exact"}, "grader", "`exact` is no kind"),
        (CHECK | {"operation": "equals"}, "operation", "eq"),
        ({k: v for k, v in CHECK.items() if k != "reference"}, "reference", "is missing"),
        (CHECK | {"pass_threshold": 1}, "pass_threshold", "is not known"),
        (CHECK | {"input": "{{ output }}"}, "input", "names neither"),
        (JUDGE | {"range": [1, 0]}, "range", "smaller"),
        (JUDGE | {"range": [1, 2, 3]}, "range", ""),
        (JUDGE | {"input": [{"role": "critic", "content": "x"}]}, "input.0.role", "user"),
        (MULTI | {"graders": {"same": CHECK | {"operation": 1}}}, "graders.same.operation", ""),
        (MULTI | {"graders": {"a": MULTI}}, "graders.a", "no kind"),
        (MULTI | {"calculate_output": "same + other"}, "grader", "other"),
        (MULTI | {"calculate_output": "same"}, "grader", "never uses `alike`"),
        (MULTI | {"calculate_output": "__import__('os')"}, "grader", ""),
        (MULTI | {"graders": {"a b": CHECK}}, "grader", "a b"),
    ],
)
def test_a_bad_one_names_its_field(content: Any, where: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        grader_from(content)
    assert caught.value.where == where and said in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "text"), [("g.json", "{"), ("g.toml", "type ="), ("no.json", None)]
)
def test_a_file_that_is_none(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        grader_from(tmp_path / name)
    assert str(tmp_path / name) in caught.value.message


@pytest.mark.parametrize(
    ("operation", "answer", "expected"),
    [
        ("eq", "Rome", 1), ("eq", "rome", 0), ("ne", "rome", 1), ("like", "It is Rome.", 1),
        ("like", "ROME", 0), ("ilike", "in ROME now", 1), ("ilike", "Paris", 0),
    ],
)  # fmt: skip
def test_string_check(operation: str, answer: str, expected: int) -> None:
    grader = made(CHECK | {"operation": operation})
    assert score(grader, answer, {"reference": "Rome"}) == expected


def test_templates_reach_into_the_line() -> None:
    grader = made(CHECK | {"reference": "{{ item.parts[1].name }}={{item.n}}"})
    assert score(grader, "b=[1]", {"parts": [{}, {"name": "b"}], "n": [1]}) == 1
    with pytest.raises(DataError, match=r"item\.parts\[1\]\.name"):
        score(grader, "b", {"parts": []})


def test_fuzzy_and_multi() -> None:
    item = {"reference": "kitten"}
    alike = score(made(ALIKE), "sitting", item)
    assert alike == pytest.approx(2 * 4 / 13)  # 4 letters in common order, of 13
    assert score(made(MULTI), "kitten", item) == 1
    assert score(made(MULTI), "sitting", item) == pytest.approx(0.25 * alike)


@pytest.mark.parametrize("content", [PROGRAM, JUDGE, ALIKE | {"evaluation_metric": "bleu"}])
def test_what_is_not_scored_here_says_so(content: dict[str, Any]) -> None:
    inside = made(MULTI | {"graders": {"same": content, "alike": ALIKE}})
    for grader in (made(content), inside):
        assert why_not_here(grader)
        with pytest.raises(Unsupported):
            score(grader, "x", {"reference": "x"})


def test_formulas() -> None:
    assert Formula("2 ^ 3 ^ a - -1").value({"a": 2}) == 513
    assert Formula("max(a, b) / sqrt(4) + floor(1.5)").value({"a": 1, "b": 3}) == 2.5
    words = ("", "a +", "a.b", "a[0]", "f(a)", "True", "'x'", "a if b else c", "~a", "a ** 2")
    for bad in (*words, "(" * 300):
        with pytest.raises(FormulaError):
            Formula(bad)
    for text in ("1 / a", "log(a)", "9^9^9^9", "(a - 1) ^ 0.5", "min(1)"):
        with pytest.raises(FormulaError):
            Formula(text).value({"a": 0})
    with pytest.raises(FormulaError):
        Formula("-" * 499 + "a").value({})


def test_the_page_shows_one_that_works() -> None:
    page = (Path(__file__).parents[2] / "docs" / "graders.md").read_text("utf-8")
    grader = made(json.loads(page.split("```json")[1].split("```")[0]))
    item = {"reference": "Rome", "explanation": "It is Rome."}
    assert score(grader, "It is Rome.", item) == 1
    assert all(f"`{kind}`" in page for kind in KINDS)
    assert all(name in page for name in FUNCTIONS)


def _spec(**changes: Any) -> JobSpec:
    data = DataRef(path="a", sha256="aa", kind="chat", examples=3, bytes=9)
    return JobSpec(**{"provider": "openai", "model": "m", "training": data, **changes})


def test_a_key_of_before_there_were_graders() -> None:
    assert _spec().key("me", 1) == "ftb-ff8ef291304f5164861d96e4694e6526"
    assert _spec(grader=made(CHECK)).key("me", 1) != _spec(grader=made(ALIKE)).key("me", 1)


def test_a_spec_of_before_and_one_with_a_grader_load() -> None:
    old = json.loads(_spec().model_dump_json())
    del old["grader"]
    assert JobSpec.model_validate(old) == _spec()
    new = _spec(method=Method.RL, grader=made(MULTI))
    again = JobSpec.model_validate_json(new.model_dump_json())
    assert again == new and isinstance(again.grader, Multi)


def test_a_grader_belongs_to_rl(tmp_path: Path) -> None:
    data = tmp_path / "d.jsonl"
    data.write_text('{"messages": [{"role": "user", "content": "x"}], "reference": "y"}\n')
    with pytest.raises(UsageError, match="method sft takes no grader"):
        Bridge().plan(data, provider="local", grader=CHECK)


def test_the_catalogue_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Bridge().provider("openai").catalogue()
    takes = catalogue.model_copy(update={"graders": ("string_check", "multi")})
    takes.check_grader(Method.RL, made(CHECK))
    takes.check_grader(Method.SFT, None)
    refused: list[tuple[Method, Grader | None]] = [
        (Method.RL, None), (Method.RL, made(MULTI)), (Method.DPO, made(CHECK)),
    ]  # fmt: skip
    for method, grader in refused:
        with pytest.raises(FtbridgeError) as caught:
            takes.check_grader(method, grader)
        assert caught.value.exit_code == 2 and caught.value.where == "grader"
