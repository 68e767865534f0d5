"""The run directory: the only way in which a trainer and its caller speak.

Status and results are replaced whole (temp file + rename), so a reader never sees half a file;
events and metrics are appended line by line, so a crash costs at most the last line.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def now() -> str:
    """The time as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def peak_rss_mb() -> int:
    """Largest resident memory of this process so far, in MiB (macOS counts bytes, Linux KiB)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 20 if sys.platform == "darwin" else peak >> 10


def write_json(file: Path, content: Any) -> None:
    """Replace a file atomically and durably."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)


def read_json(file: Path) -> dict[str, Any] | None:
    """The object in a file, or None where there is none or it is damaged."""
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


@dataclass
class Status:
    """The content of `status.json`."""

    state: str = "preparing"
    step: int = 0
    total_steps: int = 0
    epoch: int = 0
    pid: int = field(default_factory=os.getpid)
    started_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    ended_at: str | None = None
    error: dict[str, str] | None = None
    trained_tokens: int = 0
    train_tokens_total: int = 0
    tokens_per_second: float = 0.0
    peak_rss_mb: int = 0
    threads: int = 0


class RunDir:
    """One run directory, opened by the one process that holds its lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.status = Status()
        before = read_json(path / "status.json") or {}
        if isinstance(before.get("started_at"), str):
            self.status.started_at = before["started_at"]

    def update(self, **changes: Any) -> None:
        """Change fields of the status and publish it."""
        for name, value in changes.items():
            if not hasattr(self.status, name):
                raise AttributeError(name)
            setattr(self.status, name, value)
        self.status.updated_at = now()
        self.status.peak_rss_mb = peak_rss_mb()
        write_json(self.path / "status.json", asdict(self.status))

    def event(
        self, kind: str, message: str, level: str = "info", step: int | None = None, **data: Any
    ) -> None:
        """Append an event. Messages carry counts and places, never text of the data."""
        row: dict[str, Any] = {
            "time": now(),
            "level": level,
            "type": kind,
            "step": step,
            "message": message,
        }
        if data:
            row["data"] = data
        self._append("events.jsonl", row)
        sys.stderr.write(f"{row['time']} {level:7} {kind}: {message}\n")

    def metric(self, row: dict[str, Any]) -> None:
        """Append a row of metrics."""
        self._append("metrics.jsonl", {"time": now(), **row})

    def truncate_metrics(self, step: int) -> None:
        """Drop rows behind `step` (and a half-written one): they will be computed again."""
        file = self.path / "metrics.jsonl"
        if not file.exists():
            return
        kept: list[str] = []
        for line in file.read_text("utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if row["step"] <= step:
                kept.append(line + "\n")
        temporary = file.with_name(f".{file.name}.tmp")
        temporary.write_text("".join(kept), "utf-8")
        temporary.replace(file)

    def _append(self, name: str, row: dict[str, Any]) -> None:
        file = self.path / name
        text = json.dumps(row, ensure_ascii=False) + "\n"
        with file.open("ab") as stream:
            if stream.tell() > 0 and not _ends_with_newline(file):
                text = "\n" + text  # a crash left half a line: keep it apart
            stream.write(text.encode("utf-8"))


class Silent(RunDir):
    """The same directory for a process that is not the first: it reads and writes nothing."""

    def update(self, **changes: Any) -> None:
        """Nothing: the first process keeps the status."""

    def event(
        self, kind: str, message: str, level: str = "info", step: int | None = None, **data: Any
    ) -> None:
        """Nothing: the first process has the same event."""

    def metric(self, row: dict[str, Any]) -> None:
        """Nothing: the first process has the same row."""

    def truncate_metrics(self, step: int) -> None:
        """Nothing."""


def _ends_with_newline(file: Path) -> bool:
    with file.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"
