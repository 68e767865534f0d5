"""One loop for every example here: check, price, tune, compare with the prompted baseline, report.

usage: loop.py FOLDER [SET] [--provider P] [--sandbox] [--model M] [--seeds N] [--tiny] [--out DIR]

FOLDER holds an ``example.toml`` with one table for each SET of data (the first one by default).
Everything goes through the command line that a user would type, and is shown. ``result.json`` in
the out folder holds what came of it: shares are fractions 0..1 with their 95 % intervals, money is
USD, None is not known. ``--sandbox`` runs the vendor's emulator here: its models answer like the
nearest training example, so its shares say that the pipeline works, and nothing about a model.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import sandbox

HERE = Path(__file__).resolve().parent
TINY_ROWS, TINY_SHOTS, TINY_HELD_OUT = 24, 2, 6
SHOWN_OFFERS = 6


@dataclass
class Run:
    """What is run, and where its files go."""

    folder: Path
    set: str
    wanted: dict[str, Any]
    out: Path
    provider: str
    model: str | None
    tiny: bool

    @property
    def metrics(self) -> list[str]:
        """Their names; a function of a file beside the data by its path."""
        names: list[str] = self.wanted["metrics"]
        return [f"{self.folder}/{name}" if ".py:" in name else name for name in names]

    def file(self, role: str) -> Path | None:
        """The data file of a role: cut short in a tiny run."""
        name = self.wanted.get(role)
        if name is None:
            return None
        path = self.folder / name
        rows = {"train": TINY_ROWS, "few_shot": TINY_SHOTS}.get(role)
        if not self.tiny or rows is None:
            return path
        short = self.out / f"tiny-{name}"
        with path.open(encoding="utf-8") as lines:
            short.write_text("".join(line for _, line in zip(range(rows), lines, strict=False)))
        short.with_name(f"{short.name}.ftbridge.toml").write_text('privacy = "public"\n')
        return short


def ftbridge(*arguments: object) -> dict[str, Any]:
    """Run one command, show it, and return its JSON document."""
    words = [str(word) for word in arguments]
    print(f"\n$ ftbridge {' '.join(words)}", flush=True)
    command = [sys.executable, "-m", "ftbridge", *words, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    document: dict[str, Any] = json.loads(done.stdout)
    if done.returncode:
        error = document.get("error") or {}
        sys.exit(f"error: {error.get('message', document)}\nhint: {error.get('hint', '')}")
    return document


def price(run: Run) -> list[dict[str, Any]]:
    """Check the data and say what tuning would cost, cheapest first."""
    train = run.file("train")
    checked = ftbridge("check", train)
    print(f"{checked['examples']} examples, {checked['error_count']} bad lines, "
          f"{len(checked['warnings'])} warnings")  # fmt: skip
    words = ["--n-epochs", run.wanted["n_epochs"]]
    if run.provider == "local" and not run.tiny:
        words.append("--calibrate")  # what an hour here does has to be measured first
    offers = ftbridge("compare", train, *words)["offers"]
    known = [offer for offer in offers if offer["usd"]["high"] is not None and offer["allowed"]]
    for offer in known[:SHOWN_OFFERS]:
        print(f"{offer['provider']:12} {offer['model'][:48]:48} {usd(offer['usd'])}")
    return [{key: offer[key] for key in ("provider", "model", "usd")} for offer in known]


def tune(run: Run, seed: int) -> dict[str, Any]:
    """One job to its end."""
    words: list[object] = ["--provider", run.provider, "--n-epochs", run.wanted["n_epochs"]]
    words += ["--seed", seed]
    if run.provider == "local":
        words += ["--adapter", "qlora"]
    if run.model:
        words += ["--model", run.model]
    return ftbridge("submit", run.file("train"), *words, "--yes", "--again", "--watch")


def compare(run: Run, job: str, *, prompted: bool) -> dict[str, Any]:
    """The tuned model against the model that it was tuned from, which is shown examples or not."""
    words: list[object] = ["--model", job, "--baseline", "base"]
    words += [word for name in run.metrics for word in ("--metric", name)]
    words += ["--max-tokens", run.wanted["max_tokens"]]
    if "schema" in run.wanted:
        words += ["--schema", run.folder / run.wanted["schema"]]
    shots, prompt = run.file("few_shot"), run.file("baseline_prompt")
    if prompted and shots:
        words += ["--few-shot", shots]
    if prompted and prompt:
        words += ["--baseline-prompt", prompt]
    if run.tiny:
        words += ["--limit", TINY_HELD_OUT]
    return ftbridge("eval", run.file("heldout"), *words)


def classical(run: Run) -> float | None:
    """Accuracy 0..1 of a naive Bayes on the same rows, where the answers are labels."""
    if not run.wanted.get("classifier") or run.tiny:
        return None
    script = HERE / "customer_support" / "naive_bayes.py"
    files = [str(run.file(role)) for role in ("train", "heldout")]
    said = subprocess.check_output([sys.executable, str(script), *files])
    return float(json.loads(said)["accuracy"])


def loop(run: Run, seeds: int) -> dict[str, Any]:
    """Everything, once for each seed; the baseline answers once, and is taken from the cache."""
    began = time.monotonic()
    offers = price(run)
    tuned = []
    for seed in range(seeds):
        started = time.monotonic()
        job = tune(run, seed)
        seconds = round(time.monotonic() - started, 1)
        found = compare(run, job["job"], prompted=True)
        tuned.append(
            {
                "seed": seed,
                "job": job["job"],
                "training_seconds": seconds,
                "usd": job["usd"],
                "billed_usd": job.get("billed_usd"),
                **sides(found),
            }
        )
        show(found, seed)
    alone = compare(run, tuned[0]["job"], prompted=False)
    page = run.out / "report.html"
    ftbridge("report", tuned[0]["job"], "-o", page)
    values = [each["tuned"]["value"] for each in tuned]
    return {
        "example": run.folder.name,
        "set": run.set,
        "provider": run.provider,
        "model": Path(job["base_model"]).name if run.provider == "local" else job["base_model"],
        "metric": run.wanted["metrics"][0],
        "n": found["n"],
        "tiny": run.tiny,
        "baseline": found["baseline"] | {"few_shot": found["few_shot"]},
        "baseline_alone": alone["baseline"],
        "tuned": tuned,
        "mean": statistics.mean(values),
        "sd": statistics.stdev(values) if len(values) > 1 else None,
        "naive_bayes": classical(run),
        "offers": offers,
        "machine": f"{os.cpu_count()} CPU, {platform.machine()}",
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "seconds": round(time.monotonic() - began, 1),
        "report": str(page),
    }  # fmt: skip


def sides(found: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an evaluation."""
    kept = {key: found[key] for key in ("evaluation", "difference", "verdict")}
    others = [
        {"metric": Path(each["metric"]).name, "baseline": each["baseline"], "tuned": each["tuned"],
         "difference": each["difference"], "verdict": each["verdict"]}
        for each in found["metrics"]
    ]  # fmt: skip
    return kept | {"tuned": found["tuned"], "metrics": others}


def show(found: dict[str, Any], seed: int) -> None:
    """One evaluation in words."""
    for each in found["metrics"]:
        print(f"seed {seed}, {each['metric']}: prompted base {share(each['baseline'])}, "
              f"tuned {share(each['tuned'])}: {each['verdict']}")  # fmt: skip


def share(side: dict[str, Any]) -> str:
    """A share with its interval."""
    return f"{side['value']:.1%} (95 % interval {side['ci'][0]:.1%} to {side['ci'][1]:.1%})"


def usd(span: dict[str, Any]) -> str:
    """A price in words."""
    low, high = span["low"], span["high"]
    if high is None:
        return "unknown"
    return f"{high:.4f} USD" if low == high else f"{low:.4f} to {high:.4f} USD"


def summary(result: dict[str, Any]) -> None:
    """What came of it, and what it cost."""
    last = result["tuned"][-1]
    print(f"\n{result['example']}, {result['set']}: {result['metric']} on {result['n']} rows "
          "that were never trained on")  # fmt: skip
    print(f"  prompt alone:          {share(result['baseline_alone'])}")
    print(f"  with {result['baseline']['few_shot']:3} examples:     {share(result['baseline'])}")
    for each in result["tuned"]:
        print(f"  tuned, seed {each['seed']}:         {share(each['tuned'])}: {each['verdict']}")
    if result["naive_bayes"] is not None:
        print(f"  naive Bayes:           {result['naive_bayes']:.1%} (a classifier, in a second)")
    billed = "not known" if last["billed_usd"] is None else f"{last['billed_usd']:.4f} USD"
    bill = "nobody sends one" if result["provider"] == "local" else billed
    print(f"  cost of one training:  {usd(last['usd'])} (estimate); bill: {bill}")
    print(f"  page: {result['report']}   ({result['seconds']:.0f} s)")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="One example, from data to numbers.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("set", nargs="?", help="which data; the first in example.toml by default")
    parser.add_argument("--provider", default="local")
    parser.add_argument("--model", help="what is tuned; the provider's default if left out")
    parser.add_argument("--sandbox", action="store_true", help="at the vendor's emulator, here")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--tiny", action="store_true", help="a few rows, to see that all runs")
    parser.add_argument("--out", type=Path, help="where results go; FOLDER/out by default")
    return parser.parse_args()


def main() -> None:
    """Run it."""
    given = arguments()
    folder = given.folder.resolve()
    sets = tomllib.loads((folder / "example.toml").read_text("utf-8"))
    name = given.set or next(iter(sets))
    if name not in sets:
        sys.exit(f"no set {name}; there is: {', '.join(sets)}")
    out = (given.out or folder / "out").resolve()
    out.mkdir(parents=True, exist_ok=True)
    run = Run(folder, name, sets[name], out, given.provider, given.model, given.tiny)
    with ExitStack() as stack:
        if given.sandbox:
            os.environ["FTBRIDGE_HOME"] = str(out / "sandbox")  # its jobs end with the emulator
            os.environ.update(stack.enter_context(sandbox(given.provider, out)))
        result = loop(run, given.seeds) | {"sandbox": given.sandbox}
    (out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    summary(result)
    print(f"  numbers: {out / 'result.json'}")


if __name__ == "__main__":
    main()
