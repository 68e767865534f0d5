"""A job of Azure ML in our words, and ours in Azure's.

Sources: ``JobStatus`` and the command job of azure-ai-ml 1.35.2's REST client, api-version
2025-12-01 (read 2026-11-25); learn.microsoft.com for inputs, outputs and serverless compute.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from typing import Any

from ftbridge import bundle
from ftbridge.compute import Launch
from ftbridge.jobs.states import State
from ftbridge.shapes import RemoteJob
from ftbridge_azure_ml import settings
from ftbridge_azure_ml.settings import Workspace

TAG = "ftbridge_key"
EXPERIMENT = "ftbridge"
ENVIRONMENT = "ftbridge"
STATUSES = {
    "NotStarted": State.QUEUED,
    "Starting": State.QUEUED,
    "Provisioning": State.QUEUED,
    "Preparing": State.QUEUED,
    "Queued": State.QUEUED,
    "Running": State.RUNNING,
    "Finalizing": State.RUNNING,
    "CancelRequested": State.RUNNING,
    "NotResponding": State.RUNNING,
    "Paused": State.PAUSED,
    "Completed": State.SUCCEEDED,
    "Failed": State.FAILED,
    "Canceled": State.CANCELLED,
}
"""All but ``Unknown``, which stays what it says."""


def job(document: Mapping[str, Any]) -> RemoteJob:
    """A job's document. It holds no reason of a failure: the trainer's own is in the store."""
    properties = document["properties"]
    status = str(properties["status"])
    state = STATUSES.get(status, State.UNKNOWN)
    services = properties.get("services") or {}
    page = (services.get("Studio") or {}).get("endpoint")
    failed = {"code": "failed", "message": "the job failed; its page in the studio has the log"}
    return RemoteJob(
        id=str(document["name"]),
        state=state,
        raw_state=status,
        stopping=status == "CancelRequested",
        error=failed if state is State.FAILED else None,
        created_at=(document.get("systemData") or {}).get("createdAt"),
        details={"url": page} if page else {},
    )


def version(image: str) -> str:
    """The version under which an image is registered: the same image, the same version."""
    return hashlib.sha256(image.encode()).hexdigest()[:12]


def body(launch: Launch, workspace: Workspace, options: Mapping[str, str]) -> dict[str, Any]:
    """The body of the PUT that makes the job."""
    files = workspace.files(settings.datastore(options))
    properties: dict[str, Any] = {
        "jobType": "Command",
        "displayName": launch.key,
        "experimentName": EXPERIMENT,
        "tags": {TAG: launch.key},
        "command": _command(launch.machine.gpus),
        "environmentId": f"{workspace.path}/environments/{ENVIRONMENT}/versions/"
        + version(launch.image),
        "inputs": {
            "bundle": _folder(files + launch.inputs, "Download"),
            "files": _folder(f"{files}files", "ReadOnlyMount"),
        },
        "outputs": {
            "out": {
                "jobOutputType": "uri_folder",
                "uri": files + launch.out,
                "mode": "ReadWriteMount",
            }
        },
        "limits": {"jobLimitsType": "Command", "timeout": f"PT{launch.seconds}S"},
    }
    return {"properties": properties | _place(launch, workspace, options)}


def _place(
    launch: Launch, workspace: Workspace, options: Mapping[str, str]
) -> dict[str, Any]:  # fmt: skip
    """Where it runs: a cluster of the workspace, or serverless compute by the machine's name."""
    identity, cluster = settings.identity(options), settings.compute(options)
    resources: dict[str, Any] = {"instanceCount": 1}
    place: dict[str, Any] = {"resources": resources}
    if identity is not None:
        place["identity"] = {"identityType": identity}
    if cluster is not None:
        return place | {"computeId": f"{workspace.path}/computes/{cluster}"}
    resources["instanceType"] = launch.machine.name
    return place | {"queueSettings": {"jobTier": "Spot" if launch.spot else "Standard"}}


def _folder(uri: str, mode: str) -> dict[str, str]:
    return {"jobInputType": "uri_folder", "uri": uri, "mode": mode}


def _command(gpus: int) -> str:
    """A line for the job's shell. The places stand unquoted: Azure puts paths without blanks."""
    places = ("${{inputs.bundle}}", "${{outputs.out}}", ["${{inputs.files}}"])
    parts = bundle.command(*places, gpus)
    return " ".join(part if "${{" in part else shlex.quote(part) for part in parts)
