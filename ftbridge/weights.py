"""Bringing weights home: into a folder aside, looked through, and only then into their place.

Whatever an adapter downloads passes here, so that one rule holds for all: weights are safetensors
(or GGUF), nothing is a pickle, which runs code when it is loaded, and nothing leads out of the
folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ftbridge.errors import ProviderError, UsageError

PICKLED = frozenset({".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".dill"})
"""Endings of files that are pickles, or archives of them."""


def bring(fetch: Callable[[Path], Path], out: Path) -> Path:
    """Download into ``out``, whole and safe or not at all.

    Args:
        fetch: writes into the folder that it is given and returns what it made.
        out: a folder that is new or empty.

    Raises:
        UsageError: where ``out`` holds something.
        ProviderError: where what came is not safe to keep; nothing is kept then.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty", hint="name a new folder", where="out")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=out.parent, prefix=".ftbridge-download-"))
    try:
        content = aside / "content"
        made = fetch(content)
        require_safe(content)
        if out.exists():
            out.rmdir()
        content.rename(out)
        return out / made.relative_to(content)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def require_safe(folder: Path) -> None:
    """Raise ProviderError where a folder holds a pickle, or something that leads out of it."""
    root = folder.resolve()
    for path in _everything(folder):
        name = path.relative_to(folder)
        if not path.resolve().is_relative_to(root):
            raise _unsafe(f"{name} leads out of the folder")
        if path.is_dir():
            continue
        if not path.is_file():
            raise _unsafe(f"{name} is no plain file")
        if is_pickle(path):
            raise _unsafe(f"{name} is a pickle, which runs code when it is loaded")


def is_pickle(path: Path) -> bool:
    """Whether a file is a pickle, by its ending, its first bytes, or what a zip of it holds."""
    if path.suffix.lower() in PICKLED:
        return True
    with path.open("rb") as stream:
        start = stream.read(4)
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":  # the mark of protocols 2 to 5
        return True
    if start[:2] == b"PK":
        try:
            with zipfile.ZipFile(path) as archive:
                return any(member.endswith(".pkl") for member in archive.namelist())
        except zipfile.BadZipFile:
            return False
    return False


def _everything(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, followlinks=False):
        for name in (*folders, *files):
            yield Path(parent, name)


def _unsafe(why: str) -> ProviderError:
    return ProviderError(
        f"the download was thrown away: {why}",
        hint="weights are taken as safetensors only; ask the vendor for that form",
        where="download",
        code="unsafe_download",
    )
