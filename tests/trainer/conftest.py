"""A tiny random Llama, a tiny byte-level tokenizer, and run directories around them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

# ChatML without generation markers, as most published templates are.
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] }}"
    "{% if m['tool_calls'] %}{% for c in m['tool_calls'] %}"
    "{{ '<call>' + c['function']['name'] + (c['function']['arguments'] | tojson) }}"
    "{% endfor %}{% endif %}"
    "{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def make_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        ["the card \n\n is here \n\n assistant user system"] * 20, trainer
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=CHATML,
    )


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return make_tokenizer()


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny-llama")
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.2,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


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
