"""CloudWatch's logs of training jobs, as far as they are read: streams of a group, and events.

Group and stream names: docs.aws.amazon.com sagemaker logging-cloudwatch.
"""

from __future__ import annotations

from typing import Any

from .errors import ApiError
from .store import Emulator

GROUP = "/aws/sagemaker/TrainingJobs"


async def streams(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DescribeLogStreams, by prefix."""
    _known(params)
    prefix = params.get("logStreamNamePrefix", "")
    names = [_stream(job.name, job.created) for job in emulator.store.jobs.values() if job.run]
    return {"logStreams": [{"logStreamName": name} for name in names if name.startswith(prefix)]}


async def events(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """GetLogEvents: lines from a token on; the same token again where nothing is new."""
    _known(params)
    wanted = params["logStreamName"]
    job = next(
        (each for each in emulator.store.jobs.values()
         if each.run and _stream(each.name, each.created) == wanted), None
    )  # fmt: skip
    if job is None or job.run is None:
        raise _gone("stream")
    log = job.run.log
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    start = int(params.get("nextToken", "f/0").rpartition("/")[2])
    following = min(len(lines), start + params.get("limit", 10_000))
    moment = int(job.created * 1000)
    rows = [{"timestamp": moment, "message": line, "ingestionTime": moment}
            for line in lines[start:following]]  # fmt: skip
    return {
        "events": rows,
        "nextForwardToken": f"f/{following}",
        "nextBackwardToken": f"b/{start}",
    }


def _stream(name: str, created: float) -> str:
    return f"{name}/algo-1-{int(created)}"


def _known(params: dict[str, Any]) -> None:
    if params.get("logGroupName") != GROUP:
        raise _gone("group")


def _gone(what: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"The specified log {what} does not exist.")
