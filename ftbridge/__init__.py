"""One dataset format, one job interface over every place that fine-tunes language models.

    bridge = ftbridge.Bridge()
    plan = bridge.plan(ftbridge.Dataset("train.jsonl"), provider="local")
    job = bridge.submit(plan)
    job.wait()

Names are imported when first used, so that ``import ftbridge`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge
    from ftbridge.dataset import Dataset
    from ftbridge.errors import (
        BudgetRefused,
        CredentialsError,
        DataError,
        FtbridgeError,
        JobFailed,
        JobUncertain,
        LedgerError,
        LossError,
        NetworkError,
        NotInstalled,
        OperationFailed,
        PolicyRefused,
        ProviderError,
        Refused,
        ServiceClosed,
        Unsupported,
        UsageError,
        VendorError,
    )
    from ftbridge.job import Job, Model

_HOMES = {
    "Bridge": "ftbridge.bridge",
    "Job": "ftbridge.job",
    "Model": "ftbridge.job",
    "Dataset": "ftbridge.dataset",
}

__all__ = [
    "Bridge",
    "BudgetRefused",
    "CredentialsError",
    "DataError",
    "Dataset",
    "FtbridgeError",
    "Job",
    "JobFailed",
    "JobUncertain",
    "LedgerError",
    "LossError",
    "Model",
    "NetworkError",
    "NotInstalled",
    "OperationFailed",
    "PolicyRefused",
    "ProviderError",
    "Refused",
    "ServiceClosed",
    "Unsupported",
    "UsageError",
    "VendorError",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'ftbridge' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "ftbridge.errors")), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
