"""The loops that the README quotes, over several seeds, on this machine's own model.

usage: python benchmarks/loops.py [NAME...] [--seeds 3] [--tiny] [--model M] [--json]

Each writes ``benchmarks/results/NAME.json``: the prompted baseline and the tuned model of each
seed on the same held-out rows, with their 95 % intervals. NAME is one of banking77_12,
banking77_77, gsm8k_format, bfcl_calls; all of them if left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LOOPS = {
    "banking77_12": ("examples/customer_support", "easy"),
    "banking77_77": ("examples/customer_support", "all"),
    "gsm8k_format": ("benchmarks/gsm8k", "format"),
    "bfcl_calls": ("benchmarks/bfcl", "text"),
}


def measure(name: str, more: list[str]) -> dict[str, Any]:
    """Run one loop and return what is kept of it: no path of this machine."""
    folder, data = LOOPS[name]
    with tempfile.TemporaryDirectory() as out:
        words = [str(ROOT / "examples" / "loop.py"), str(ROOT / folder), data, "--out", out, *more]
        subprocess.run([sys.executable, *words], check=True, stdout=sys.stderr)
        result: dict[str, Any] = json.loads((Path(out) / "result.json").read_text("utf-8"))
    for side in (result["baseline"], result["baseline_alone"]):
        side["model"], side["metric"] = Path(side["model"]).name, result["metric"]
    for each in result["tuned"]:
        each["tuned"] |= {"model": f"{result['model']}, seed {each['seed']}",
                          "metric": result["metric"]}  # fmt: skip
    return {key: value for key, value in result.items() if key not in ("report", "offers")}


def main() -> None:
    """Run those that were named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*LOOPS, []], metavar="NAME")
    parser.add_argument("--seeds", default="3")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--model")
    parser.add_argument("--json", action="store_true", help="print all of it, too")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    more = ["--seeds", given.seeds, *(["--tiny"] if given.tiny else [])]
    more += ["--model", given.model] if given.model else []
    given.results.mkdir(parents=True, exist_ok=True)
    done = {}
    for name in given.names or LOOPS:
        done[name] = measure(name, more)
        (given.results / f"{name}.json").write_text(json.dumps(done[name], indent=1) + "\n")
        print(f"{name}: {given.results / name}.json", file=sys.stderr)
    if given.json:
        print(json.dumps(done))


if __name__ == "__main__":
    main()
