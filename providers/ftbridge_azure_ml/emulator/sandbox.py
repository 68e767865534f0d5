"""The emulator as ``ftbridge sandbox azure_ml`` runs it."""

from __future__ import annotations

import atexit
from pathlib import Path
from typing import Any

from ftbridge import run_records
from ftbridge.provider import Sandbox

from .app import TOKEN, create_app
from .store import GROUP, REGION, STORAGE, SUBSCRIPTION, WORKSPACE, Job


def once_it_has_a_checkpoint(job: Job, outputs: Path) -> bool:
    """Every job of low priority loses its first node, as soon as a whole checkpoint is kept."""
    if job.preemptions:
        return False
    names = [path.relative_to(outputs).as_posix() for path in outputs.rglob("*")]
    return bool(run_records.checkpoints(names))


def sandbox() -> Sandbox:
    """A workspace with two clusters, ``gpu`` and ``gpu-low``, and its storage."""

    hub: list[str] = []

    def app(speed: float, latency: float) -> Any:
        made = create_app(speed=speed, latency=latency, preempts=once_it_has_a_checkpoint)
        atexit.register(made.state.store.close)
        hub[:] = [str(made.state.store.hub.folder)]
        return made

    def variables(url: str) -> dict[str, str]:
        return {
            "AZUREML_DEV_URL_MFE": url,  # where the SDK looks for its control plane instead
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            "FTBRIDGE_AZURE_ML_BASE_URL": url,
            "FTBRIDGE_AZURE_ML_BLOB_URL": f"{url}/{STORAGE}",
            "FTBRIDGE_AZURE_ML_SUBSCRIPTION_ID": SUBSCRIPTION,
            "FTBRIDGE_AZURE_ML_RESOURCE_GROUP": GROUP,
            "FTBRIDGE_AZURE_ML_WORKSPACE": WORKSPACE,
            "FTBRIDGE_AZURE_ML_REGION": REGION,
            "AZURE_ML_TOKEN": TOKEN,
            "HF_HUB_CACHE": hub[0],  # the tiny base models, so that a tuned one can be asked here
            "HF_HUB_OFFLINE": "1",
            "FTBRIDGE_AZURE_ML_SETTLE_SECONDS": "2",
            "FTBRIDGE_AZURE_ML_POLL_SECONDS": "0.5",
        }

    return Sandbox(app=app, variables=variables)
