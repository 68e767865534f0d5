"""When a name may mean a new model: only when that model was shown to be better."""

from __future__ import annotations

import re

from ftbridge.errors import Refused, UsageError
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.ledger.aliases import Alias

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def promote(ledger: Ledger, name: str, job: JobRow, reason: str | None = None) -> Alias:
    """Let a name mean a job's model.

    The latest evaluation of the job must say ``better``: against the model that the name means
    now, or where it means none yet, against any baseline.

    Args:
        reason: why, instead of an evaluation; kept in the history.

    Raises:
        UsageError: for a name that could be taken for something else, or a job without a model.
        Refused: where no evaluation says so and no reason is given.
    """
    _require_name(name, job)
    now = ledger.aliases.current(name)
    if now and now.job == job.id:
        return now
    holder = ledger.jobs.get(now.job) if now else None
    return ledger.aliases.point(name, job.id, reason or _evidence(ledger, name, job, holder))


def _require_name(name: str, job: JobRow) -> None:
    if not _NAME.fullmatch(name) or name == "base" or name.startswith("job_"):
        raise UsageError(
            f"`{name}` cannot be an alias",
            hint="small letters, digits, `.`, `_`, `-`; not `base`, not the form of a job's id",
            where="name",
        )
    if job.result_model is None:
        raise UsageError(
            f"{job.id} is {job.state} and has no model",
            hint=f"see `ftbridge status {job.id}`",
            where=job.id,
        )


def _evidence(ledger: Ledger, name: str, job: JobRow, holder: JobRow | None) -> str:
    against = holder.result_model if holder else None
    found = ledger.evaluations.latest(job.id, against)
    whom = f"{holder.id}, which `{name}` means now" if holder else "a baseline"
    baseline = f" --baseline {holder.id}" if holder else ""
    if found is None:
        raise Refused(
            f"no evaluation has compared {job.id} with {whom}",
            hint=f"run `ftbridge eval HELDOUT --model {job.id}{baseline}`, or give a --reason",
            where=name,
            code="not_evaluated",
        )
    if found["verdict"] != "better":
        raise Refused(
            f"{found['evaluation']} says `{found['verdict']}` of {job.id} against {whom}",
            hint="keep what there is, evaluate on more rows, or give a --reason",
            where=name,
            code="not_better",
        )
    change = found["difference"]["value"]
    return f"better by {change:.1%} {found['metric']} on {found['n']} rows ({found['evaluation']})"
