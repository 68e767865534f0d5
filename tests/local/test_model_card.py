"""What ``download`` gives says what it was made of, and not a word of the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import ftbridge
from ftbridge.dataset import Dataset
from ftbridge.job import Job
from ftbridge.testing.tiny_model import build
from ftbridge_local import models

pytestmark = pytest.mark.training
CANARY = "zanzibar-passphrase"
RESULT: dict[str, Any] = {
    "n": 40,
    "metric": "exact_match",
    "baseline": {"value": 0.2, "ci": [0.1, 0.35]},
    "tuned": {"value": 0.8, "ci": [0.65, 0.9]},
    "difference": {"value": 0.6, "ci": [0.4, 0.7], "p": 0.0001},
    "verdict": "better",
    "labels": {"classes": [{"label": CANARY}]},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def job(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("work")
    base = build(folder / "tiny-base")
    (base / "README.md").write_text("---\nlicense: Apache-2.0\n---\n# the base\n")
    rows = [
        {"messages": [{"role": "system", "content": CANARY},
                      {"role": "user", "content": f"{CANARY} {n}"},
                      {"role": "assistant", "content": f"{CANARY}, {n}"}],
         "metadata": {CANARY: n}}
        for n in range(12)
    ]  # fmt: skip
    data = folder / f"{CANARY}.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bridge = ftbridge.Bridge(home)
    plan = bridge.plan(
        data, provider="local", model=str(base), adapter="lora", validation=str(data),
        n_epochs=1, lora_r=4, suffix="cards", tags={"team": CANARY},
        options={"compute_dtype": "fp32", "threads": "1", "packing": "false"},
    )  # fmt: skip
    return bridge.submit(plan).wait(0.05)


def _card(folder: Path) -> tuple[dict[str, Any], str]:
    text = (folder / "README.md").read_text("utf-8")
    assert CANARY not in text
    return yaml.safe_load(text.split("---")[1]), text


def test_an_adapter_comes_with_its_card(job: Job, tmp_path: Path) -> None:
    out = job.download(tmp_path / "adapter")
    metadata, text = _card(out)
    sha = Dataset(job.plan.spec.training.path).sha256
    assert metadata == {
        "library_name": "peft", "license": "apache-2.0", "tags": ["ftbridge", "sft"],
    }  # fmt: skip
    assert f"12 chat examples, sha256 `{sha}`" in text
    assert "| base | tiny-base |" in text
    assert str(tmp_path.parent) not in text
    assert "| licence of the base | Apache-2.0 |" in text
    assert "| lora_r | 4 | given |" in text
    assert "| max_length | " in text  # what only the run could decide
    assert "- valid_loss at step 2: " in text
    assert "not evaluated" in text


def test_an_evaluation_is_in_the_card(job: Job, home: Path, tmp_path: Path) -> None:
    known = job._bridge.ledger.evaluations
    known.begin({"id": "eval_1", "job_id": job.id, "model": "t", "baseline": "base",
                 "data_sha256": "0" * 64, "metric": "exact_match"})  # fmt: skip
    known.finish("eval_1", RESULT)
    metadata, text = _card(job.download(tmp_path / "merged", merged=True))
    assert metadata["library_name"] == "transformers"
    assert "40 rows, exact_match: 0.800 (95 % 0.650 to 0.900) against 0.200" in text
    assert "difference +0.600 (95 % 0.400 to 0.700), p = 0.0001: better" in text
    assert "merged into the base" in text


def test_what_a_base_is_called_and_may_be_used_for(tmp_path: Path) -> None:
    listed = models.base_facts("smollm2-135m", tmp_path)
    assert listed == ("HuggingFaceTB/SmolLM2-135M-Instruct", "Apache-2.0")
    assert models.base_facts("Some/Model", tmp_path) == ("Some/Model", None)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "README.md").write_text("no metadata here\nlicense: mit\n")
    assert models.base_facts(str(tmp_path), tmp_path).licence is None
