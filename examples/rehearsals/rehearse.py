"""One full rehearsal with a vendor: every step of a real job, against the vendor's emulator.

usage: python rehearse.py PROVIDER [--summary FILE] [--limit N]

Starts `ftbridge sandbox PROVIDER`, waits for the settings that it writes, and walks the whole way
on the customer messages of ../customer_support: doctor, check, compare, plan, submit, watch,
events, what PROVIDER.toml adds (deploy, download, ...), chat, eval, purge. Nothing is sent to the
vendor, nothing is paid, and the ledger is a temporary one. A step that fails ends the rehearsal
with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DATA = HERE.parent / "customer_support"
READY_SECONDS = 60.0
SPEED = "20"


class Rehearsal:
    """The steps of one provider, each a command line that a user would type."""

    def __init__(self, provider: str, env: dict[str, str], folder: Path) -> None:
        self.provider, self.env, self.folder = provider, env, folder
        self.steps: list[dict[str, Any]] = []

    def step(self, *arguments: str) -> dict[str, Any]:
        """Run one command, show it, and return its JSON document."""
        print(f"$ ftbridge {shlex.join(arguments)}", flush=True)
        began = time.monotonic()
        command = [sys.executable, "-m", "ftbridge", *arguments, "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, env=self.env, check=False)
        document: dict[str, Any] = json.loads(done.stdout)
        seconds = round(time.monotonic() - began, 2)
        self.steps.append({"command": arguments[0], "exit": done.returncode, "seconds": seconds})
        if done.returncode:
            error = document.get("error") or {}
            sys.exit(f"error: {error.get('message', document)}\nhint: {error.get('hint', '')}")
        return document

    def before(self, settings: list[str], rules: bool) -> None:
        """What can be asked before anything is sent; ``rules``: the vendor has some for data."""
        train, place = str(DATA / "train.jsonl"), ("--provider", self.provider)
        for check in self.step("doctor", self.provider)["checks"]:
            print(f"  {'ok' if check['ok'] else '??'} {check['name']}: {check['message']}")
        checked = self.step("check", train, "--structure-only", *(place if rules else ()))
        print(f"  {checked['examples']} examples, {len(checked['errors'])} errors")
        offers = self.step("compare", train, "--n-epochs", "1")["offers"]
        for offer in offers[:3]:
            print(f"  {offer['provider']:13} {offer['model']:28} {offer['usd']['high']} USD")
        plan = self.step("plan", train, *place, *settings)
        print(f"  {plan['model']}: {plan['usd']['high']} USD at most")
        for warning in plan["warnings"]:
            print(f"  warning: {warning}")

    def train(self, settings: list[str]) -> dict[str, Any]:
        """Submit, follow to the end, and look at what was logged."""
        train, place = str(DATA / "train.jsonl"), ("--provider", self.provider)
        job = self.step("submit", train, *place, *settings, "--yes")["job"]
        again = self.step("submit", train, *place, *settings, "--yes")["job"]
        print(f"  {job}; submitted twice, it is still {'one job' if job == again else 'TWO'}")
        seen = self.step("watch", job)
        print(f"  {seen['state']} ({seen['raw_state']}): {seen['model']}")
        if seen["state"] != "succeeded":
            sys.exit("the job did not succeed")
        print(f"  {len(self.step('events', job)['events'])} events")
        return seen

    def use(self, job: dict[str, Any], baseline: str, limit: int, asked: str) -> None:
        """One question to the tuned model (``asked``: a job or a folder of weights that came
        home), then it against the baseline, where there is one."""
        ref = asked.format(job=job["job"], folder=self.folder)
        reply = self.step("chat", ref, "I lost my card", "--max-tokens", "12")
        print(f"  {reply['text']}")
        if not baseline:
            return
        rows = ("--limit", str(limit), "--max-tokens", "12")
        heldout = str(DATA / "heldout.jsonl")
        scores = self.step("eval", heldout, "--model", job["job"], "--baseline", baseline, *rows)
        print(f"  base {scores['baseline']['value']:.0%}, tuned {scores['tuned']['value']:.0%}")
        print("  (an emulator answers with the nearest training row: this shows the way, no merit)")

    def more(self, job: dict[str, Any], commands: list[list[str]]) -> None:
        """What this provider adds to the common way."""
        for words in commands:
            names = {"job": job["job"], "model": job["model"], "folder": self.folder}
            self.step(*(word.format(**names) for word in words))


@contextmanager
def sandbox(provider: str, folder: Path) -> Iterator[dict[str, str]]:
    """Serve the emulator, and yield the environment that points at it."""
    file = folder / "sandbox.env"
    command = [sys.executable, "-m", "ftbridge", "sandbox", provider, "--speed", SPEED]
    print(f"$ ftbridge sandbox {provider} --speed {SPEED} --env-file {file} &", flush=True)
    began = time.monotonic()
    server = subprocess.Popen([*command, "--env-file", file], stdout=subprocess.DEVNULL)
    try:
        while not file.exists():  # written whole, once requests are answered
            if server.poll() is not None:
                sys.exit(f"the sandbox ended with exit code {server.returncode}")
            if time.monotonic() - began > READY_SECONDS:
                sys.exit("the sandbox was not ready in time")
            time.sleep(0.05)
        settings = dict(word.split("=", 1) for word in shlex.split(file.read_text("utf-8")))
        print(f"  ready after {time.monotonic() - began:.1f} s: {', '.join(settings)}")
        yield {**os.environ, **settings, "FTBRIDGE_HOME": str(folder / "home")}
    finally:
        server.terminate()
        server.wait()


def rehearse(provider: str, limit: int) -> dict[str, Any]:
    """The whole way; the summary names each command with its seconds."""
    special = tomllib.loads((HERE / f"{provider}.toml").read_text("utf-8"))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as made, sandbox(provider, Path(made)) as env:
        rehearsal = Rehearsal(provider, env, Path(made))
        rehearsal.before(special["settings"], special.get("rules", True))
        job = rehearsal.train(special["settings"])
        rehearsal.more(job, special["before_use"])
        rehearsal.use(job, special["baseline"], limit, special.get("ask", "{job}"))
        rehearsal.more(job, special["after_use"])
        rehearsal.step("purge", job["job"])
    return {
        "provider": provider,
        "state": job["state"],
        "seconds": round(time.monotonic() - began, 1),
        "steps": rehearsal.steps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    known = sorted(path.stem for path in HERE.glob("*.toml"))
    parser.add_argument("provider", choices=known)
    parser.add_argument("--summary", type=Path, help="write the summary here, as JSON")
    parser.add_argument("--limit", type=int, default=40, help="held-out rows to evaluate")
    asked = parser.parse_args()
    summary = rehearse(asked.provider, asked.limit)
    if asked.summary:
        asked.summary.write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
    print(f"done: {len(summary['steps'])} commands in {summary['seconds']} s")


if __name__ == "__main__":
    main()
