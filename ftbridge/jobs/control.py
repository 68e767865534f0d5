"""Cancel, pause and resume: one meaning each, whatever the job's state and the vendor's verbs."""

from __future__ import annotations

from pathlib import Path

from ftbridge import errors
from ftbridge.errors import FtbridgeError, OperationFailed
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.plan import Refusal
from ftbridge.jobs.states import LOCAL, State
from ftbridge.jobs.submit import advance, settle_create
from ftbridge.jobs.watch import refresh
from ftbridge.provider import Provider


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
        provider.resume(_remote_id(row))
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
    provider.pause(_remote_id(row))
    return refresh(row, provider, ledger).job


def cancel(row: JobRow, provider: Provider, ledger: Ledger) -> JobRow:
    """Stop a job for good. Before the create this costs nothing and asks nobody.

    Raises:
        OperationFailed: where it has ended already.
        JobUncertain: where a create was sent and the vendor cannot be searched.
    """
    if row.is_final:
        raise OperationFailed(
            f"{row.id} has ended already: {row.state}", where=row.id, code="already_ended"
        )
    if row.state in LOCAL:
        row = settle_create(row, provider, ledger)
        if row.remote_id is None:
            return ledger.jobs.move(row.id, State.CANCELLED)
    if not provider.supports("cancel"):
        raise provider.unsupported("cancel")
    provider.cancel(_remote_id(row))
    return refresh(row, provider, ledger).job


def _remote_id(row: JobRow) -> str:
    if row.remote_id is None:
        raise OperationFailed(f"{row.id} is not at the provider yet", where=row.id)
    return row.remote_id


def as_error(refusal: Refusal) -> FtbridgeError:
    """The refusal of a plan as the error it was."""
    kinds = [errors.PolicyRefused, errors.LossError, errors.ServiceClosed, errors.BudgetRefused]
    kind = next((k for k in kinds if k.default_code == refusal.code), errors.BudgetRefused)
    return kind(refusal.message, code=refusal.code, hint=refusal.hint, where=refusal.where)
