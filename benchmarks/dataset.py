"""How fast data is checked and converted, against json, pydantic and Together's file check.

    python benchmarks/dataset.py [--data FILE] [--n 200000] [--rounds 3] [--quality] [--json]

Each measurement runs in a process of its own, alternating over the rounds; the best
round counts (of memory: the worst). Times are wall seconds of the work itself, without imports
and start-up; one-core rows are CPU seconds as well (``cpu_s``), which a shared machine disturbs
less. Peak memory is that of the process (``ru_maxrss``).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import gen_chat


def json_loads(path: Path, out: Path) -> int:
    """json.loads over the lines."""
    count = 0
    with path.open("rb") as stream:
        for line in stream:
            json.loads(line)
            count += 1
    return count


def json_round(path: Path, out: Path) -> int:
    """json.loads, json.dumps(ensure_ascii=False), write."""
    count = 0
    with path.open("rb") as stream, out.open("w", encoding="utf-8") as target:
        for line in stream:
            target.write(json.dumps(json.loads(line), ensure_ascii=False) + "\n")
            count += 1
    return count


def check_structure(path: Path, out: Path, workers: int = 1) -> int:
    """Ours: every line checked."""
    from ftbridge.dataset import Dataset

    return Dataset(path).structure(workers=workers).examples


def check_two(path: Path, out: Path) -> int:
    """Ours, in two processes."""
    return check_structure(path, out, 2)


def convert_openai(path: Path, out: Path, workers: int = 1) -> int:
    """Ours: checked and written in OpenAI's form."""
    from ftbridge.dataset import Dataset
    from ftbridge.dataset.convert import convert

    return convert(Dataset(path), "openai", out, workers=workers).written


def convert_two(path: Path, out: Path) -> int:
    """Ours, in two processes."""
    return convert_openai(path, out, 2)


def quality(path: Path, out: Path) -> int:
    """Ours: the full judgement, near-duplicates included."""
    from ftbridge.dataset import Dataset, check

    return check(Dataset(path)).examples


def together_check(path: Path, out: Path) -> int:
    """Together's own check before an upload: two passes, UTF-8 and json.loads."""
    from together.lib.utils.files import check_file

    report = check_file(path)
    assert report["is_check_passed"], report["message"]
    return int(report["num_samples"])


def pydantic_check(path: Path, out: Path) -> int:
    """A pydantic model of the same format, validated from JSON."""
    model = _pydantic_model()
    count = 0
    with path.open("rb") as stream:
        for line in stream:
            model.model_validate_json(line)
            count += 1
    return count


def _pydantic_model() -> Any:
    from pydantic import BaseModel, ConfigDict

    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")

    class Call(Strict):
        name: str
        arguments: str

    class ToolCall(Strict):
        id: str
        type: Literal["function"]
        function: Call

    class Function(Strict):
        name: str
        description: str | None = None
        parameters: dict[str, Any] | None = None

    class Tool(Strict):
        type: Literal["function"]
        function: Function

    class Message(Strict):
        role: Literal["system", "user", "assistant", "tool"]
        content: str | None = None
        name: str | None = None
        tool_calls: list[ToolCall] | None = None
        tool_call_id: str | None = None
        weight: Literal[0, 1] | None = None

    class Chat(Strict):
        messages: list[Message]
        tools: list[Tool] | None = None

    return Chat


WORK: dict[str, Callable[[Path, Path], int]] = {
    "json_loads": json_loads,
    "check": check_structure,
    "check_two_workers": check_two,
    "pydantic": pydantic_check,
    "together": together_check,
    "json_round": json_round,
    "convert": convert_openai,
    "convert_two_workers": convert_two,
}


def _measure(name: str, path: Path, out: Path, pipe: Any) -> None:
    work = {**WORK, "quality": quality}[name]
    warm = path.with_name("warm.jsonl")
    work(warm, out)  # imports and first-use caches
    began, cpu = time.perf_counter(), time.process_time()
    count = work(path, out)
    pipe.send(
        {
            "s": time.perf_counter() - began,
            "cpu_s": time.process_time() - cpu,
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "examples": count,
        }
    )


def _alone(name: str, path: Path, out: Path) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(name, path, out, sender))
    process.start()
    sender.close()
    try:
        found: dict[str, Any] = receiver.recv()
    finally:
        process.join()
    return found


def measure(path: Path, rounds: int, names: list[str]) -> dict[str, dict[str, Any]]:
    """The best round of each."""
    best: dict[str, dict[str, Any]] = {}
    out = path.with_name("out.jsonl")
    for _ in range(rounds):
        for name in names:
            found = _alone(name, path, out)
            held = best.setdefault(name, found)
            for unit in ("s", "cpu_s"):
                held[unit] = min(held[unit], found[unit])
            held["rss_mb"] = max(held["rss_mb"], found["rss_mb"])
    out.unlink(missing_ok=True)
    return best


def _ratios(best: dict[str, dict[str, Any]], unit: str) -> dict[str, float]:
    pairs = {
        "check_over_json_loads": ("json_loads", "check"),
        "check_over_pydantic": ("pydantic", "check"),
        "check_over_together": ("together", "check"),
        "convert_over_json_round": ("json_round", "convert"),
        "check_two_workers_over_one": ("check", "check_two_workers"),
        "convert_two_workers_over_one": ("convert", "convert_two_workers"),
        "quality_times_structure": ("quality", "check"),
    }
    return {
        name: round(best[slow][unit] / best[fast][unit], 2)
        for name, (slow, fast) in pairs.items()
        if slow in best and fast in best and not (unit == "cpu_s" and "workers" in name)
    }


def _installed(name: str) -> bool:
    import importlib.util

    return name != "together" or importlib.util.find_spec("together") is not None


def run(data: Path | None, n: int, rounds: int, with_quality: bool) -> dict[str, Any]:
    """Generate where nothing is given, measure, and gather the document."""
    names = [name for name in WORK if _installed(name)] + ["quality"] * with_quality
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.jsonl"
        if data is None:
            with path.open("w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(gen_chat.lines(n, 7))
        else:
            path.symlink_to(data.absolute())
        with path.open("rb") as stream, (Path(folder) / "warm.jsonl").open("wb") as warm:
            warm.writelines(next(stream) for _ in range(200))
        best = measure(path, rounds, names)
        size = path.stat().st_size
    for row in best.values():
        row["mb_per_s"] = size / 1e6 / row["s"]
    rows = {name: {k: round(v, 3) for k, v in row.items()} for name, row in best.items()}
    return {
        "bytes": size,
        "examples": best["check"]["examples"],
        "rounds": rounds,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "ratios": _ratios(best, "s"),
        "cpu_ratios": _ratios(best, "cpu_s"),
        "rows": rows,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a JSONL file of chats; generated if left out")
    parser.add_argument("--n", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quality", action="store_true", help="also the full judgement (slow)")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    wanted = parser.parse_args()
    document = run(wanted.data, wanted.n, wanted.rounds, wanted.quality)
    if wanted.json:
        print(json.dumps(document))
        return
    for name, row in document["rows"].items():
        print(f"{name:22} {row['s']:8.2f} s {row['mb_per_s']:8.0f} MB/s {row['rss_mb']:6.0f} MB")
    for name, value in document["ratios"].items():
        cpu = document["cpu_ratios"].get(name)
        print(f"{name:34} {value:6.2f}" + (f" (CPU {cpu:.2f})" if cpu else ""))


if __name__ == "__main__":
    sys.exit(main())
