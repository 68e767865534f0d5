"""Custom jobs: the request, and answers. Nothing here opens a connection.

From the messages ``CustomJob``, ``CustomJobSpec``, ``WorkerPoolSpec`` and ``Scheduling`` of
google-cloud-aiplatform 2.7.0 (aiplatform_v1, read 2026-11-25) and docs.cloud.google.com, custom
training: a bucket is mounted at ``/gcs/BUCKET`` in every container (Cloud Storage FUSE).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ftbridge import bundle, clock
from ftbridge.compute import Launch
from ftbridge.errors import UsageError
from ftbridge.jobs.states import FINAL, State
from ftbridge.shapes import RemoteJob
from ftbridge.stores import Store
from ftbridge_vertex.wire import LABEL, STATES

DISK_GB, MOST_DISK_GB = 200, 64_000
GPUS: dict[str, str] = {
    "g2-standard": "NVIDIA_L4",
    "a2-highgpu": "NVIDIA_TESLA_A100",
    "a2-ultragpu": "NVIDIA_A100_80GB",
    "a3-highgpu": "NVIDIA_H100_80GB",
    "a3-megagpu": "NVIDIA_H100_MEGA_80GB",
    "a3-ultragpu": "NVIDIA_H200_141GB",
    "a4-highgpu": "NVIDIA_B200",
}
"""The accelerator of each family of machines (Compute Engine GPU pages; the SDK's words).
Another machine needs ``--option accelerator=TYPE``."""


def create_request(
    launch: Launch, store: Store, options: Mapping[str, str], disk_gb: int
) -> dict[str, Any]:
    """The body of customJobs.create."""
    command = bundle.command(
        mounted(store.address(launch.inputs)),
        mounted(store.address(launch.out)),
        sorted({mounted(store.address(name)).rpartition("/")[0] for name in launch.files}),
        launch.machine.gpus,
    )
    seconds = f"{launch.seconds}s"
    spec: dict[str, Any] = {
        "workerPoolSpecs": [
            {
                "machineSpec": {
                    "machineType": launch.machine.name,
                    "acceleratorType": accelerator(launch.machine.name, options),
                    "acceleratorCount": launch.machine.gpus,
                },
                "replicaCount": "1",
                "diskSpec": {"bootDiskType": "pd-ssd", "bootDiskSizeGb": disk_gb},
                "containerSpec": {
                    "imageUri": launch.image, "command": command[:2], "args": command[2:],
                },
            }
        ],
        # A machine that is taken away ends with an error of Google's, and is replaced.
        "scheduling": {
            "timeout": seconds,
            "restartJobOnWorkerRestart": True,
            "strategy": "SPOT" if launch.spot else "STANDARD",
        },
    }  # fmt: skip
    for option, name in (("service_account", "serviceAccount"), ("network", "network")):
        if option in options:
            spec[name] = options[option]
    body: dict[str, Any] = {
        "displayName": launch.key, "labels": {LABEL: launch.key}, "jobSpec": spec,
    }  # fmt: skip
    if "kms_key" in options:
        body["encryptionSpec"] = {"kmsKeyName": options["kms_key"]}
    return body


def mounted(address: str) -> str:
    """Where a machine finds what lies at a ``gs://`` address."""
    return "/gcs/" + address.removeprefix("gs://")


def accelerator(machine: str, options: Mapping[str, str]) -> str:
    """The word for a machine's GPU.

    Raises:
        UsageError: the machine's family is not known and no option says it.
    """
    known = options.get("accelerator") or GPUS.get(machine.rpartition("-")[0])
    if known is None:
        raise UsageError(
            f"which GPU {machine} has is not known here",
            hint="--option accelerator=NVIDIA_L4, or another word of Google's AcceleratorType",
            where="accelerator",
        )
    return known


def job(shown: Mapping[str, Any]) -> RemoteJob:
    """A custom job as ours; it bills from start to end."""
    raw = str(shown.get("state", ""))
    state = STATES.get(raw, State.UNKNOWN)
    error = shown.get("error")
    started, ended = shown.get("startTime"), shown.get("endTime")
    seconds = None
    if state in FINAL and started and ended:
        seconds = Decimal(str((clock.parse(ended) - clock.parse(started)).total_seconds()))
    return RemoteJob(
        id=str(shown["name"]),
        state=state,
        raw_state=raw,
        stopping=raw == "JOB_STATE_CANCELLING",
        error={"code": str(error.get("code", "")), "message": str(error.get("message", ""))}
        if error
        else None,
        created_at=shown.get("createTime"),
        finished_at=ended,
        billed_seconds=seconds,
        details={"key": (shown.get("labels") or {}).get(LABEL, "")},
    )
