"""Submit as a write-ahead log: each step is committed before and after it acts.

    intent + reservation -> convert -> upload_training -> upload_validation -> wait_files
        -> create -> adopt

A crash leaves a job that :func:`advance` brings forward: done steps are skipped, a step whose
outcome is unknown asks the vendor before it acts again. Exactly one remote job comes of it.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from ftbridge.errors import FtbridgeError, LedgerError, OperationFailed, UsageError
from ftbridge.jobs import leases
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.retry import patiently
from ftbridge.jobs.submission import STEPS, Submission
from ftbridge.provider import Provider


def submit(
    plan: Plan, provider: Provider, ledger: Ledger, *, again: bool, cap: Decimal | None
) -> tuple[str, bool]:
    """Write the intent, or attach to the same plan's active job.

    Args:
        cap: the monthly limit in USD over all jobs, or None.

    Returns:
        The job's id, and whether it is new. Bring it forward with :func:`advance`.

    Raises:
        The plan's refusal; UsageError where the same plan has ended and ``again`` is not set;
        BudgetRefused by the monthly cap; what :meth:`Provider.preflight` finds.
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
    patiently(provider, provider.preflight, plan.spec)
    return ledger.jobs.intend(keyed, base_key, cap, STEPS), True


def advance(
    job_id: str, provider: Provider, ledger: Ledger, home: Path, *, attached: bool = False
) -> JobRow:
    """Do what is left of a submit. Safe to call again after any crash.

    Args:
        attached: another process may be at it; if it takes long, leave it to that one.

    Raises:
        JobUncertain: where a create was sent and the vendor cannot be searched.
        DataError: where the data file is gone or changed before it was converted.
        ProviderError: what the vendor or the network said; the job can be resumed unless the
            vendor refused it for good.
        OperationFailed: with the code ``busy``, where another process goes on acting on it.
    """
    try:
        with leases.held(ledger.steps, job_id) as owner:
            row = ledger.jobs.get(job_id)
            if row.remote_id or row.is_final:
                return row
            return _run(Submission(row, provider, ledger, home, owner))
    except OperationFailed as error:
        if attached and error.code == "busy":
            return ledger.jobs.get(job_id)
        raise


def _run(submission: Submission) -> JobRow:
    """Run it; an error is kept in the ledger, where ``status`` shows it, and passed on."""
    try:
        return submission.run()
    except FtbridgeError as error:
        submission.keep(error)
        raise
    except OSError as error:
        raise LedgerError(
            f"{error.filename or submission.home}: {error.strerror}",
            hint="check permissions and free disk space, then "
            f"`ftbridge resume {submission.row.id}`",
            where=submission.row.id,
        ) from None


def settle_create(row: JobRow, provider: Provider, ledger: Ledger) -> JobRow:
    """Find out whether an unfinished submit has made a remote job, and adopt it; else end it.

    Raises:
        JobUncertain: where a create was sent and the vendor cannot be searched.
        OperationFailed: with the code ``busy``, where another process goes on acting on it.
    """
    with leases.held(ledger.steps, row.id) as owner:
        row = ledger.jobs.get(row.id)
        if row.remote_id or row.is_final:
            return row
        return Submission(row, provider, ledger, Path(), owner).end()
