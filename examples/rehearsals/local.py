"""One full rehearsal on this machine: a real training run, of a model that knows nothing.

usage: python local.py [--summary FILE]

Makes a tiny Llama with random weights (0.1 million parameters, a byte-level vocabulary), and walks
the whole way with it on 24 customer messages: doctor, check, plan, submit, watch, events, chat,
eval, download as adapter and merged, purge. Its answers are noise; what is real is the training
process, its run folder, its events and the weights. `script/quickstart` does it with a real model.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from rehearse import DATA, Rehearsal

ROWS, HELD_OUT = 24, 6
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] }}"
    "{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def make_model(folder: Path) -> Path:
    """Save the tiny model with its tokenizer, as any model on disk lies there."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    marks = ["<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*marks, *alphabet])}
    plain = Tokenizer(models.BPE(vocabulary, []))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens(marks)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token=marks[1], pad_token=marks[1], chat_template=CHATML
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024,
        tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, dtype="float32",
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def head(name: str, rows: int, folder: Path) -> str:
    """The first rows of one of the example's files, in a file of their own."""
    lines = (DATA / f"{name}.jsonl").read_text("utf-8").splitlines(keepends=True)
    path = folder / f"{name}.jsonl"
    path.write_text("".join(lines[:rows]), "utf-8")
    return str(path)


def walk(rehearsal: Rehearsal, train: str, heldout: str) -> dict[str, Any]:
    """Every command, from doctor to purge."""
    folder = rehearsal.folder
    model = make_model(folder / "tiny")
    print(f"  a tiny model of random weights: {model}")
    settings = [
        "--provider",
        "local",
        "--model",
        str(model),
        "--adapter",
        "lora",
        "--n-epochs",
        "1",
    ]
    rehearsal.step("doctor", "local")
    rehearsal.step("check", train, "--structure-only")
    rehearsal.step("plan", train, *settings)
    job = rehearsal.step("submit", train, *settings, "--seed", "0", "--watch")
    result = json.loads((Path(job["model"]).parent / "result.json").read_text("utf-8"))
    print(f"  {job['state']}: {result['steps']} steps, {result['tokens_per_second']:.0f} tokens/s")
    rehearsal.step("events", job["job"])
    rehearsal.step("chat", job["job"], "I lost my card", "--max-tokens", "4")
    scores = rehearsal.step(
        "eval", heldout, "--model", job["job"], "--baseline", "base", "--max-tokens", "4"
    )
    print(f"  right on {scores['tuned']['value']:.0%} of {scores['n']} rows: it knows nothing")
    rehearsal.step("download", job["job"], "-o", str(folder / "adapter"))
    rehearsal.step("download", job["job"], "-o", str(folder / "merged"), "--merged")
    print(f"  merged: {', '.join(sorted(path.name for path in (folder / 'merged').iterdir()))}")
    rehearsal.step("purge", job["job"])
    return job


def main() -> None:
    parser = argparse.ArgumentParser(description="One full rehearsal on this machine.")
    parser.add_argument("--summary", type=Path, help="write the summary here, as JSON")
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        env = {**os.environ, "FTBRIDGE_HOME": str(folder / "home")}
        rehearsal = Rehearsal("local", env, folder)
        job = walk(rehearsal, head("train", ROWS, folder), head("heldout", HELD_OUT, folder))
    seconds = round(time.monotonic() - began, 1)
    if asked.summary:
        told = {"provider": "local", "state": job["state"], "seconds": seconds}
        asked.summary.write_text(json.dumps(told | {"steps": rehearsal.steps}, indent=1) + "\n")
    print(f"done: {len(rehearsal.steps)} commands in {seconds} s")


if __name__ == "__main__":
    main()
