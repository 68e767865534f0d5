"""Calling back what a job sent: delete it at the vendor, read back, and write down what came of it.

A vendor that fails to delete something is no reason to leave the rest there: every file is tried,
and each that is still there is named.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftbridge import clock
from ftbridge.errors import OperationFailed, ProviderError
from ftbridge.jobs import deploying
from ftbridge.jobs.clearance import Clearance
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.ledger.deployments import ModelKey
from ftbridge.jobs.ledger.egress import Action
from ftbridge.jobs.ledger.uploads import FileRow
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.retry import patiently
from ftbridge.policy.decision import shortest
from ftbridge.policy.layers import duration
from ftbridge.provider import Provider

LOOK_SECONDS = 2.0
"""Longest pause between two looks whether a deleted file has gone."""


@dataclass(frozen=True)
class Deletion:
    """What became of a file or model. ``verified``: True read back as gone, None the vendor's
    word alone; ``reason`` says why it is not deleted."""

    remote_id: str
    deleted: bool
    verified: bool | None = None
    bytes: int | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        aside = {} if self.deleted else {"reason": self.reason}
        return {"file": self.remote_id, "bytes": self.bytes, "verified": self.verified} | aside


@dataclass(frozen=True)
class Purged:
    """Files and, where it was asked for, the model; ``kept`` are needed by unfinished jobs."""

    files: tuple[Deletion, ...]
    kept: tuple[FileRow, ...]
    model: Deletion | None
    replies: int

    @property
    def left(self) -> list[Deletion]:
        """What should have gone and has not."""
        tried = [*self.files, *([self.model] if self.model else [])]
        return [item for item in tried if not item.deleted]

    def require_all(self, job_id: str) -> None:
        """Raise OperationFailed where the vendor still has something."""
        if self.left:
            named = "; ".join(f"{item.remote_id}: {item.reason}" for item in self.left)
            raise OperationFailed(
                f"not deleted: {named}",
                hint=f"try `ftbridge purge {job_id}` again, or delete it in the vendor's console",
                where=job_id,
                code="not_deleted",
                document=self.to_dict(job_id),
            )

    def to_dict(self, job_id: str) -> dict[str, Any]:
        """The JSON form of the CLI contract."""
        return {
            "job": job_id,
            "purged": [item.to_dict() for item in self.files if item.deleted],
            "kept": [{"file": file.remote_id, "needed_by": file.needed_by} for file in self.kept],
            "not_deleted": [item.to_dict() for item in self.left],
            "model": self.model.to_dict() if self.model else None,
            "replies": self.replies,
        }


def purge(
    row: JobRow, provider: Provider, ledger: Ledger, home: Path, *, model: bool = False,
    rule: str = "purge",
) -> Purged:  # fmt: skip
    """Delete a job's uploaded data at the vendor, its converted copies and kept replies here.

    Args:
        model: the tuned model at the vendor too.
        rule: why, for the account.

    Raises:
        OperationFailed: where the job itself has not ended.
        Unsupported: where the vendor cannot delete files at all.
    """
    if not row.is_final:
        raise OperationFailed(
            f"{row.id} is {row.state}; its data is still needed",
            hint=f"wait for its end, or `ftbridge cancel {row.id}`",
            where=row.id,
            code="not_ended",
        )
    if not provider.supports("purge"):
        raise provider.unsupported("purge")
    taken, kept = ledger.uploads.take_for_purge(row.id)
    left = list(taken)
    done = []
    try:
        for file in taken:
            outcome = _delete_file(file, provider)
            _note(row, file.sha256, outcome, provider, ledger, rule)
            done.append(outcome)
            if outcome.deleted:
                left.remove(file)
    finally:
        ledger.uploads.give_back(left)
    _remove_copies(row, {file.sha256 for file in (*kept, *left)}, home)
    gone = _delete_model(row, provider, ledger) if model else None
    if gone is not None:
        _note(row, "", gone, provider, ledger, rule)
    return Purged(tuple(done), tuple(kept), gone, ledger.evaluations.forget(row.id))


def overdue(row: JobRow, known: dict[tuple[str, ...], str | None]) -> str | None:
    """The time after which a job's data has to go, where that has passed: the shorter of what
    the policy said when the job was planned and what it says now.

    Args:
        known: what the policies of places say now, kept over one sweep of many jobs.
    """
    plan = json.loads(row.plan)  # not as a Plan: thousands are looked at
    path, files = str(plan["spec"]["training"]["path"]), plan.get("policies", ())
    where = (str(Path(path).parent), *files)
    if where not in known:
        known[where] = Clearance.of([path], recorded=files).policy.retention()
    allowed = shortest([plan.get("retention"), known[where]])
    if allowed is None or row.finished_at is None:
        return None
    ended = clock.parse(row.finished_at)
    return allowed if clock.now() - ended >= duration(allowed) else None


def _delete_file(file: FileRow, provider: Provider) -> Deletion:
    try:
        patiently(provider, provider.purge, file.remote_id)
        gone = _is_gone(file.remote_id, provider)
    except ProviderError as error:
        return Deletion(file.remote_id, False, bytes=file.bytes, reason=error.message)
    if gone is False:
        reason = f"{provider.name} accepted that and still shows the file"
        return Deletion(file.remote_id, False, False, file.bytes, reason)
    return Deletion(file.remote_id, True, gone, file.bytes)


def _is_gone(remote_id: str, provider: Provider) -> bool | None:
    """Whether the vendor no longer shows a file, within its settle window; None: it cannot tell."""
    if type(provider).file_state is Provider.file_state:
        return None
    deadline = clock.monotonic() + provider.settle_seconds
    while True:
        try:
            if patiently(provider, provider.file_state, remote_id).missing:
                return True
        except ProviderError:
            return None  # deleted by the vendor's word; what cannot be asked is not known
        if clock.monotonic() >= deadline:
            return False
        clock.sleep(min(LOOK_SECONDS, provider.settle_seconds / 4))


def _delete_model(row: JobRow, provider: Provider, ledger: Ledger) -> Deletion:
    name = row.result_model
    if name is None:
        return Deletion("model", True, True)  # none came of the job
    try:
        key = ModelKey(row.provider, provider.account, name, row.model, row.id)
        deploying.delete_model(key, provider, ledger)
    except (ProviderError, OperationFailed) as error:
        hint = f" ({error.hint})" if error.hint else ""
        return Deletion(name, False, reason=f"{error.message}{hint}")
    return Deletion(name, True)


def _note(
    row: JobRow, sha256: str, outcome: Deletion, provider: Provider, ledger: Ledger, rule: str
) -> None:
    """The proof, in the account of what left."""
    if not provider.leaves:
        return
    action: Action = "not_deleted"
    if outcome.deleted:
        action = "deleted" if outcome.verified else "delete_accepted"
    columns: dict[str, Any] = {
        "job_id": row.id,
        "sha256": sha256,
        "rows": 0,
        "bytes": outcome.bytes or 0,
        "privacy": row.privacy,
        "provider": row.provider,
        "account": row.account,
        "region": row.region,
        "endpoint": provider.endpoint,
        "remote_id": outcome.remote_id,
        "rule": rule,
    }
    ledger.egress.note(action, columns)


def _remove_copies(row: JobRow, needed: set[str], home: Path) -> None:
    plan = Plan.model_validate_json(row.plan)
    for payload in (plan.training, plan.validation):
        if payload and payload.sha256 not in needed:
            (home / "payloads" / f"{payload.sha256}.jsonl").unlink(missing_ok=True)


def sweep(
    rows: list[JobRow],
    place_of: Callable[[JobRow], Provider],
    ledger: Ledger,
    home: Path,
) -> list[str]:
    """Purge every job whose data has been at its vendor for longer than it may.

    Returns:
        What happened, as sentences; what failed is tried again the next time.
    """
    said: list[str] = []
    known: dict[tuple[str, ...], str | None] = {}
    for row in rows:
        try:
            time = overdue(row, known)
            if time is None:
                continue
            done = purge(row, place_of(row), ledger, home, rule=f"retention {time}")
            done.require_all(row.id)
        except (ProviderError, OperationFailed) as error:
            said.append(f"{row.id}: its data could not be deleted in time: {error.message}")
            continue
        if done.files:
            said.append(f"{row.id}: its training data was deleted at {row.provider} ({time})")
    return said
