"""Each judgement finds what was planted, on the right lines, and leaves a clean set alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ftbridge.dataset import Dataset, check
from ftbridge.dataset.quality.page import page

from .rows import WORDS, chat, checked, clean, codes, prose, write


def _lines(report, code):
    return next(warning.lines for warning in report.warnings if warning.code == code)


def test_a_clean_set_has_no_finding(tmp_path: Path) -> None:
    report = checked(tmp_path / "a.jsonl", clean())
    assert codes(report) == {} and report.ok and report.examples == 220
    assert report.characters and report.characters > 1000


def test_exact_duplicates_are_counted_once_each(tmp_path: Path) -> None:
    rows = clean()
    report = checked(tmp_path / "a.jsonl", [*rows, rows[3], rows[3]])
    assert codes(report) == {"duplicate": 2} and _lines(report, "duplicate") == [221, 222]


def test_near_duplicates_are_found_with_a_word_in_thirty_changed(tmp_path: Path) -> None:
    source = random.Random(5)
    rows = [chat(prose(source, 60), prose(source, 120)) for _ in range(1500)]
    planted = []
    for row in source.sample(rows, 300):
        user, answer = (
            " ".join(
                source.choice(WORDS) + "s" if source.random() < 0.03 else word
                for word in turn["content"].split()
            )
            for turn in row["messages"]
        )
        planted.append(chat(user, answer))
    report = checked(tmp_path / "a.jsonl", rows + planted)
    assert codes(report)["near_duplicate"] >= 2 * 0.97 * 300
    assert codes(report)["near_duplicate"] <= 600


def test_a_long_common_system_text_makes_nothing_alike(tmp_path: Path) -> None:
    system = prose(random.Random(1), 400)
    assert "near_duplicate" not in codes(checked(tmp_path / "a.jsonl", clean(system=system)))


def test_scripts_without_spaces_are_compared_by_character(tmp_path: Path) -> None:
    source = random.Random(2)
    text = "".join(chr(source.randint(0x4E00, 0x4FFF)) for _ in range(200))
    other = "".join(chr(source.randint(0x5000, 0x51FF)) for _ in range(200))
    rows = [chat("问题" + text, "好。"), chat("问题" + text[:-2], "好。"), chat(other, "好。")]
    report = checked(tmp_path / "a.jsonl", rows)
    assert _lines(report, "near_duplicate") == [1, 2]


def test_contradictions(tmp_path: Path) -> None:
    rows = [*clean(), chat("What is the VAT?", "It is 19 %."), chat(" what is  the vat?", "7 %.")]
    report = checked(tmp_path / "a.jsonl", rows)
    assert _lines(report, "contradiction") == [221, 222]


def test_leaks_name_the_lines_of_the_validation_file(tmp_path: Path) -> None:
    rows = clean()
    user, answer = (turn["content"] for turn in rows[5]["messages"][1:])
    near = chat(user + " Thanks a lot.", answer, "Be brief and kind.")
    asked = chat(rows[9]["messages"][1]["content"], "Quite another answer.", "Be brief and kind.")
    other = clean(3, seed=9)
    held = Dataset(write(tmp_path / "v.jsonl", [rows[2], other[0], near, asked, other[1]]))
    report = checked(tmp_path / "a.jsonl", rows, validation=held)
    assert codes(report) == {"leak_duplicate": 1, "leak_near_duplicate": 1, "leak_prompt": 1}
    assert _lines(report, "leak_duplicate") == [1] and _lines(report, "leak_prompt") == [4]
    clean_held = Dataset(write(tmp_path / "w.jsonl", clean(20, seed=9)))
    assert codes(checked(tmp_path / "b.jsonl", rows, validation=clean_held)) == {}


def test_answers_empty_and_truncated_and_long(tmp_path: Path) -> None:
    source = random.Random(3)
    rows = clean()
    rows[10]["messages"][-1]["content"] = "  "
    rows[20]["messages"][-1]["content"] = prose(source, 60)[:-4]
    rows[30]["messages"][-1]["content"] = "Here:\n```python\nprint(1)"
    rows[40]["messages"][-1]["content"] = prose(source, 9000)
    report = checked(tmp_path / "a.jsonl", rows)
    assert _lines(report, "empty_answer") == [11]
    assert _lines(report, "truncated_answer") == [21, 31]
    assert _lines(report, "length_outlier") == [41]


def test_json_answers_of_mixed_form(tmp_path: Path) -> None:
    rows = clean()
    for number, row in enumerate(rows):
        row["messages"][-1]["content"] = f'{{"intent": "x{number}", "score": {number}}}'
    assert codes(checked(tmp_path / "a.jsonl", rows)) == {}
    rows[1]["messages"][-1]["content"] = '{"intent": "a"}'
    rows[2]["messages"][-1]["content"] = '{"intent": "a", }'
    rows[3]["messages"][-1]["content"] = "It is about a refund."
    report = checked(tmp_path / "b.jsonl", rows)
    assert codes(report) == {"json_keys": 1, "invalid_json_answer": 1, "mixed_format": 1}
    assert [_lines(report, code) for code in codes(report)] == [[3], [4], [2]]


def _labelled(counts: dict[str, int]) -> list[object]:
    source = random.Random(4)
    rows = [chat(prose(source, 12), label) for label, n in counts.items() for _ in range(n)]
    return rows


def test_labels(tmp_path: Path) -> None:
    assert codes(checked(tmp_path / "a.jsonl", _labelled({"refund": 110, "delivery": 100}))) == {}
    mixed = _labelled({"refund": 180, "delivery": 60, "Re-fund": 12, "delivrey": 2, "other": 9})
    found = codes(checked(tmp_path / "b.jsonl", mixed))
    assert found == {"label_spelling": 14, "rare_label": 11, "class_imbalance": 1}


def test_languages_and_scripts(tmp_path: Path) -> None:
    rows = clean()
    rows[7]["messages"][-1]["content"] = "Пожалуйста, проверьте счёт и адрес доставки ещё раз."
    german = "Bitte prüfen Sie die Rechnung und den Auftrag, wir können das nicht mit der Karte."
    english = chat("Please tell me what the invoice is for and how you can check it.", german)
    report = checked(tmp_path / "a.jsonl", [*rows, english])
    assert _lines(report, "answer_language") == [8, 221]
    assert _lines(report, "script_mix") == [8]


def test_system_texts(tmp_path: Path) -> None:
    rows = clean(system="You are a helpful assistant of the shop.")
    rows[4]["messages"][0]["content"] = "You are a  helpful assistant of the Shop."
    rows[5]["messages"].pop(0)
    report = checked(tmp_path / "a.jsonl", rows)
    assert codes(report) == {"system_prompt_missing": 1, "system_prompt_variant": 1}
    assert _lines(report, "system_prompt_variant") == [5]


@pytest.mark.parametrize(("count", "code"), [(10, "few_examples"), (60, "small_set"), (210, None)])
def test_volume(tmp_path: Path, count: int, code: str | None) -> None:
    report = checked(tmp_path / "a.jsonl", clean(count))
    assert codes(report) == ({code: 1} if code else {}) and report.advice


def test_other_kinds_are_judged_too(tmp_path: Path) -> None:
    source = random.Random(6)
    texts = [{"text": prose(source, 80)} for _ in range(210)]
    assert codes(checked(tmp_path / "t.jsonl", [*texts, texts[0]])) == {"duplicate": 1}
    pairs = [
        {
            "prompt": [{"role": "user", "content": prose(source, 20)}],
            "chosen": [{"role": "assistant", "content": prose(source, 30)}],
            "rejected": [{"role": "assistant", "content": prose(source, 30)}],
        }
        for _ in range(210)
    ]
    assert codes(checked(tmp_path / "p.jsonl", [*pairs, pairs[0]])) == {"duplicate": 1}
    tasks = [
        {"messages": [{"role": "user", "content": prose(source, 30)}], "reference": "5"}
        for _ in range(210)
    ]
    assert codes(checked(tmp_path / "r.jsonl", [*tasks, tasks[0]])) == {"duplicate": 1}


def test_structure_only_judges_nothing(tmp_path: Path) -> None:
    rows = clean(3)
    report = checked(tmp_path / "a.jsonl", [*rows, rows[0]], structure_only=True)
    assert report.warnings == [] and report.examples == 4


def test_the_page_escapes_what_it_is_given(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [*clean(3), {"messages": [], "<script>x": 1}])
    text = page(check(Dataset(path)), "<img src=x>.jsonl")
    assert "<script" not in text and "<img" not in text and "&lt;img" in text
    assert "http" not in text and "few_examples" in text
