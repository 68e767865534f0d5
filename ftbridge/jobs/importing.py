"""Weights of one's own for a vendor to serve: as much the data they were trained on as the data.

So they leave by the same door: label and policy of the folder, one checked stage, an account of
what left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ftbridge.errors import DataError
from ftbridge.files import sha256_of
from ftbridge.jobs.clearance import Clearance
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.ledger.egress import Action
from ftbridge.policy import CheckedUpload, Privacy, check_stage, check_upload
from ftbridge.provider import Provider


def import_weights(
    provider: Provider, folder: Path, name: str, ledger: Ledger, asked: Privacy | None
) -> str:
    """Send a folder of weights to a vendor that serves such; the model's name there.

    Raises:
        PolicyRefused: the label or the policy keeps them here. DataError: no files.
        Unsupported, ProviderError: the vendor takes none, or not these.
    """
    files = sorted(path for path in folder.glob("*") if path.is_file())
    if not files:
        raise DataError(f"{folder} holds no files", hint="name a model's folder", where=str(folder))
    clearance = Clearance.of(files, asked)
    decision = clearance.decide(provider.destination)
    decision.require()
    privacy, where = clearance.label.privacy, provider.destination
    stage = check_stage(
        [
            check_upload(path, sha256_of(path), "training", privacy, where, clearance.policy)
            for path in files
        ]
    )
    for upload in stage.uploads:
        _note(ledger, "sending", provider, upload, privacy, name)
    model = provider.import_weights(stage, [path.name for path in files], name)
    for upload in stage.uploads:
        _note(ledger, "sent", provider, upload, privacy, model)
    return model


def _note(
    ledger: Ledger, action: Action, provider: Provider, upload: CheckedUpload,
    privacy: Privacy, remote: str,
) -> None:  # fmt: skip
    columns: dict[str, Any] = {
        "job_id": None,
        "sha256": upload.sha256,
        "rows": 0,
        "bytes": upload.bytes,
        "privacy": str(privacy),
        "provider": provider.name,
        "account": provider.account,
        "region": provider.region,
        "endpoint": provider.endpoint,
        "remote_id": remote,
        "rule": upload.rule,
    }
    ledger.egress.note(action, columns)
