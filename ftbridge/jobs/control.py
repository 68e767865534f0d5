"""Cancel, pause, resume, resolve and delete: one meaning each, whatever the job's state
and the vendor's verbs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ftbridge import errors
from ftbridge.errors import OperationFailed, UsageError, VendorError
from ftbridge.jobs import leases
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.retry import patiently
from ftbridge.jobs.states import FINAL, LOCAL, State
from ftbridge.jobs.submit import advance, settle_create
from ftbridge.jobs.watch import record_state, refresh
from ftbridge.provider import Provider, RemoteCheckpoint, RemoteJob


def resume(row: JobRow, provider: Provider, ledger: Ledger, home: Path) -> JobRow:
    """Bring a job forward by what its state means; a final or running one is left as it is.

    An unfinished submit is finished; a paused job, or a local run that died, goes on.
    """
    if row.is_final:
        return row
    if row.state in LOCAL:
        return advance(row.id, provider, ledger, home)
    row = refresh(row, provider, ledger).job
    if row.state is State.PAUSED:
        if not provider.supports("resume"):
            raise provider.unsupported("resume")
        _settle(row, provider, provider.resume, lambda remote: remote.state is not State.PAUSED)
        row = refresh(row, provider, ledger).job
    return row


def pause(row: JobRow, provider: Provider, ledger: Ledger) -> JobRow:
    """Ask the vendor to pause.

    Raises:
        Unsupported: where the vendor cannot; OperationFailed where there is nothing to pause.
    """
    if row.is_final or row.state in LOCAL:
        raise OperationFailed(f"{row.id} is {row.state}; there is nothing to pause", where=row.id)
    if not provider.supports("pause"):
        raise provider.unsupported("pause")
    _settle(row, provider, provider.pause, lambda remote: remote.state is State.PAUSED)
    return refresh(row, provider, ledger).job


def cancel(row: JobRow, provider: Provider, ledger: Ledger) -> JobRow:
    """Stop a job for good. Before the create this costs nothing and asks nobody.

    A submit that is under way in another process is told to stop before it creates; where that
    process takes long, the job is returned as it is, with ``stopping`` set.

    Raises:
        OperationFailed: where it has ended already.
        JobUncertain: where a create was sent and the vendor cannot be searched.
    """
    if row.is_final:
        raise OperationFailed(
            f"{row.id} has ended already: {row.state}", where=row.id, code="already_ended"
        )
    if row.state in LOCAL:
        ledger.jobs.ask_to_stop(row.id)
        try:
            row = settle_create(row, provider, ledger)
        except OperationFailed as error:
            if error.code != "busy":
                raise
            return ledger.jobs.get(row.id)
        if row.is_final:
            return row
    if not provider.supports("cancel"):
        raise provider.unsupported("cancel")
    _settle(row, provider, provider.cancel, lambda remote: remote.state in FINAL or remote.stopping)
    return refresh(row, provider, ledger).job


def resolve(row: JobRow, provider: Provider, ledger: Ledger, remote_id: str | None) -> JobRow:
    """Settle an uncertain job by what a person has seen at the vendor.

    Args:
        remote_id: the vendor's job that is ours, or None: there is none, it may be created.

    Raises:
        OperationFailed: where nothing is uncertain, or the remote job belongs to another of ours.
        VendorError: where the vendor knows no such job.
    """
    with leases.held(ledger.steps, row.id):
        row = ledger.jobs.get(row.id)
        if row.state not in LOCAL:
            raise OperationFailed(
                f"{row.id} is {row.state}; there is nothing to resolve",
                where=row.id,
                code="not_uncertain",
            )
        if remote_id is not None:
            remote = patiently(provider, provider.get, remote_id)
            row = ledger.jobs.adopt(row.id, remote)
            return record_state(row, remote, provider, ledger).job if row.is_final else row
        ledger.steps.reset(row.id, "create")
        return ledger.jobs.move(row.id, State.PREPARING, error=None)


def delete(row: JobRow, provider: Provider) -> None:
    """Remove the job's record at the vendor; ours stays.

    Raises:
        Unsupported: where the vendor keeps records.
        OperationFailed: where the job has not ended.
    """
    if not provider.supports("delete"):
        raise provider.unsupported("delete")
    if not row.is_final:
        raise OperationFailed(f"{row.id} is {row.state}; cancel it first", where=row.id)
    if row.remote_id is not None:
        patiently(provider, provider.delete, row.remote_id)


def checkpoints(row: JobRow, provider: Provider) -> list[RemoteCheckpoint]:
    """The states of the job's model so far, by step.

    Raises:
        Unsupported: the provider shows none.
        OperationFailed: the job is not known to be at the provider.
    """
    if not provider.supports("checkpoints"):
        raise provider.unsupported("checkpoints")
    if row.remote_id is None:
        raise OperationFailed(f"{row.id} is not at {row.provider} yet", where=row.id)
    found = patiently(provider, provider.checkpoints, row.remote_id)
    return sorted(found, key=lambda point: point.step)


def _settle(
    row: JobRow,
    provider: Provider,
    ask: Callable[[str], RemoteJob],
    is_so: Callable[[RemoteJob], bool],
) -> None:
    """Ask the vendor for a state; a refusal is none where the state is reached already.

    An answer that was lost is asked for again, and the vendor then refuses the second request.
    """
    if row.remote_id is None:
        raise OperationFailed(f"{row.id} is not at the provider yet", where=row.id)
    try:
        patiently(provider, ask, row.remote_id)
    except VendorError:
        if not is_so(patiently(provider, provider.get, row.remote_id)):
            raise


def require_one(remote_id: str | None, none: bool) -> None:
    """Raise UsageError unless exactly one of ``--remote-id`` and ``--none`` was given."""
    if (remote_id is None) is not none:
        raise UsageError(
            "say either what the vendor shows or that it shows nothing",
            hint="--remote-id ID, or --none",
            where="--remote-id",
        )


def require_allowed(plan: Plan) -> None:
    """Raise the plan's refusal as the error it was, if it has one."""
    refusal = plan.refusal
    if refusal is None:
        return
    kinds = [errors.PolicyRefused, errors.LossError, errors.ServiceClosed, errors.BudgetRefused]
    kind = next((k for k in kinds if k.default_code == refusal.code), errors.BudgetRefused)
    document = {"losses": [loss.model_dump(mode="json") for loss in plan.losses]}
    raise kind(
        refusal.message, code=refusal.code, hint=refusal.hint, where=refusal.where,
        document=document if kind is errors.LossError else None,
    )  # fmt: skip
