"""How far a data set may travel: its label, who gave it, and which of several holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ftbridge.errors import PolicyRefused
from ftbridge.files import atomic_write
from ftbridge.policy import toml
from ftbridge.project import present, project_files

SIDECAR = ".ftbridge.toml"
"""A label beside a file: ``train.jsonl.ftbridge.toml`` with ``privacy = "confidential"``."""


class Privacy(StrEnum):
    """How far a data set may travel, from freest to strictest."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"

    @property
    def rank(self) -> int:
        """0 for the freest."""
        return list(Privacy).index(self)


@dataclass(frozen=True)
class Label:
    """The label that holds, who gave it, and what else a person should know about it."""

    privacy: Privacy
    origin: str
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.privacy} ({self.origin})"


def strictest(labels: Iterable[Privacy]) -> Privacy:
    """The strictest of some labels; ``internal`` where nobody gave any."""
    return max(labels, key=lambda label: label.rank, default=Privacy.INTERNAL)


def label_of(
    data: Sequence[str | Path], asked: Privacy | None, settings: Sequence[Path] = ()
) -> Label:
    """The strictest of what is asked for, the files' sidecars and the settings files.

    A flag raises a label and never lowers it. A sidecar or settings file that is there and
    cannot be read counts as ``restricted``.

    Args:
        data: the files that one label is wanted for; what is no local file has no sidecar.
        asked: by a flag or argument.
        settings: files whose top-level key ``privacy`` labels all data (``ftbridge.toml``).
    """
    found = [(asked, "asked for")] if asked is not None else []
    notes: list[str] = []
    for path in [*sidecars(data), *settings]:
        privacy, fault = _said(path, alone=path.name.endswith(SIDECAR))
        if fault:
            notes.append(f"{fault}; until that is corrected the data counts as restricted")
        if privacy is not None:
            found.append((privacy, str(path)))
    privacy = strictest(label for label, _ in found)
    origin = next((who for label, who in found if label is privacy), "nobody has labelled it")
    if asked is not None and asked.rank < privacy.rank:
        notes.append(f"asked for as {asked}, but {origin} says {privacy}, and the strictest holds")
    return Label(privacy, origin, tuple(notes))


def sidecars(data: Sequence[str | Path]) -> list[Path]:
    """The sidecars that are there; those of a link and of what it points at."""
    found: dict[Path, None] = {}
    for item in data:
        if "://" in str(item) or str(item) == "-":
            continue
        path = Path(item).expanduser()
        for named in (path.absolute(), path.resolve()):
            sidecar = named.with_name(named.name + SIDECAR)
            if present(sidecar):
                found[sidecar] = None
    return list(found)


def carry(source: str | Path, targets: Iterable[Path], least: Privacy | None = None) -> None:
    """Give files made from a labelled file a sidecar where they would have a freer label.

    Args:
        least: the label that the source was used under, which may be stricter than its own.

    Raises:
        OSError: where a sidecar cannot be written.
    """
    label = max((_labelled(source), least or Privacy.PUBLIC), key=lambda each: each.rank)
    for target in targets:
        if _labelled(target).rank < label.rank:
            with atomic_write(target.with_name(target.name + SIDECAR)) as stream:
                stream.write(f'privacy = "{label}"\n'.encode())


def _labelled(path: str | Path) -> Privacy:
    """The label of a file by its sidecar and the projects that it lies in."""
    away = "://" in str(path) or str(path) == "-"
    settings = [] if away else project_files(Path(path).expanduser().absolute().parent)
    return label_of([path], None, settings).privacy


def _said(path: Path, *, alone: bool) -> tuple[Privacy | None, str]:
    """What a file says, and what is wrong with it. ``alone``: it has no other keys."""
    try:
        content = toml.read(path)
        word = content.get("privacy")
        if word is None and not alone:
            return None, ""
        if alone and content.keys() != {"privacy"}:
            raise PolicyRefused(f"{path}: its only key is `privacy`")
        if word not in list(Privacy):
            raise PolicyRefused(f"{path}: privacy is none of {', '.join(Privacy)}")
        return Privacy(word), ""
    except PolicyRefused as error:
        return Privacy.RESTRICTED, error.message
