"""The job engine under load: a thousand jobs watched by one process, and a long ledger.

    python benchmarks/jobs.py [--json] [--jobs 1000] [--interval 15] [--rows 100000]

Watching: the jobs run at an emulator in a process of its own and end one after another over
``--spread`` seconds. Measured are the watcher's CPU (share of one core at that interval), its
resident memory, and how long each final state stayed unnoticed. The ledger: `ftbridge jobs
--limit 50` as a process, over many rows and over 100.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert

import ftbridge
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.ledger.schema import job_tags, jobs

MODEL = "gpt-4.1-mini-2025-04-14"

EMULATOR = """
import sys, time
from ftbridge.testing.server import run_foreground
from ftbridge.testing.timeline import Phase, Stopwatch, Timeline
from ftbridge_openai.emulator import Job, create_app
from ftbridge.testing.openai_wire.data import TrainingData

count, spread = int(sys.argv[1]), float(sys.argv[2])
PHASES = (Phase("validating_files", 0.01), Phase("queued", 0.01), Phase("running", spread))
app = create_app(timeline=Timeline(PHASES, "succeeded"))
began = time.time()
for number in range(count):
    # the first end at once, the last after the whole spread
    started = began + 10 - spread * (1 - number / count)
    method = {"type": "supervised", "supervised": {"hyperparameters": {}}}
    job = Job(f"ftjob-{number:06}", sys.argv[3], method, "file-1", None, "", 1, [], None,
              TrainingData(), False, None, Stopwatch(started))
    job.data.examples, job.data.tokens = 12, 500
    app.state.store.jobs[job.id] = job
run_foreground(app, ready=lambda url: print(url, began + 10, flush=True))
"""


def _row(plan: Any, number: int, state: str) -> dict[str, Any]:
    moment = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:00:00.{number:06}Z"
    return {
        "id": f"job_{number:012x}", "key": f"ftb-{number:06}", "base_key": f"ftb-{number:06}",
        "attempt": 1, "provider": "openai", "account": plan.account, "model": plan.spec.model,
        "method": "sft", "adapter": "managed", "privacy": "internal", "state": state,
        "spec": plan.spec.model_dump_json(), "plan": plan.model_dump_json(),
        "raw_state": state, "stopping": False, "remote_id": f"ftjob-{number:06}",
        "created_at": moment, "updated_at": moment,
    }  # fmt: skip


def _fill(home: Path, plan: Any, count: int, state: str) -> None:
    ledger = Ledger(home)
    with ledger.database.write() as connection:
        for start in range(0, count, 1000):
            rows = [_row(plan, n, state) for n in range(start, min(count, start + 1000))]
            connection.execute(insert(jobs), rows)
            connection.execute(
                insert(job_tags),
                [{"job_id": row["id"], "name": "team", "value": f"t{n % 50}"}
                 for n, row in enumerate(rows)],
            )  # fmt: skip
    ledger.close()


def _plan(home: Path, folder: Path) -> Any:
    data = folder / "train.jsonl"
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    data.write_text("".join(json.dumps({"messages": turns}) + "\n" for _ in range(12)))
    return ftbridge.Bridge(home).plan(data, provider="openai", model=MODEL)


def watch(count: int, interval: float, spread: float, folder: Path) -> dict[str, Any]:
    """One process over all jobs at the default pace of the provider."""
    emulator = subprocess.Popen(
        [sys.executable, "-c", EMULATOR, str(count), str(spread), MODEL],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert emulator.stdout
        url, began = emulator.stdout.readline().split()
        os.environ |= {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "sk-sandbox"}
        home = folder / "watch"
        _fill(home, _plan(home, folder), count, "running")
        return _watch(home, count, interval, spread, float(began))
    finally:
        emulator.terminate()
        emulator.wait()


def _watch(home: Path, count: int, interval: float, spread: float, began: float) -> dict[str, Any]:
    bridge = ftbridge.Bridge(home)
    noticed: dict[str, float] = {}
    used, start = time.process_time(), time.monotonic()
    rss: list[int] = []
    done = threading.Event()
    sampler = threading.Thread(target=_sample, args=(rss, done))
    sampler.start()
    for update in bridge.watch(interval=interval):
        if update.job.is_final:
            noticed.setdefault(str(update.job.remote_id), time.time())
    done.set()
    sampler.join()
    seconds = time.monotonic() - start
    late = []
    for number in range(count):
        ended = max(began + spread * number / count, began - 10)
        late.append(noticed[f"ftjob-{number:06}"] - max(ended, time.time() - seconds))
    return {
        "jobs": count,
        "interval_seconds": interval,
        "seconds": round(seconds, 1),
        "cpu_share": round((time.process_time() - used) / seconds, 4),
        "rss_mb": round(max(rss) / 1e6, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "noticed_median_seconds": round(statistics.median(late), 2),
        "noticed_worst_seconds": round(max(late), 2),
        "noticed_within_two_intervals": max(late) <= 2 * interval,
        "final": len(noticed),
    }


def _sample(found: list[int], done: threading.Event) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    while not done.wait(0.5):
        found.append(int(Path("/proc/self/statm").read_text().split()[1]) * page)


def listing(rows: int, folder: Path, repeats: int) -> dict[str, Any]:
    """`ftbridge jobs --limit 50` over many rows and over few, as processes, taken in turn."""
    os.environ.setdefault("OPENAI_API_KEY", "sk-sandbox")
    homes = {100: folder / "few", rows: folder / "many"}
    plan = _plan(homes[100], folder)
    times: dict[str, list[float]] = {}
    for count, home in homes.items():
        _fill(home, plan, count, "succeeded")
    queries = {
        "plain": [], "state": ["--state", "succeeded"], "provider": ["--provider", "openai"],
        "tag": ["--tag", "team=t7"], "since": ["--since", "2026-06-01"],
    }  # fmt: skip
    for _ in range(repeats):
        for name, more in queries.items():
            for count, home in homes.items():
                command = [sys.executable, "-m", "ftbridge", "jobs", "--limit", "50", "--json"]
                began = time.perf_counter()
                subprocess.run(
                    [*command, *more, "--home", str(home)], check=True, stdout=subprocess.DEVNULL
                )
                times.setdefault(f"{name}/{count}", []).append(time.perf_counter() - began)
    ratio = {
        name: round(min(times[f"{name}/{rows}"]) / min(times[f"{name}/100"]), 3) for name in queries
    }
    return {
        "rows": rows,
        "seconds_100": round(min(times["plain/100"]), 3),
        "seconds_rows": round(min(times[f"plain/{rows}"]), 3),
        "ratio": ratio["plain"],
        "ratio_by_filter": ratio,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--interval", type=float, default=15.0)
    parser.add_argument("--spread", type=float, default=90.0)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "watch": watch(given.jobs, given.interval, given.spread, Path(folder)),
            "jobs": listing(given.rows, Path(folder), given.repeats),
        }
    if given.json:
        print(json.dumps(found))
        return
    for part, content in found.items():
        print(part)
        for name, value in content.items():
            print(f"  {name:30} {value}")


if __name__ == "__main__":
    main()
