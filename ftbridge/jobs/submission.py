"""One run through the steps of a submit, under the job's lease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from ftbridge import clock
from ftbridge.dataset import Dataset
from ftbridge.dataset.fingerprint import fingerprint
from ftbridge.errors import (
    BudgetRefused,
    CredentialsError,
    DataError,
    FtbridgeError,
    JobUncertain,
    NetworkError,
    ProviderError,
    VendorError,
)
from ftbridge.files import atomic_write
from ftbridge.jobs import late_price, leases, quoting
from ftbridge.jobs.clearance import Clearance, cleared
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.ledger.uploads import Sent
from ftbridge.jobs.payload import payload_lines
from ftbridge.jobs.plan import Payload, Plan
from ftbridge.jobs.retry import may_pass, patiently, surely_not_done
from ftbridge.jobs.spec import DataRef
from ftbridge.jobs.states import State
from ftbridge.jobs.watch import record_state
from ftbridge.policy import CheckedUpload, check_upload
from ftbridge.provider import Provider, RemoteFile, RemoteJob

STEPS = ("convert", "upload_training", "upload_validation", "wait_files", "create", "adopt")
LOOK_SECONDS = 2.0
"""Longest pause between two looks for something that may or may not exist."""
FILE_SECONDS = 600.0
"""How long a vendor may take to process a file before we give the terminal back."""
TRIES = 3
"""How often something is made anew after it was shown not to exist."""
BAD_REQUEST = frozenset({400, 404, 405, 413, 415, 422})
"""Answers that the same request will always get. Others (no balance, no permission) may change."""

Purpose = Literal["training", "validation"]
PURPOSES: tuple[Purpose, ...] = ("training", "validation")
T = TypeVar("T")


class _Stopped(Exception):
    """Somebody has asked the job to stop."""


@dataclass(frozen=True)
class Submission:
    """The state of one submit: the job, its provider, and our lease on it."""

    row: JobRow
    provider: Provider
    ledger: Ledger
    home: Path
    owner: str

    def run(self) -> JobRow:
        """Do the steps that are left. A job that was asked to stop ends here, unpaid."""
        self.provider.require_ready()
        plan = Plan.model_validate_json(self.row.plan)
        clearance = cleared(plan, self.provider, self.row.id)
        try:
            training, validation = self._files(plan, clearance)
            request = self.provider.request(plan.spec, training, validation, self.row.key)
            made = self._made() or self._create_priced(plan, request, (training, validation))
            remote = late_price.settle(plan, made, self.provider)
            row = self.ledger.jobs.adopt(self.row.id, remote)
            if row.is_final:  # it has ended since an earlier try made it: nobody looks again
                row = record_state(row, remote, self.provider, self.ledger).job
            late_price.require_held(remote)
        except _Stopped:
            return self.end()
        # asked to stop while the create was under way
        return self.end() if row.stopping and not row.is_final else row

    def end(self) -> JobRow:
        """Stop for good: what an earlier try made is cancelled at the vendor."""
        remote = self._made()
        if remote is None:
            return self.ledger.jobs.move(self.row.id, State.CANCELLED)
        row = self.ledger.jobs.adopt(self.row.id, remote)
        if row.is_final or not self.provider.supports("cancel"):
            return row
        remote = patiently(self.provider, self.provider.cancel, remote.id)
        return self.ledger.jobs.move(
            row.id, remote.state, raw_state=remote.raw_state, stopping=remote.stopping
        )

    def keep(self, error: FtbridgeError) -> None:
        """Write down why the submit has not ended."""
        row = self.ledger.jobs.get(self.row.id)
        if not row.is_final:
            self.ledger.jobs.move(row.id, row.state, error=error.to_dict())

    # -- steps -------------------------------------------------------------------------------

    def _step(self, name: str, act: Callable[[bool], Any]) -> Any:
        """Run a step unless it is done; ``act`` hears whether an earlier try may have acted."""
        state, result = self.ledger.steps.get(self.row.id, name)
        if state == "done":
            return result
        self._start(name)
        result = act(state == "started")
        self.ledger.steps.finish(self.row.id, name, result)
        return result

    def _start(self, name: str) -> None:
        self.ledger.steps.lease(self.row.id, self.owner, leases.SECONDS)
        if not self.ledger.steps.start(self.row.id, name):
            raise _Stopped

    # -- convert -----------------------------------------------------------------------------

    def _convert(self, plan: Plan) -> dict[str, str]:
        spec = plan.spec
        writer = self.provider.suited(spec)
        paths = {"training": self._write(writer, spec.training, plan.training)}
        if spec.validation and plan.validation:
            paths["validation"] = self._write(writer, spec.validation, plan.validation)
        rows = (fingerprint(item.example) for item in Dataset(spec.training.path).examples())
        self.ledger.history.add_training_rows(self.row.id, rows)
        return paths

    def _write(self, writer: Provider, source: DataRef, payload: Payload) -> str:
        path = self.home / "payloads" / f"{payload.sha256}.jsonl"
        if Dataset(source.path).sha256 != source.sha256:
            raise DataError(
                f"{source.path}: the file has changed since it was planned",
                hint=f"plan and submit again, and `ftbridge cancel {self.row.id}`",
                where=source.path,
            )
        if not path.exists():
            with atomic_write(path) as stream:
                stream.writelines(payload_lines(writer, Dataset(source.path)))
        return str(path)

    # -- files -------------------------------------------------------------------------------

    def _files(self, plan: Plan, clearance: Clearance) -> tuple[str, str | None]:
        """Both files at the vendor, ready to be trained on; one that has gone is sent anew."""
        paths = self._step("convert", lambda _: self._convert(plan))
        for _ in range(TRIES):
            training, validation = (
                self._step(f"upload_{purpose}", self._upload(plan, purpose, paths, clearance))
                for purpose in PURPOSES
            )
            ids = {"upload_training": training, "upload_validation": validation}
            gone = self._step("wait_files", self._await_files(ids))
            if not gone:
                return training, validation
            for step in (*gone, "wait_files"):
                self.ledger.steps.reset(self.row.id, step)
        raise self._resumable(ProviderError(f"{self.provider.name} loses the uploaded files"))

    def _await_files(self, ids: dict[str, str | None]) -> Callable[[bool], list[str]]:
        """Wait until the vendor has processed the files; the result is the upload steps whose
        file it no longer has."""

        def act(_: bool) -> list[str]:
            deadline, gone = clock.monotonic() + FILE_SECONDS, []
            for step, file_id in ids.items():
                if file_id is not None and self._is_gone(file_id, deadline):
                    self.ledger.uploads.forget(self.provider.destination, file_id)
                    gone.append(step)
            return gone

        return act

    def _is_gone(self, file_id: str, deadline: float) -> bool:
        while True:
            state = patiently(self.provider, self.provider.file_state, file_id)
            if state.ready or state.missing:
                return state.missing
            if state.error is not None:
                raise self._refused(
                    VendorError(
                        f"{self.provider.name} cannot use the file {file_id}: {state.error}",
                        hint="see `ftbridge check DATA --provider` for what it wants",
                        where=self.row.id,
                    )
                )
            if clock.monotonic() > deadline:
                raise self._resumable(
                    ProviderError(f"{self.provider.name} still processes the file {file_id}")
                )
            clock.sleep(min(LOOK_SECONDS, self.provider.poll_seconds))

    def _upload(
        self, plan: Plan, purpose: Purpose, paths: dict[str, str], clearance: Clearance
    ) -> Callable[[bool], str | None]:
        payload = plan.training if purpose == "training" else plan.validation

        def act(tried: bool) -> str | None:
            if payload is None:
                return None
            upload = check_upload(
                Path(paths[purpose]),
                payload.sha256,
                purpose,
                clearance.label.privacy,
                self.provider.destination,
                clearance.policy,
            )
            return self._send(upload, Sent(payload.examples, clearance.label.privacy), tried)

        return act

    def _send(self, upload: CheckedUpload, sent: Sent, tried: bool) -> str:
        known = self.ledger.uploads.find(self.row.id, upload)
        if known:
            return known

        def look() -> RemoteFile | None:
            if not self.provider.supports("find_upload"):
                return None  # a second copy costs nothing but its room
            return self._look(lambda: patiently(self.provider, self.provider.find_upload, upload))

        def make() -> RemoteFile:
            self.ledger.uploads.begin(self.row.id, upload, sent)
            return patiently(self.provider, self.provider.upload, upload)

        remote = (look() if tried else None) or self._make(make, look)
        self.ledger.uploads.add(self.row.id, upload, remote, sent)
        return remote.id

    # -- create ------------------------------------------------------------------------------

    def _create_priced(
        self, plan: Plan, request: dict[str, Any], files: tuple[str, str | None]
    ) -> RemoteJob:
        """Make the job, if the vendor's own price allows it; else it ends here, unpaid."""
        try:
            quoting.hold(plan, self.provider, self.ledger, self.row.id, files)
        except BudgetRefused as error:
            self.ledger.jobs.move(self.row.id, State.CANCELLED, error=error.to_dict())
            raise
        return self._create(request)

    def _create(self, request: dict[str, Any]) -> RemoteJob:
        def make() -> RemoteJob:
            self._start("create")
            try:
                return patiently(self.provider, self.provider.create, request, self.row.key)
            except (VendorError, CredentialsError) as error:
                # only what the create itself was told: a search that is refused says nothing
                if not may_pass(error) or surely_not_done(error):
                    self.ledger.steps.reset(self.row.id, "create")
                raise

        remote = self._make(make, self._search)
        self.ledger.steps.finish(self.row.id, "create", remote.id)
        return remote

    def _made(self) -> RemoteJob | None:
        """The remote job of an earlier try, if there was one."""
        state, remote_id = self.ledger.steps.get(self.row.id, "create")
        if state == "done":
            return patiently(self.provider, self.provider.get, remote_id)
        return self._search() if state == "started" else None

    def _search(self) -> RemoteJob | None:
        """The job that an earlier create may have made; None only after repeated absence."""
        if not self.provider.supports("find"):
            self.ledger.jobs.move(self.row.id, State.UNCERTAIN)
            raise JobUncertain(
                f"{self.row.id} may or may not exist at {self.row.provider}",
                hint=f"look there for a job made at {clock.stamp()[:16]} or before, then "
                f"`ftbridge resolve {self.row.id} --remote-id ID` or `--none`",
                where=self.row.id,
            )
        return self._look(lambda: patiently(self.provider, self.provider.find, self.row.key))

    # -- making and looking ------------------------------------------------------------------

    def _make(self, make: Callable[[], T], look: Callable[[], T | None]) -> T:
        """Make something once: where the outcome is unknown, look before trying again."""
        for left in reversed(range(TRIES)):
            try:
                return make()
            except (VendorError, CredentialsError, NetworkError) as error:
                if isinstance(error, VendorError) and _never(error):
                    raise self._refused(error) from None
                if not may_pass(error) or surely_not_done(error):
                    raise self._resumable(error) from None
                found = look()
                if found is not None:
                    return found
                if not left:
                    raise self._resumable(error) from None
        raise AssertionError("unreachable")

    def _look(self, find: Callable[[], T | None]) -> T | None:
        """Look until the settle window has passed: vendors' lists lag behind their creates."""
        window = self.provider.settle_seconds
        deadline = clock.monotonic() + window
        while True:
            try:
                found = find()
            except (VendorError, CredentialsError, NetworkError) as error:
                raise self._resumable(error) from None
            if found is not None or clock.monotonic() >= deadline:
                return found
            clock.sleep(min(LOOK_SECONDS, window / 4))

    def _refused(self, error: VendorError) -> VendorError:
        """The vendor will never take it: the job has failed."""
        self.ledger.jobs.move(self.row.id, State.FAILED, error=error.to_dict())
        return error

    def _resumable(self, error: FtbridgeError) -> FtbridgeError:
        way = f"then `ftbridge resume {self.row.id}`"
        if way not in error.hint:
            error.hint = f"{error.hint}; {way}" if error.hint else way
        error.where = error.where or self.row.id
        return error


def _never(error: VendorError) -> bool:
    """Whether the same request will always get this answer (AWS throttles with 400 too)."""
    return error.status in BAD_REQUEST and not may_pass(error)
