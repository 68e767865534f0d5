"""Bytes that may leave: each bound to one file hash, provider, account and region."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal

from ftbridge.errors import DataError, PolicyRefused
from ftbridge.files import sha256_of
from ftbridge.policy.decision import Destination, Policy, decide
from ftbridge.policy.labels import Privacy

_MINT = object()


class CheckedUpload:
    """One file that the policy lets go to one destination. Only :func:`check_upload` makes it."""

    def __init__(
        self,
        mint: object,
        path: Path,
        sha256: str,
        purpose: Literal["training", "validation"],
        destination: Destination,
        rule: str,
        stamp: tuple[int, ...] = (),
    ) -> None:
        if mint is not _MINT:
            raise TypeError("a CheckedUpload is issued by ftbridge.policy.check_upload alone")
        self._path = path
        self.sha256 = sha256
        self.purpose = purpose
        self.destination = destination
        self.rule = rule
        self._stamp = stamp

    @property
    def name(self) -> str:
        """The file name a vendor sees: says what it is and finds it again, names nobody."""
        return f"ftbridge-{self.sha256[:24]}.jsonl"

    @property
    def bytes(self) -> int:
        """Size in bytes."""
        return self._path.stat().st_size

    def open(self) -> BinaryIO:
        """The content, for reading once.

        Raises:
            DataError: where the file is another one than was checked.
        """
        stream = self._path.open("rb")
        if _stamp(os.fstat(stream.fileno())) != self._stamp:
            stream.close()
            raise _changed(self._path, "checked")
        return stream


class CheckedStage:
    """Files that the policy lets go together to a rented machine (compute providers)."""

    def __init__(self, mint: object, uploads: Sequence[CheckedUpload]) -> None:
        if mint is not _MINT:
            raise TypeError("a CheckedStage is issued by ftbridge.policy.check_stage alone")
        self.uploads = tuple(uploads)
        self.destination = uploads[0].destination


def check_upload(
    path: Path,
    sha256: str,
    purpose: Literal["training", "validation"],
    privacy: Privacy,
    destination: Destination,
    policy: Policy | None = None,
) -> CheckedUpload:
    """Issue the right to send this very file there.

    Args:
        policy: what was found for the data; that of the working folder if left out.

    Raises:
        PolicyRefused: where the policy forbids it.
        DataError: where the file is no longer the one that was planned.
    """
    decision = decide(privacy, destination, policy)
    decision.require()
    stamp = _stamp(path.stat())
    if sha256_of(path) != sha256 or _stamp(path.stat()) != stamp:
        raise _changed(path, "planned")
    return CheckedUpload(_MINT, path, sha256, purpose, destination, decision.rule, stamp)


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    """What tells one file from another without reading it."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _changed(path: Path, since: str) -> DataError:
    return DataError(
        f"{path}: the file has changed since it was {since}",
        hint="plan and submit again",
        where=str(path),
    )


def check_stage(uploads: Sequence[CheckedUpload]) -> CheckedStage:
    """Bind checked uploads for one destination together.

    Raises:
        PolicyRefused: where they were issued for different destinations.
    """
    if len({upload.destination for upload in uploads}) != 1:
        raise PolicyRefused(
            "the files were checked for different destinations", where="stage.one-destination"
        )
    return CheckedStage(_MINT, uploads)
