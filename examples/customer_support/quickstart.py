"""The main job, end to end, through the command line that a user would type.

usage: python quickstart.py SUMMARY.json   (FTBRIDGE_HOME says where models and runs are kept)

Check the data, compare prices, train with QLoRA on this machine, watch, evaluate against the
base model prompted with twelve examples, and write a summary: ``base`` and ``tuned`` are
fractions of right answers on ``n`` rows that were never trained on; ``peak_rss_mb`` is the
largest process; ``seconds`` is the whole, installation aside.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TRAIN, HELDOUT, FEWSHOT = (str(HERE / f"{name}.jsonl") for name in ("train", "heldout", "fewshot"))


def ftbridge(*arguments: str) -> dict[str, Any]:
    """Run one command, show it, and return its JSON document."""
    print(f"\n$ ftbridge {' '.join(arguments)}", flush=True)
    command = [sys.executable, "-m", "ftbridge", *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    document: dict[str, Any] = json.loads(done.stdout)
    if done.returncode:
        error = document.get("error") or {}
        sys.exit(f"error: {error.get('message', document)}\nhint: {error.get('hint', '')}")
    return document


def share(value: float, ci: list[float]) -> str:
    return f"{value:.1%} (95 % interval {ci[0]:.1%} to {ci[1]:.1%})"


def usd(offer: dict[str, Any]) -> str:
    low, high = offer["usd"]["low"], offer["usd"]["high"]
    if high is None:
        return "unknown"
    return f"{high:.4f} USD" if low == high else f"{low:.4f} to {high:.4f} USD"


def prepare() -> None:
    """Model, data and prices."""
    print(f"base model: {ftbridge('models', 'fetch', 'smollm2-135m')['path']}")
    checked = ftbridge("check", TRAIN)
    found = len(checked["errors"]), len(checked["warnings"])
    print(f"{checked['examples']} examples, {found[0]} errors, {found[1]} warnings")
    compared = ftbridge("compare", TRAIN, "--n-epochs", "1", "--calibrate")
    for offer in compared["offers"]:
        print(f"{offer['provider']:8} {offer['model']:26} {usd(offer)}")


def train() -> dict[str, Any]:
    """QLoRA (NF4, rank 16, one epoch) in a detached process, followed to its end."""
    settings = ("--provider", "local", "--adapter", "qlora", "--n-epochs", "1", "--seed", "0")
    job = ftbridge("submit", TRAIN, *settings, "--again", "--watch")
    result: dict[str, Any] = json.loads((Path(job["model"]).parent / "result.json").read_text())
    print(f"{job['state']}: loss {result['final_train_loss']:.3f} after {result['steps']} steps,")
    print(f"{result['seconds']:.0f} s, {result['tokens_per_second']:.0f} tokens/s")
    return job | {"result": result}


def main() -> None:
    began = time.monotonic()
    prepare()
    job = train()
    settings = ("--baseline", "base", "--few-shot", FEWSHOT, "--max-tokens", "12")
    scores = ftbridge("eval", HELDOUT, "--model", job["job"], *settings)
    bayes = json.loads(subprocess.check_output([sys.executable, str(HERE / "naive_bayes.py")]))
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    summary = {
        "base": scores["baseline"]["value"],
        "tuned": scores["tuned"]["value"],
        "difference": scores["difference"],
        "verdict": scores["verdict"],
        "n": scores["n"],
        "naive_bayes": bayes["accuracy"],
        "usd": job["usd"],
        "seconds": round(time.monotonic() - began, 1),
        "peak_rss_mb": max(children, job["result"]["peak_rss_mb"]),
        "job": job["job"],
        "model": job["model"],
    }
    Path(sys.argv[1]).write_text(json.dumps(summary, indent=1) + "\n")
    report(scores, summary)


def report(scores: dict[str, Any], summary: dict[str, Any]) -> None:
    base, tuned = scores["baseline"], scores["tuned"]
    print(f"\nbase model, shown 12 examples: {share(base['value'], base['ci'])}")
    print(f"tuned model, shown none:       {share(tuned['value'], tuned['ci'])}")
    print(f"{scores['verdict']} on {scores['n']} rows never trained on, p = ", end="")
    print(f"{scores['difference']['p']:.1g}")
    print("A naive Bayes classifier, trained in a second on the same rows: ", end="")
    print(f"{summary['naive_bayes']:.1%}.")
    print("So this shows that the pipeline works, not that this task needs a language model.")
    print(f"\npower used (estimate): {usd(summary)}; bill: none")
    print(f"model:   {summary['model']}")
    print(f"ledger:  {os.environ.get('FTBRIDGE_HOME', '~/.ftbridge')}/ledger.db")
    print(f"summary: {sys.argv[1]} ({summary['seconds']:.0f} s, {summary['peak_rss_mb']} MB)")


if __name__ == "__main__":
    main()
