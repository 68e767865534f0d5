"""`python trainer.zip --in DIR --out DIR`: train on a rented machine that may be taken away.

IN holds `recipe.json` and `requirements.txt`; the recipe names its data files by name alone, and
they are looked for in IN and in every `--files DIR`. OUT outlives the machine: what an earlier one
has left there is taken up, and what this one makes is copied there every few seconds.

Exit codes: 0 done (or cancelled); 1 failed, `OUT/status.json` says why; 75 stopped before the end
with a checkpoint (the machine gave notice): start the same command again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from .mirror import Mirror
from .run_dir import read_json, write_json

DATA = "data"
STOPPED = 75  # EX_TEMPFAIL of sysexits.h
PUSH_SECONDS = 5.0
LAST_TRIES = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Install what is missing, train, and keep OUT up to date."""
    given = _parse(arguments)
    with tempfile.TemporaryDirectory(prefix="ftbridge-run-") as scratch:
        run, out = Path(scratch), given.out.resolve()
        out.mkdir(parents=True, exist_ok=True)
        mirror = Mirror(run, out)
        mirror.restore()
        try:
            _install(given.inputs / "requirements.txt")
            recipe = _recipe(given.inputs, given.files, run)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            return _fail(run, mirror, error)
        write_json(run / "recipe.json", recipe)
        code = _train(run, mirror, given.workers)
        return _outcome(run, mirror, code)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("trainer.zip", description=__doc__)
    parser.add_argument("--in", dest="inputs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--files", type=Path, action="append", default=[], help="folder with data")
    parser.add_argument("--workers", type=int, default=1, help="processes, one for each GPU")
    return parser.parse_args(arguments)


def _recipe(inputs: Path, folders: Sequence[Path], run: Path) -> dict[str, Any]:
    """The recipe with its data linked into the run; the model may be fetched.

    Named below the run, the data has one name on every machine, wherever each one mounts it: a run
    goes on only with the recipe that it began with.
    """
    recipe: dict[str, Any] = json.loads((inputs / "recipe.json").read_text("utf-8"))
    (run / DATA).mkdir()
    for key in ("train", "validation"):
        if (name := recipe.get(key)) is not None:
            link = run / DATA / name
            link.unlink(missing_ok=True)  # training and validation may be one file
            link.symlink_to(_locate(name, [inputs, *folders]))
            recipe[key] = f"{DATA}/{name}"
    return recipe | {"offline": False}


def _locate(name: str, folders: Sequence[Path]) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return (folder / name).resolve()
    raise FileNotFoundError(f"{name} is in none of {', '.join(map(str, folders))}")


def _install(requirements: Path) -> None:
    """Install the pinned packages that this machine has not, or has in another version."""
    wanted = [line.strip() for line in requirements.read_text("utf-8").splitlines()]
    missing = [line for line in wanted if line and line[0] != "#" and not _there(line)]
    if missing:
        command = [sys.executable, "-m", "pip", "install", "--quiet", *missing]
        subprocess.run(command, check=True)


def _there(requirement: str) -> bool:
    """Whether a line like `name==1.2` or `name` (any version will do) is met here."""
    name, _, version = requirement.partition("==")
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return not version or found == version


def _train(run: Path, mirror: Mirror, workers: int) -> int:
    """Run the trainer in a process of its own, copying its files until it ends."""
    launcher = [] if workers == 1 else [
        "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={workers}",
    ]  # fmt: skip
    command = [sys.executable, *launcher, "-m", "ftbridge_trainer", str(run)]
    process = subprocess.Popen(command, env=_environment(), cwd=run)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.send_signal(signal.SIGTERM))
    while True:
        try:
            return process.wait(PUSH_SECONDS)
        except subprocess.TimeoutExpired:
            _try_push(mirror)


def _try_push(mirror: Mirror) -> bool:
    """Copy what has changed; a store that hiccups must not end the training."""
    try:
        mirror.push()
    except OSError as error:
        sys.stderr.write(f"not copied, will be tried again: {error}\n")
        return False
    return True


def _environment() -> Mapping[str, str]:
    """This environment, with this package (a folder or a zip) where Python looks for it."""
    places = [str(Path(__file__).parent.parent), *filter(None, sys.path)]
    paths = [str(Path(place).absolute()) for place in places]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def _outcome(run: Path, mirror: Mirror, code: int) -> int:
    state = (read_json(run / "status.json") or {}).get("state")
    for _ in range(LAST_TRIES):
        if _try_push(mirror):
            break
        time.sleep(PUSH_SECONDS)
    else:
        mirror.push()  # its error is the machine's last word
    if state == "paused":
        return STOPPED
    if state in ("succeeded", "cancelled"):
        return 0
    return code or 1


def _fail(run: Path, mirror: Mirror, error: Exception) -> int:
    """What went wrong before the trainer began, where its own failures would stand."""
    message = f"{type(error).__name__}: {error}"
    hint = "see the log of the machine"
    told = {"code": "machine_not_ready", "message": message, "hint": hint}
    write_json(run / "status.json", {"state": "failed", "error": told})
    mirror.push()
    sys.stderr.write(f"{message}\n")
    return 1
