"""Submit as a write-ahead log: each step is committed before and after it acts.

    intent + reservation -> convert -> upload_training -> upload_validation -> create

A crash leaves a job that :func:`advance` brings forward: done steps are skipped, a step whose
outcome is unknown asks the vendor before it acts again. Exactly one remote job comes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from ftbridge import clock
from ftbridge.dataset import Dataset
from ftbridge.dataset.fingerprint import fingerprint
from ftbridge.errors import (
    CredentialsError,
    DataError,
    FtbridgeError,
    JobUncertain,
    NetworkError,
    UsageError,
    VendorError,
)
from ftbridge.files import atomic_write
from ftbridge.jobs import leases
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.ledger.uploads import Sent
from ftbridge.jobs.plan import Payload, Plan
from ftbridge.jobs.planning import payload_lines
from ftbridge.jobs.retry import patiently
from ftbridge.jobs.spec import DataRef
from ftbridge.jobs.states import State
from ftbridge.policy import CheckedUpload, check_upload
from ftbridge.provider import Provider, RemoteJob

STEPS = ("convert", "upload_training", "upload_validation", "create")
LOOK_SECONDS = 2.0
"""Pause between two looks for a job that may or may not exist."""

Purpose = Literal["training", "validation"]


def submit(
    plan: Plan, provider: Provider, ledger: Ledger, *, again: bool, cap: Decimal | None
) -> tuple[str, bool]:
    """Write the intent, or attach to the same plan's active job.

    Returns:
        The job's id, and whether it is new. Bring it forward with :func:`advance`.

    Raises:
        The plan's refusal; UsageError where the same plan has ended and ``again`` is not set;
        BudgetRefused by the monthly cap.
    """
    base_key = plan.spec.key(plan.account, 1)
    latest = ledger.jobs.latest(base_key)
    if latest and not latest.is_final:
        return latest.id, False
    if latest and not again:
        raise UsageError(
            f"this very plan has ended already: {latest.id} {latest.state}",
            hint="submit it once more with --again",
            where=latest.id,
            code="already_ended",
        )
    attempt = latest.attempt + 1 if latest else 1
    keyed = plan.model_copy(
        update={"attempt": attempt, "key": plan.spec.key(plan.account, attempt)}
    )
    provider.require_ready()
    return ledger.jobs.intend(keyed, base_key, cap, STEPS), True


def advance(job_id: str, provider: Provider, ledger: Ledger, home: Path) -> JobRow:
    """Do what is left of a submit. Safe to call again after any crash.

    Raises:
        JobUncertain: where a create was sent and the vendor cannot be searched.
        DataError: where the data file is gone or changed before it was converted.
        ProviderError: what the vendor or the network said; the job can be resumed unless the
            vendor refused it for good.
    """
    with leases.held(ledger.jobs, job_id) as owner:
        row = ledger.jobs.get(job_id)
        if row.remote_id or row.is_final:
            return row
        return _Submission(row, provider, ledger, home, owner).run()


def settle_create(row: JobRow, provider: Provider, ledger: Ledger) -> JobRow:
    """Find out whether an unfinished submit has made a remote job, and adopt it.

    Raises:
        JobUncertain: where a create was sent and the vendor cannot be searched.
    """
    with leases.held(ledger.jobs, row.id) as owner:
        submission = _Submission(ledger.jobs.get(row.id), provider, ledger, Path(), owner)
        remote = submission.made()
        if remote is None:
            return submission.row
        return submission.adopt(remote)


@dataclass(frozen=True)
class _Submission:
    row: JobRow
    provider: Provider
    ledger: Ledger
    home: Path
    owner: str

    def run(self) -> JobRow:
        self.provider.require_ready()
        plan = Plan.model_validate_json(self.row.plan)
        paths = self._step("convert", lambda _: self._convert(plan))
        training = self._step("upload_training", self._upload(plan, "training", paths))
        validation = self._step("upload_validation", self._upload(plan, "validation", paths))
        request = self.provider.request(plan.spec, training, validation, self.row.key)
        return self.adopt(self.made() or self._create(request))

    def adopt(self, remote: RemoteJob) -> JobRow:
        """Bind the remote job to ours."""
        self.ledger.jobs.finish_step(self.row.id, "create", remote.id)
        return self.ledger.jobs.move(
            self.row.id, remote.state, raw_state=remote.raw_state, remote_id=remote.id
        )

    def made(self) -> RemoteJob | None:
        """The remote job of an earlier try, if there was one."""
        state, remote_id = self.ledger.jobs.step(self.row.id, "create")
        if state == "done":
            return patiently(self.provider.get, remote_id)
        return self._search() if state == "started" else None

    def _step(self, name: str, act: Callable[[bool], Any]) -> Any:
        """Run a step unless it is done; ``act`` hears whether an earlier try may have acted."""
        state, result = self.ledger.jobs.step(self.row.id, name)
        if state == "done":
            return result
        self.ledger.jobs.lease(self.row.id, self.owner, leases.SECONDS)
        self.ledger.jobs.start_step(self.row.id, name)
        result = act(state == "started")
        self.ledger.jobs.finish_step(self.row.id, name, result)
        return result

    # -- convert -----------------------------------------------------------------------------

    def _convert(self, plan: Plan) -> dict[str, str]:
        spec = plan.spec
        paths = {"training": self._write(spec.training, plan.training)}
        if spec.validation and plan.validation:
            paths["validation"] = self._write(spec.validation, plan.validation)
        rows = (fingerprint(item.example) for item in Dataset(spec.training.path).examples())
        self.ledger.history.add_training_rows(self.row.id, rows)
        return paths

    def _write(self, source: DataRef, payload: Payload) -> str:
        path = self.home / "payloads" / f"{payload.sha256}.jsonl"
        if Dataset(source.path).sha256 != source.sha256:
            raise DataError(
                f"{source.path}: the file has changed since it was planned",
                hint="plan and submit again",
                where=source.path,
            )
        if not path.exists():
            with atomic_write(path) as stream:
                stream.writelines(payload_lines(self.provider, Dataset(source.path)))
        return str(path)

    # -- upload ------------------------------------------------------------------------------

    def _upload(
        self, plan: Plan, purpose: Purpose, paths: dict[str, str]
    ) -> Callable[[bool], str | None]:
        payload = plan.training if purpose == "training" else plan.validation

        def act(tried: bool) -> str | None:
            if payload is None:
                return None
            upload = check_upload(
                Path(paths[purpose]),
                payload.sha256,
                purpose,
                plan.spec.privacy,
                self.provider.destination,
            )
            return self._send(upload, Sent(payload.examples, str(plan.spec.privacy)), tried)

        return act

    def _send(self, upload: CheckedUpload, sent: Sent, tried: bool) -> str:
        known = self.ledger.uploads.find(self.row.id, upload)
        if known:
            return known
        remote = None
        if tried and self.provider.supports("find_upload"):
            remote = patiently(self.provider.find_upload, upload)
        remote = remote or self.provider.upload(upload)
        self.ledger.uploads.add(self.row.id, upload, remote, sent)
        return remote.id

    # -- create ------------------------------------------------------------------------------

    def _create(self, request: dict[str, Any]) -> RemoteJob:
        jobs, job_id = self.ledger.jobs, self.row.id
        jobs.lease(job_id, self.owner, leases.SECONDS)
        jobs.start_step(job_id, "create")
        try:
            return self.provider.create(request, self.row.key)
        except VendorError as error:
            if error.transient:
                raise self._resumable(error) from None
            jobs.reset_step(job_id, "create")
            jobs.move(job_id, State.FAILED, error=error.to_dict())
            raise
        except CredentialsError as error:
            jobs.reset_step(job_id, "create")
            raise self._resumable(error) from None
        except NetworkError as error:
            raise self._resumable(error) from None

    def _search(self) -> RemoteJob | None:
        """The job that an earlier create may have made; None only after repeated absence.

        Lists lag behind creates, so we look until the settle window has passed.
        """
        if not self.provider.supports("find"):
            self.ledger.jobs.move(self.row.id, State.UNCERTAIN)
            raise JobUncertain(
                f"{self.row.id} may or may not exist at {self.row.provider}",
                hint=f"look there for a job made at {self.row.updated_at}",
                where=self.row.id,
            )
        deadline = clock.real_now() + timedelta(seconds=self.provider.settle_seconds)
        while True:
            remote = patiently(self.provider.find, self.row.key)
            if remote:
                return remote
            if clock.real_now() >= deadline:
                return None
            clock.sleep(min(LOOK_SECONDS, self.provider.settle_seconds / 4))

    def _resumable(self, error: FtbridgeError) -> FtbridgeError:
        error.hint = (
            f"{error.hint + '; ' if error.hint else ''}then `ftbridge resume {self.row.id}`"
        )
        error.where = error.where or self.row.id
        return error
