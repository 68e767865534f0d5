"""What counting tokens costs, against the reference tokenizers, json and itself.

    python benchmarks/cost.py [--mb 403] [--real-mb 50] [--rounds 5] [--only NAME ...] [--json]

Every measurement runs in a process of its own, alternating over the rounds; the median counts.
Seconds are CPU seconds (user and system) of the work alone, after imports, loading of
vocabularies and a warm-up; only ``two_workers.wall`` and ``plan.process_*`` are what they say.
References: tiktoken (a loop of encode_ordinary), Hugging Face's tokenizers (encode_batch_fast on
one thread), mistral-common (its Tekkenizer), each over the same texts as ours: the first part of a
file (``mb`` says how much), since rates are compared. A plan sees the whole file.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cost_measures as measures

NAMES = ("rates", "plan", "two_workers", "estimate")
LIMITS_MB = {"o200k_base": 120, "llama3": 30, "mistral_v3": 60}
"""How much of a file a pair of counters sees: rates are compared, and references are slow."""

SLOW_MB = 40
"""How much of a file the slow vocabulary counts."""

SHARED_MB = 120
"""How much of the large file two workers share."""


def _work(name: str, arguments: tuple[Any, ...], pipe: Any) -> None:
    work: Callable[..., dict[str, Any]] = getattr(measures, name)
    pipe.send(work(*arguments))


def alone(name: str, *arguments: Any) -> dict[str, Any]:
    """A measurement of :mod:`cost_measures` in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(name, arguments, sender))
    process.start()
    sender.close()
    try:
        found: dict[str, Any] = receiver.recv()
    finally:
        process.join()
    return found


def median(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Field by field; what is no number is that of the first row."""
    return {
        key: statistics.median(row[key] for row in rows) if isinstance(value, float) else value
        for key, value in rows[0].items()
    }


class Runs:
    """The rounds of every measurement, and their medians."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self._wanted: dict[str, tuple[Any, ...]] = {}

    def want(self, key: str, *call: Any) -> None:
        """Measure ``call`` under this key, every round."""
        self._wanted[key] = call

    def all(self) -> dict[str, dict[str, Any]]:
        """Round by round, one after another within each."""
        found: dict[str, list[dict[str, Any]]] = {key: [] for key in self._wanted}
        for number in range(self.rounds):
            for key, call in self._wanted.items():
                found[key].append(alone(*call))
                print(f"round {number + 1}: {key} {found[key][-1]}", file=sys.stderr, flush=True)
        return {key: median(rows) for key, rows in found.items()}


def run(files: dict[str, Path], rounds: int, only: list[str]) -> dict[str, Any]:
    """All measurements, and the ratios of the issue."""
    runs = Runs(rounds)
    if "rates" in only:
        for text, path in files.items():
            for name, limit in LIMITS_MB.items():
                for side in ("ours", "reference"):
                    runs.want(f"{text}/{name}/{side}", side, name, path, limit)
    if "plan" in only:
        for side in ("json_loads", "plan", "plan_kept", "plan_process"):
            runs.want(f"plan/{side}", side, files["generated"])
    if "two_workers" in only:
        runs.want("two_workers", "two_workers", files["generated"], SHARED_MB)
    if "estimate" in only:
        for text, path in files.items():
            for side in ("slow_exact", "slow_estimate"):
                runs.want(f"{text}/{side}", side, path, SLOW_MB)
    medians = runs.all()
    if "estimate" in only:
        for text, path in files.items():
            medians[f"{text}/resamples"] = alone("resamples", path, SLOW_MB)
    return {"medians": medians, "ratios": ratios(medians)}


def ratios(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """What is asked: higher is better but for plan and the estimate's share and error."""
    made: dict[str, float] = {}
    for key, row in found.items():
        text, _, rest = key.partition("/")
        if rest.endswith("/ours"):
            other = found[key.removesuffix("ours") + "reference"]
            assert row["tokens"] == other["tokens"], f"{key}: the counts differ"
            made[f"{text}/{rest.removesuffix('/ours')}"] = other["s"] / row["s"]
        elif rest == "slow_estimate":
            made[f"{text}/estimate_share_of_exact"] = row["s"] / found[f"{text}/slow_exact"]["s"]
        elif rest == "resamples":
            made[f"{text}/estimate_error_p95"] = row["error_p95"]
            made[f"{text}/estimate_coverage"] = row["coverage"]
    if "plan/json_loads" in found:
        for name in ("plan", "plan_kept", "plan_process"):
            made[f"{name}_over_json_loads"] = (
                found[f"plan/{name}"]["s"] / found["plan/json_loads"]["s"]
            )
    if "two_workers" in found:
        row = found["two_workers"]
        made["two_workers_cpu"] = row["one_s"] / row["longest_s"]
        made["two_workers_wall"] = row["one_wall"] / row["two_wall"]
    return {name: round(value, 4) for name, value in made.items()}


def main() -> int:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description="Measure the counting of tokens.")
    parser.add_argument("--mb", type=int, default=403, help="size of the generated file")
    parser.add_argument("--real-mb", type=int, default=50, help="size of the real texts")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=NAMES, default=list(NAMES))
    parser.add_argument("--json", action="store_true", help="one document on stdout")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "generated": measures.generate(Path(folder) / "generated.jsonl", wanted.mb),
            "real": measures.real(Path(folder) / "real.jsonl", wanted.real_mb),
        }
        began = time.perf_counter()
        document = run(files, wanted.rounds, wanted.only)
        document |= {
            "mb": {name: round(path.stat().st_size / 1e6, 1) for name, path in files.items()},
            "rounds": wanted.rounds,
            "minutes": round((time.perf_counter() - began) / 60, 1),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
        }
    if wanted.json:
        print(json.dumps(document))
    else:
        for name, value in document["ratios"].items():
            print(f"{name:40} {value:8.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
