"""Graders as the trainer asks them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ftbridge.graders import grader_from
from ftbridge.grading import score as score_in_core
from ftbridge_trainer import programs
from ftbridge_trainer.errors import TrainerError
from ftbridge_trainer.scorer import Scorer

ITEM = {"reference": "Rome", "more": {"words": ["Rome is it", 7]}}
CHECK = {"type": "string_check", "name": "check", "operation": "ilike",
         "input": "{{ sample.output_text }}", "reference": "{{ item.reference }}"}  # fmt: skip
NEAR = {"type": "text_similarity", "name": "near", "evaluation_metric": "fuzzy_match",
        "input": "{{sample.output_text}}", "reference": "{{ item.more.words[0] }}"}  # fmt: skip
BOTH = {"type": "multi", "name": "both", "graders": {"a": CHECK, "b": NEAR},
        "calculate_output": "0.5 * a + 0.5 * b"}  # fmt: skip
JUDGE = {"type": "score_model", "name": "judge", "model": "m", "range": [0, 10],
         "input": [{"role": "developer", "content": "Score {{ sample.output_text }}"}]}  # fmt: skip


def python(source: str) -> dict[str, Any]:
    return {"type": "python", "name": "own", "source": source}


@pytest.mark.parametrize("grader", [BOTH, CHECK, NEAR])
@pytest.mark.parametrize("answer", ["", "It is ROME.", "Rome is it"])
def test_the_same_score_as_in_the_core(grader: dict[str, Any], answer: str) -> None:
    checked = grader_from(grader)
    assert checked is not None
    with Scorer(checked.wire()) as scorer:
        assert scorer.score(answer, ITEM, "f:1") == score_in_core(checked, answer, ITEM)


def test_a_program_scores_and_sees_neither_network_nor_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A_SECRET_KEY", "x")
    source = (
        "import os\n"
        "def grade(sample, item):\n"
        "    print('to nobody')\n"
        "    try:\n"
        "        import socket; socket.create_connection(('127.0.0.1', 9))\n"
        "    except OSError as error:\n"
        "        assert 'may not open' in str(error)\n"
        "    return len(sample['output_text']) + item['more']['words'][1] + len(\n"
        "        [k for k in os.environ if 'SECRET' in k])\n"
    )
    with Scorer(python(source)) as scorer:
        assert [scorer.score(text, ITEM, "f:1") for text in ("", "abc")] == [7.0, 10.0]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def grade(sample, item):\n    return item['zanzibar']\n", "raises KeyError"),
        ("def grade(sample, item):\n    return float('nan')\n", "no finite number"),
        ("this is no program", "cannot be loaded"),
        ("import os\ndef grade(sample, item):\n    os._exit(3)\n", "ended by itself"),
        ("def grade(sample, item):\n    while True: pass\n", "takes longer"),
    ],
)
def test_a_program_that_fails_is_named(
    monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    monkeypatch.setattr(programs, "SECONDS", 0.5 if "while" in source else 60.0)
    with Scorer(python(source)) as scorer, pytest.raises(TrainerError, match=f"own.*{said}") as e:
        scorer.score("answer", ITEM, "f:1")
    assert "zanzibar" not in str(e.value)


@pytest.fixture
def answers() -> Iterator[list[str]]:
    yield ["Score: 7", "12", "-3.5", "none"]


def test_a_judge_gives_the_first_number_within_its_range(answers: list[str]) -> None:
    asked: list[Any] = []

    def judge(model: str, messages: list[dict[str, str]], limit: int) -> str:
        asked.append((model, messages))
        return answers[len(asked) - 1]

    with Scorer(JUDGE, judge) as scorer:
        assert [scorer.score("x", ITEM, "f:1") for _ in answers] == [7.0, 10.0, 0.0, 0.0]
        assert scorer.unread == 1
    assert asked[0] == ("m", [{"role": "system", "content": "Score x"}])


def test_what_is_not_scored_is_refused_before_training() -> None:
    with pytest.raises(TrainerError, match="bleu is not computed here"):
        Scorer(NEAR | {"evaluation_metric": "bleu"})
    with Scorer(JUDGE | {"model": "/nowhere"}) as scorer, pytest.raises(TrainerError) as error:
        scorer.score("x", ITEM, "f:1")
    assert error.value.code == "judge_missing"
