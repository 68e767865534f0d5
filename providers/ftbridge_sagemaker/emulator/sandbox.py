"""The emulator as ``ftbridge sandbox`` runs it: with an S3, a bucket and a package group."""

from __future__ import annotations

import atexit
from typing import Any

from ftbridge import run_records
from ftbridge.provider import Sandbox

from .app import ACCESS_KEY, SECRET_KEY, create_app
from .store import ACCOUNT, REGION, Thing, TrainingJob

BUCKET = "ftbridge-sandbox"
GROUP = "ftbridge-sandbox"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ftbridge-sandbox"


def once_it_has_a_checkpoint(job: TrainingJob, names: list[str]) -> bool:
    """Every spot job loses its first machine, as soon as a whole checkpoint is in S3."""
    return job.interruptions == 0 and bool(run_records.checkpoints(names))


def sandbox(provider: str) -> Sandbox:
    """The emulator and moto's S3, in one process, with the variables of ``provider``."""
    from ftbridge.testing.s3 import start

    started: dict[str, str] = {}

    def app(speed: float, latency: float) -> Any:
        started["s3"] = start(BUCKET)
        made = create_app(
            started["s3"], speed=speed, latency=latency, interrupts=once_it_has_a_checkpoint
        )
        store = made.state.store
        started["hub"] = str(store.hub.folder)
        group = {"ModelPackageGroupName": GROUP}
        store.groups[GROUP] = Thing(store.arn("model-package-group", GROUP), group, 0.0)
        atexit.register(store.close)
        return made

    def variables(url: str) -> dict[str, str]:
        own = f"FTBRIDGE_{provider.upper()}_"
        services = ("SAGEMAKER", "SAGEMAKER_RUNTIME", "CLOUDWATCH_LOGS", "STS")
        return {f"AWS_ENDPOINT_URL_{name}": url for name in services} | {
            "AWS_ENDPOINT_URL_S3": started["s3"],
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "HF_HUB_CACHE": started["hub"],  # the tiny base models: a tuned one answers here
            "HF_HUB_OFFLINE": "1",
            f"{own}BUCKET": BUCKET,
            f"{own}ROLE_ARN": ROLE,
            f"{own}SETTLE_SECONDS": "2",
            f"{own}POLL_SECONDS": "0.5",
        }

    return Sandbox(app=app, variables=variables)
