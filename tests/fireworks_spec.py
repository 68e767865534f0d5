"""Specs of Fireworks' three kinds of job, and what the vendor usually answers."""

from __future__ import annotations

from typing import Any

from ftbridge.dataset.types import Kind
from ftbridge.jobs.spec import DataRef, JobSpec

BASE = "accounts/fireworks/models/llama-v3p1-8b-instruct"
DATASET = "accounts/acme/datasets/ftbridge-0"
KEY = "fw_very_secret"
ACCOUNT = "accounts/acme"
SFT = f"{ACCOUNT}/supervisedFineTuningJobs/ftb-1"
JOB: dict[str, Any] = {
    "name": SFT, "state": "JOB_STATE_PENDING", "dataset": f"{ACCOUNT}/datasets/d",
    "createTime": "2026-11-25T10:00:00Z", "outputModel": f"{ACCOUNT}/models/ftb-1",
    "status": {"code": "OK", "message": ""},
}  # fmt: skip


def spec(**changes: Any) -> JobSpec:
    """A supervised job with nothing set."""
    training = DataRef(path="d", sha256="s", kind=Kind.CHAT, examples=12, bytes=10)
    base = {"provider": "fireworks", "model": BASE, "adapter": "lora", "training": training}
    return JobSpec.model_validate(base | changes)


def usual(method: str, path: str) -> Any:
    """A job of the kind that was asked for."""
    kinds = ("supervisedFineTuningJobs", "dpoJobs", "reinforcementFineTuningJobs")
    for kind in kinds:
        if f"/{kind}" in path:
            row = {**JOB, "name": f"{ACCOUNT}/{kind}/ftb-1", "evaluator": "e"}
            return {kind: [row]} if method == "GET" and path.endswith(kind) else row
    return {"name": f"{ACCOUNT}/datasets/d", "state": "READY", "id": "d"}
