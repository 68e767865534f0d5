"""A tiny random Llama, a tiny byte-level tokenizer, and run directories around them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ftbridge.testing.tiny_model import build, make_tokenizer

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return make_tokenizer()


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    return build(tmp_path_factory.mktemp("tiny-llama"), tokenizer)


@pytest.fixture
def load(model_dir: Path) -> Callable[[], Any]:
    """Loads the tiny model in fp32, ready for gradients."""
    from transformers import AutoModelForCausalLM

    return lambda: AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32)


def chat(question: str, answer: str, **more: Any) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ],
        **more,
    }


def write_rows(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def rows_of(count: int) -> list[dict[str, Any]]:
    return [
        chat(f"Where is card {i}? " + "please " * (i % 5), f"Card {i} is here.")
        for i in range(count)
    ]


@pytest.fixture
def new_run(tmp_path: Path, model_dir: Path) -> Callable[..., Path]:
    """Makes a run directory with a small recipe; keyword arguments override its keys."""

    def make(name: str = "run", rows: int = 12, **keys: Any) -> Path:
        run = tmp_path / name
        run.mkdir()
        write_rows(run / "train.jsonl", rows_of(rows))
        recipe = {
            "schema": 1,
            "model": str(model_dir),
            "train": "train.jsonl",
            "adapter": "lora",
            "n_epochs": 2,
            "batch_size": 4,
            "micro_batch_size": 2,
            "lora_r": 4,
            "lora_dropout": 0.1,  # so that the random generators matter
            "compute_dtype": "fp32",
            "checkpoint_steps": 2,
            "threads": 1,
            **keys,
        }
        (run / "recipe.json").write_text(json.dumps(recipe), "utf-8")
        return run

    return make


@pytest.fixture(autouse=True)
def _open_network_again() -> Iterator[None]:
    from ftbridge_trainer import guard

    yield
    guard.lift()
    torch.use_deterministic_algorithms(False)


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content


def read_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
