"""What is staged beside the data on a rented machine: our trainer, what it needs, the recipe."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

TRAINER, REQUIREMENTS, RECIPE = "trainer.zip", "requirements.txt", "recipe.json"
STARTED_WITH = b"import sys\n\nfrom ftbridge_trainer.remote import main\n\nsys.exit(main())\n"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The one time of every file in the zip, so that the same trainer is the same bytes."""


def bundle(recipe: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of a job's input folder, by name. None of them holds training data."""
    return {
        TRAINER: trainer_zip(),
        REQUIREMENTS: (_package() / REQUIREMENTS).read_bytes(),
        RECIPE: json.dumps(recipe, indent=1, sort_keys=True).encode(),
    }


@cache
def trainer_zip() -> bytes:
    """``ftbridge_trainer`` as a zip that Python can run, the same bytes every time."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", EPOCH), STARTED_WITH)
        for path in sorted(_package().glob("*.py")):
            entry = zipfile.ZipInfo(f"ftbridge_trainer/{path.name}", EPOCH)
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def command(inputs: str, out: str, files: Sequence[str], gpus: int) -> list[str]:
    """The command line that trains on the machine, a process for each of its GPUs.

    Args:
        inputs: the folder there that holds the bundle.
        out: a folder there that outlives the machine.
        files: the folders there that hold the data files.
    """
    found = [part for folder in files for part in ("--files", folder)]
    workers = ["--workers", str(gpus)] if gpus > 1 else []
    return ["python", f"{inputs}/{TRAINER}", "--in", inputs, "--out", out, *found, *workers]


def _package() -> Path:
    import ftbridge_trainer

    return Path(ftbridge_trainer.__file__).parent
