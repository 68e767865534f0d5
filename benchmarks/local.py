"""Our training loop against TRL's trainers: the same model, rows, batches and adapters.

    python benchmarks/local.py [--json] [--pairs 3] [--steps 10] [--model smollm2-135m|PATH]
                               [--methods sft,dpo] [--threads N]

Each run is a process of its own (``local_run.py``); ours and TRL's alternate, and who begins
alternates too. Both start from the same model (NF4, LoRA r 16 on every linear layer, adapters in
fp32) and see the very same rows in the same order: for SFT, packed rows of at most 512 tokens, four
to a step, loss on the assistant's tokens; for DPO, four pairs to a step. Measured from the end of
the first step on: tokens per CPU-second of the process. Measured over the whole: the growth of
resident memory over the loaded model. In the end both adapters are put to the same held-out rows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ftbridge

RUN = Path(__file__).with_name("local_run.py")
BOUNDS = {"tokens_per_cpu_second_ratio": "at least 1.25", "memory_growth_ratio": "at most 0.85",
          "held_out_loss_ratio": "at most 1.01"}  # fmt: skip


def main() -> None:
    given = _parse()
    model = _model(given.model)
    with tempfile.TemporaryDirectory(prefix="ftbridge-bench-") as folder:
        measured = {
            method: _alternate(method, model, Path(folder), given)
            for method in given.methods.split(",")
        }
    document = _document(measured, model, given)
    if given.json:
        print(json.dumps(document, indent=1))
        return
    for method in measured:
        found = document if method == "sft" else document[method]
        print(f"{method}: {json.dumps({name: found[name] for name in BOUNDS})}")
        for run in found["runs"]:
            print("   ", json.dumps(run))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each trainer")
    parser.add_argument("--steps", type=int, default=10, help="optimizer steps a run")
    parser.add_argument("--model", default="smollm2-135m", help="short name or folder")
    parser.add_argument("--methods", default="sft,dpo")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _model(name: str) -> Path:
    """The folder of the base; a short name is fetched once, as `ftbridge models fetch` does."""
    return Path(name) if Path(name).is_dir() else ftbridge.Bridge().fetch_model(name)


def _alternate(method: str, model: Path, folder: Path, given: argparse.Namespace) -> list[Any]:
    runs = []
    for pair in range(given.pairs):
        order = ("ours", "trl") if pair % 2 == 0 else ("trl", "ours")
        for who in order:
            runs.append(_run(who, method, model, folder, given) | {"pair": pair})
            print(f"{method} {runs[-1]}", file=sys.stderr)
    return runs


def _run(who: str, method: str, model: Path, folder: Path, given: argparse.Namespace) -> Any:
    threads = str(given.threads)
    done = subprocess.run(
        [sys.executable, str(RUN), who, method, str(model), str(folder), str(given.steps), threads],
        env=os.environ | {
            "OMP_NUM_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
        },
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def _compared(runs: list[Any]) -> dict[str, Any]:
    """Ratios of the medians, ours over TRL's, and each side's spread."""

    def side(who: str, name: str) -> list[float]:
        return [float(run[name]) for run in runs if run["who"] == who]

    found: dict[str, Any] = {}
    for name, ratio in (
        ("tokens_per_cpu_second", "tokens_per_cpu_second_ratio"),
        ("memory_growth_mb", "memory_growth_ratio"),
        ("held_out_loss", "held_out_loss_ratio"),
    ):
        ours, theirs = side("ours", name), side("trl", name)
        found[ratio] = round(statistics.median(ours) / statistics.median(theirs), 4)
        found[name] = {
            who: {"median": statistics.median(values), "least": min(values), "most": max(values)}
            for who, values in (("ours", ours), ("trl", theirs))
        }
    return found | {"runs": runs}


def _document(measured: dict[str, Any], model: Path, given: argparse.Namespace) -> dict[str, Any]:
    compared = {method: _compared(runs) for method, runs in measured.items()}
    about = {
        "model": model.name,
        "steps": given.steps,
        "threads": given.threads,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "trl",
                                                      "bitsandbytes")},
        "bounds": BOUNDS,
    }  # fmt: skip
    return compared.pop("sft", {}) | about | compared


if __name__ == "__main__":
    main()
