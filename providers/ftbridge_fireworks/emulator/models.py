"""Models: a few of the vendor's bases, and what this account's jobs have made.

A tuned model is a PEFT add-on; its files can be taken home by signed URL. Unverified: the file
names (here PEFT's own) and the target modules shown.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from starlette.responses import Response

from ftbridge.catalogue import Catalogue
from ftbridge.testing.plumbing import Call

from . import lifecycle
from .errors import invalid, not_found, not_now
from .paging import id_of, masked, name, page, parameters
from .store import Emulator, Job, stamp

UNTUNABLE = frozenset({"accounts/fireworks/models/deepseek-v3p1"})
# What the catalogue lists, and one that is there without being tunable.
BASES = {
    row.model: row.context or 0
    for row in Catalogue.load(Path(__file__).parents[1] / "catalogue.toml").models
} | dict.fromkeys(UNTUNABLE, 163840)
_BASE_CREATED = 1_735_689_600.0


def base_of(emulator: Emulator, settings: dict[str, Any], now: float) -> str:
    """The base under a job: ``baseModel``, or that of the add-on it starts from."""
    base, start = settings.get("baseModel"), settings.get("warmStartFrom")
    if (base is None) == (start is None):
        raise invalid("exactly one of baseModel and warmStartFrom is needed")
    if start is not None:
        return tuned(emulator, id_of(start, "models", "warmStartFrom"), now).base_model
    if base not in BASES:
        raise not_found(f"model {base}")
    if base in UNTUNABLE:
        raise invalid(f"baseModel: {base} is not tunable")
    return str(base)


def tuned(emulator: Emulator, model_id: str, now: float) -> Job:
    """The finished job behind a tuned model; raises the vendor's 404."""
    job = emulator.store.outputs.get(model_id)
    if job is None or lifecycle.state(job, now, emulator) != "JOB_STATE_COMPLETED":
        raise not_found(f"model {name('models', model_id)}")
    return job


def _tuned_view(emulator: Emulator, job: Job, now: float) -> dict[str, Any]:
    made = stamp(lifecycle.completed_at(job, now, emulator) or now)
    addons = emulator.store.addons.values()
    full = name("models", job.output_model)
    refs = [each for each in addons if each.model == full]
    return {
        "name": full,
        "kind": "HF_PEFT_ADDON",
        "state": "READY",
        "status": {"code": "OK", "message": ""},
        "createTime": made,
        "updateTime": made,
        "public": False,
        "fineTuningJob": name(job.kind, job.id),
        "peftDetails": {
            "baseModel": job.base_model,
            "r": job.settings.get("loraRank", 8),
            "targetModules": ["q_proj", "k_proj", "v_proj", "o_proj"],
        },
        "deployedModelRefs": [
            {"name": name("deployedModels", each.id), "deployment": each.deployment}
            for each in refs
        ],
    }


def _base_view(full: str) -> dict[str, Any]:
    return {
        "name": full,
        "kind": "HF_BASE_MODEL",
        "state": "READY",
        "createTime": stamp(_BASE_CREATED),
        "public": True,
        "tunable": full not in UNTUNABLE,
        "supportsLora": full not in UNTUNABLE,
        "contextLength": BASES[full],
    }


async def list_models(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET models of this account, or of ``fireworks``."""
    if call.path["account"] == "fireworks":
        return page("models", [_base_view(full) for full in BASES], call)
    rows = [
        _tuned_view(emulator, job, call.now)
        for job in emulator.store.outputs.values()
        if lifecycle.state(job, call.now, emulator) == "JOB_STATE_COMPLETED"
    ]
    return page("models", rows, call)


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET models/{id}."""
    query = parameters(call, ("readMask",))
    full = name("models", call.path["id"], call.path["account"])
    if call.path["account"] == "fireworks":
        if full not in BASES:
            raise not_found(f"model {full}")
        return masked(_base_view(full), query.get("readMask"))
    job = tuned(emulator, call.path["id"], call.now)
    return masked(_tuned_view(emulator, job, call.now), query.get("readMask"))


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE models/{id}: a loaded add-on must be unloaded first (unverified)."""
    job = tuned(emulator, call.path["id"], call.now)
    full = name("models", job.output_model)
    if any(each.model == full for each in emulator.store.addons.values()):
        raise not_now(f"{full} is deployed")
    del emulator.store.outputs[job.output_model]
    return {}


def files(job: Job) -> dict[str, bytes]:
    """A likeness of a PEFT adapter: a config, and safetensors without a tensor."""
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": job.base_model,
        "r": job.settings.get("loraRank", 8),
    }
    return {
        "adapter_config.json": json.dumps(config).encode(),
        "adapter_model.safetensors": struct.pack("<Q", 2) + b"{}",
    }


async def download_endpoint(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET models/{id}:getDownloadEndpoint; the vendor's own bases are not given away."""
    parameters(call, ("readMask",))
    job = tuned(emulator, call.path["id"], call.now)
    bucket = f"{call.base}/signed/models/{job.output_model}"
    return {
        "filenameToSignedUrls": {file: f"{bucket}/{file}?signature=sandbox" for file in files(job)}
    }


async def get_signed(emulator: Emulator, call: Call) -> Response:
    """GET of a signed URL of a model."""
    job = emulator.store.outputs.get(call.path["id"])
    content = files(job).get(call.path["file"]) if job else None
    if content is None or call.query != {"signature": "sandbox"}:
        return Response("SignatureDoesNotMatch", 403)
    return Response(content, media_type="application/octet-stream")


async def get_metrics(emulator: Emulator, call: Call) -> Response:
    """GET of a signed metrics file: JSON lines, one a step (their fields are unverified)."""
    job = emulator.store.jobs.get((call.path["kind"], call.path["id"]))
    if job is None or call.query != {"signature": "sandbox"}:
        return Response("SignatureDoesNotMatch", 403)
    steps = 10
    rows = [{"step": step, "train_loss": round(2 / (1 + step), 4)} for step in range(1, steps + 1)]
    return Response("\n".join(map(json.dumps, rows)), media_type="application/jsonl")
