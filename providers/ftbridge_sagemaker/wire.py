"""A training job of SageMaker in our words.

Source: DescribeTrainingJob of the service model (botocore 1.43.117, seen 2026-11-25). Unverified:
that a job over its time limit is told as Stopped with the secondary status of the limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ftbridge.jobs.states import State
from ftbridge.shapes import RemoteEvent, RemoteJob

WAITING = frozenset({"Pending", "Starting", "LaunchingMLInstances", "PreparingTrainingStack"})
STATES = {
    "Completed": State.SUCCEEDED,
    "Failed": State.FAILED,
    "Stopped": State.CANCELLED,
    "Stopping": State.RUNNING,
    "Deleting": State.RUNNING,
}
LIMITS = {
    "MaxRuntimeExceeded": "the job ran as long as it was allowed to; give it more with "
    "--option hours=N",
    "MaxWaitTimeExceeded": "no spot capacity in the time that the job was to wait; give it more "
    "with --option wait_hours=N, or leave spot out",
}
"""Secondary status -> what it means: stopped, but not by anybody's wish."""


def job(found: Mapping[str, Any]) -> RemoteJob:
    """A description of a job."""
    status, secondary = str(found["TrainingJobStatus"]), str(found.get("SecondaryStatus", ""))
    state = _state(status, secondary)
    tokens = found.get("BillableTokenCount")
    return RemoteJob(
        id=str(found["TrainingJobName"]),
        state=state,
        raw_state=_word(state, status, secondary),
        stopping=status == "Stopping",
        model=found.get("OutputModelPackageArn") if state is State.SUCCEEDED else None,
        error=_error(found, secondary) if state is State.FAILED else None,
        created_at=_stamp(found.get("CreationTime")),
        finished_at=_stamp(found.get("TrainingEndTime")),
        trained_tokens=None if tokens is None else int(tokens),
        progress=_progress(found.get("ProgressInfo")),
        billed_seconds=_seconds(found),
        details={"secondary": secondary, "arn": found.get("TrainingJobArn")},
    )


def _state(status: str, secondary: str) -> State:
    if status == "InProgress":
        return State.QUEUED if secondary in WAITING else State.RUNNING
    if status == "Stopped" and secondary in LIMITS:
        return State.FAILED
    return STATES.get(status, State.UNKNOWN)


def _word(state: State, status: str, secondary: str) -> str:
    plain = state is State.UNKNOWN or secondary in ("", status)
    return status if plain else f"{status}/{secondary}"


def _error(found: Mapping[str, Any], secondary: str) -> dict[str, str]:
    said = str(found.get("FailureReason") or LIMITS.get(secondary) or "SageMaker gives no reason")
    code = secondary if secondary in LIMITS else said.partition(":")[0]
    return {"code": code if code.isalnum() else "failed", "message": said}


def _progress(info: Mapping[str, Any] | None) -> float | None:
    """Steps done of all epochs' steps."""
    if not info:
        return None
    steps = (info.get("TotalStepCountPerEpoch") or 0) * (info.get("MaxEpoch") or 0)
    return min(1.0, (info.get("CurrentStep") or 0) / steps) if steps else None


def _seconds(found: Mapping[str, Any]) -> Decimal | None:
    """What is billed of a job on instances; managed spot is billed below the time it ran."""
    billed = found.get("BillableTimeInSeconds")
    return None if billed is None else Decimal(billed)


def events(found: Mapping[str, Any]) -> list[RemoteEvent]:
    """The job's secondary statuses, each with its time and sentence."""
    return [
        RemoteEvent(
            time=str(_stamp(row["StartTime"])),
            level="error" if row["Status"] == "Failed" else "info",
            message=str(row.get("StatusMessage") or row["Status"]),
            type=str(row["Status"]),
        )
        for row in found.get("SecondaryStatusTransitions", ())
    ]


def _stamp(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
