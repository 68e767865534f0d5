"""A vendor's emulator for as long as it is needed: `with sandbox("openai", folder) as env`."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPEED = 200
"""Times faster than the vendor's own jobs are."""
PATIENCE = 120
"""Seconds until it must answer."""


@contextmanager
def sandbox(provider: str, folder: Path) -> Iterator[dict[str, str]]:
    """Start the emulator, yield the variables that point ftbridge at it, and end it."""
    settings = folder / "sandbox.env"
    settings.unlink(missing_ok=True)
    words = ["sandbox", provider, "--speed", str(SPEED), "--env-file", str(settings)]
    process = subprocess.Popen(
        [sys.executable, "-m", "ftbridge", *words], stdout=subprocess.DEVNULL
    )
    try:
        _wait(process, settings)
        lines = settings.read_text("utf-8").splitlines()
        yield {name: "".join(shlex.split(value)) for name, _, value in
               (line.partition("=") for line in lines)}  # fmt: skip
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], settings: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not settings.exists():  # it is written whole, once the emulator answers
        if process.poll() is not None or time.monotonic() > until:
            sys.exit("the emulator did not start: pip install 'ftbridge[sandbox]'")
        time.sleep(0.1)
