"""The worked examples: their data as they were made, and each one run in its smallest size."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ftbridge.dataset import Dataset, check

ROOT = Path(__file__).resolve().parents[2]
WORKED = {
    name: ROOT / "examples" / name
    for name in ("contract_clauses", "customer_support", "documentation_qa",
                 "financial_extraction", "medical_coding")
}  # fmt: skip
MEASURED = {name: ROOT / "benchmarks" / name for name in ("bfcl", "gsm8k")}
FOLDERS = WORKED | MEASURED
SETS = [
    (name, data)
    for name, folder in FOLDERS.items()
    for data in tomllib.loads((folder / "example.toml").read_text("utf-8"))
]
SYNTHETIC = ("contract_clauses", "financial_extraction", "medical_coding")
MOST_BYTES = 1_000_000
PATIENCE = 800
"""Seconds that one whole loop may take on a loaded machine."""


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wanted(name: str, data: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((FOLDERS[name] / "example.toml").read_text("utf-8"))[data]
    return found


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# -- the data --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "data"), SETS)
def test_the_data_are_good_and_held_out(name: str, data: str) -> None:
    folder, files = FOLDERS[name], wanted(name, data)
    train, heldout = folder / files["train"], folder / files["heldout"]
    found = check(Dataset(train), validation=Dataset(heldout))
    assert found.ok
    assert not [each.code for each in found.warnings if each.code.startswith("leak")]
    assert check(Dataset(folder / files["few_shot"]), structure_only=True).ok
    asked = [row["messages"][-2]["content"] for row in rows(train)]
    assert all(row["messages"][-2]["content"] in asked for row in rows(folder / files["few_shot"]))
    if files.get("classifier"):
        labels = Counter(row["messages"][-1]["content"] for row in rows(heldout))
        assert len(set(labels.values())) == 1, "as many held-out rows of each label"
        assert labels.keys() == {row["messages"][-1]["content"] for row in rows(train)}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_says_where_its_data_are_from(name: str) -> None:
    folder = FOLDERS[name]
    page = (folder / "README.md").read_text("utf-8")
    if name in SYNTHETIC:
        assert "SYNTHETIC" in page and "made_up" not in page
        assert all(row["metadata"]["synthetic"] is True for row in rows(folder / "train.jsonl"))
    else:
        licence = (folder / "LICENSE.md").read_text("utf-8")
        assert "commit" in licence and "What was changed" in licence
    assert sum(path.stat().st_size for path in folder.glob("*.jsonl")) < 2 * MOST_BYTES
    assert all(path.stat().st_size < MOST_BYTES for path in folder.iterdir() if path.is_file())


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_data_are_made_again_to_the_byte(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    module = loaded(FOLDERS[name] / "make_data.py")
    monkeypatch.setattr(module, "HERE", tmp_path)
    module.main()
    made = sorted(path.name for path in tmp_path.iterdir())
    assert {"fewshot.jsonl", "heldout.jsonl", "train.jsonl"} <= set(made)
    for file in made:
        assert (tmp_path / file).read_bytes() == (FOLDERS[name] / file).read_bytes(), file


def test_every_figure_stands_in_its_sentence() -> None:
    """What is to be extracted can be read off the text."""
    for row in rows(FOLDERS["financial_extraction"] / "heldout.jsonl"):
        text, answer = (message["content"] for message in row["messages"][1:])
        figures = json.loads(answer)
        assert figures["company"] in text
        for key in ("amount_millions", "change_percent"):
            assert str(abs(figures[key])) in text


def test_the_form_that_gsm8k_is_scored_by() -> None:
    scorers = loaded(FOLDERS["gsm8k"] / "scorers.py")
    assert scorers.ends_in_number("", "48/2 = 24\n#### 1,024", {})
    for answer in ("", "The answer is 24.", "#### 24\nIs that right?", "#### many"):
        assert not scorers.ends_in_number("", answer, {})
    for row in rows(FOLDERS["gsm8k"] / "heldout.jsonl"):
        assert scorers.ends_in_number("", row["messages"][-1]["content"], {})


def test_calls_as_text_are_scored_whatever_their_order() -> None:
    scorers = loaded(FOLDERS["bfcl"] / "scorers.py")
    one, two = ({"name": name, "arguments": {"x": 1, "y": [2]}} for name in "ab")
    wanted = json.dumps([one, two])
    assert scorers.same_calls(wanted, json.dumps([two, one]), {})
    other = json.dumps([one, two | {"arguments": {"x": 2}}])
    assert not scorers.same_calls(wanted, other, {}) and scorers.same_names(wanted, other, {})
    for answer in ("", "a(1)", "[1]", '{"name": "a"}', json.dumps([one])):
        assert not scorers.same_calls(wanted, answer, {})
        assert not scorers.same_names(wanted, answer, {})
    for row in rows(FOLDERS["bfcl"] / "text_heldout.jsonl"):
        answer = row["messages"][-1]["content"]
        assert scorers.same_calls(answer, answer, {})


# -- the loop --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model whose context holds the longest prompt here, a token a letter."""
    from ftbridge.testing.tiny_model import build

    folder = build(tmp_path_factory.mktemp("tiny"))
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = 16_384
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def run(words: list[str], home: Path) -> str:
    env = os.environ | {"FTBRIDGE_HOME": str(home), "PYTHON": sys.executable}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def fits(result: dict[str, Any], seeds: int) -> None:
    assert result["n"] == 6 and result["tiny"] is True
    assert [each["seed"] for each in result["tuned"]] == list(range(seeds))
    for side in [result["baseline"], *(each["tuned"] for each in result["tuned"])]:
        assert side["ci"][0] <= side["value"] <= side["ci"][1]


@pytest.mark.long
@pytest.mark.training
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", WORKED)
def test_an_example_here(name: str, tiny: Path, tmp_path: Path) -> None:
    words = [str(WORKED[name] / "run.sh"), "--tiny", "--model", str(tiny)]
    said = run([*words, "--out", str(tmp_path / "out")], tmp_path / "home")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    fits(result, 1)
    assert result["provider"] == "local" and result["sandbox"] is False
    assert "cost of one training" in said and "nobody sends one" in said
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", WORKED)
def test_an_example_at_a_vendors_sandbox(name: str, tmp_path: Path) -> None:
    words = [str(WORKED[name] / "run.sh"), "--tiny", "--provider", "openai", "--sandbox"]
    said = run([*words, "--out", str(tmp_path / "out")], tmp_path / "home")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    fits(result, 1)
    assert result["sandbox"] is True and result["tuned"][0]["billed_usd"] > 0
    assert "bill: " in said and not (tmp_path / "home").exists(), "a rehearsal has its own ledger"
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Examples side by side" in page and "No row is shown" not in page


@pytest.mark.long
@pytest.mark.training
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["banking77_77", "bfcl_calls", "gsm8k_format"])
def test_a_measured_loop(name: str, tiny: Path, tmp_path: Path) -> None:
    script = str(ROOT / "benchmarks" / "loops.py")
    words = [sys.executable, script, name, "--tiny", "--seeds", "2", "--model", str(tiny)]
    run([*words, "--results", str(tmp_path / "r")], tmp_path / "home")
    kept = (tmp_path / "r" / f"{name}.json").read_text()
    fits(json.loads(kept), 2)
    assert str(tmp_path) not in kept and str(tiny) not in kept
