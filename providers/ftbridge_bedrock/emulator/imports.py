"""Custom model import: open weights in Hugging Face's layout, from S3.

Files and the sentence for a missing one: model-customization-import-model and reports of it.
Unverified: the list of architectures (this one is short), and that a missing bucket fails the job
rather than the request.
"""

from __future__ import annotations

import json
from typing import Any

from . import tokens
from .bucket import Unreadable
from .errors import invalid, missing
from .paging import page
from .store import Emulator, Import, stamp
from .surface import Asked

IMPORT_SECONDS = 6.0
ARCHITECTURES = frozenset(
    {
        *("LlamaForCausalLM", "MistralForCausalLM", "MixtralForCausalLM", "Qwen2ForCausalLM"),
        *("Qwen3ForCausalLM", "MllamaForConditionalGeneration", "GptOssForCausalLM"),
    }
)
_TOKENIZER = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")


async def create(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """CreateModelImportJob."""
    body, store = asked.params, emulator.store
    if arn := tokens.known(emulator, asked.model, body):
        return {"jobArn": arn}
    if "s3DataSource" not in body["modelDataSource"]:
        raise invalid("modelDataSource needs an s3DataSource")
    for each in store.imports.values():
        if each.body["jobName"] == body["jobName"]:
            raise invalid("The provided job name is currently in use.")
        alive = not each.deleted and each.failure is None
        if alive and each.body["importedModelName"] == body["importedModelName"]:
            raise invalid("The provided model name is currently in use.")
    architecture, failure = _examine(emulator, body["modelDataSource"]["s3DataSource"]["s3Uri"])
    arn, model_arn = store.arn("model-import-job"), store.arn("imported-model")
    store.imports[arn] = Import(arn, model_arn, body, asked.now, failure, architecture)
    store.tags[arn] = body.get("jobTags", [])
    store.tags[model_arn] = body.get("importedModelTags", [])
    tokens.remember(emulator, asked.model, body, arn)
    return {"jobArn": arn}


def _examine(emulator: Emulator, uri: str) -> tuple[str, str | None]:
    """The architecture of a folder of weights, and why it cannot be imported if it cannot."""
    folder = uri.rstrip("/")
    absent = "Amazon Bedrock could not find the expected file {}/{}"
    try:
        names = emulator.store.bucket.names(uri)
        if "config.json" not in names:
            return "", absent.format(folder, "config.json")
        config = json.loads(emulator.store.bucket.read(f"{folder}/config.json"))
        architecture = str(config["architectures"][0])
    except (Unreadable, ValueError, LookupError, TypeError) as error:
        return "", f"The model at {uri} could not be read: {error}"
    if not any(name.endswith(".safetensors") for name in names):
        return architecture, absent.format(folder, "*.safetensors")
    if not any(name in names for name in _TOKENIZER):
        return architecture, absent.format(folder, "tokenizer.json")
    if architecture not in ARCHITECTURES:
        return architecture, f"The architecture {architecture} is not supported"
    return architecture, None


def status(each: Import, now: float, emulator: Emulator) -> str:
    """InProgress, Completed or Failed."""
    if now < each.created + IMPORT_SECONDS / emulator.speed:
        return "InProgress"
    return "Failed" if each.failure else "Completed"


def _job_view(emulator: Emulator, each: Import, now: float) -> dict[str, Any]:
    raw = status(each, now, emulator)
    done = each.created + IMPORT_SECONDS / emulator.speed
    shown = {
        "jobArn": each.arn,
        "jobName": each.body["jobName"],
        "importedModelName": each.body["importedModelName"],
        "status": raw,
        "creationTime": stamp(each.created),
        "lastModifiedTime": stamp(min(now, done)),
    }
    if raw != "InProgress":
        shown["endTime"] = stamp(done)
    if raw == "Completed":
        shown["importedModelArn"] = each.model_arn
    return shown


async def get(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """GetModelImportJob, by ARN or name."""
    identifier = asked.params["jobIdentifier"]
    for each in emulator.store.imports.values():
        if identifier in (each.arn, each.body["jobName"]):
            break
    else:
        raise missing(f"the model import job {identifier}")
    shown = _job_view(emulator, each, asked.now)
    shown |= {name: each.body[name] for name in ("roleArn", "modelDataSource")}
    if shown["status"] == "Failed":
        shown["failureMessage"] = each.failure
    return shown


async def list_jobs(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """ListModelImportJobs."""
    rows = [_job_view(emulator, each, asked.now) for each in emulator.store.imports.values()]
    return page(
        "modelImportJobSummaries", rows, asked.params, name="jobName",
        equal=(("statusEquals", "status"),),
    )  # fmt: skip


def find(emulator: Emulator, identifier: str, now: float) -> Import | None:
    """An imported model by ARN or name."""
    for each in emulator.store.imports.values():
        alive = not each.deleted and status(each, now, emulator) == "Completed"
        if alive and identifier in (each.model_arn, each.body["importedModelName"]):
            return each
    return None


def _model_view(emulator: Emulator, each: Import) -> dict[str, Any]:
    return {
        "modelArn": each.model_arn,
        "modelName": each.body["importedModelName"],
        "creationTime": stamp(each.created + IMPORT_SECONDS / emulator.speed),
        "modelArchitecture": each.architecture,
        "instructSupported": True,
    }


def _require(emulator: Emulator, asked: Asked) -> Import:
    identifier = asked.params["modelIdentifier"]
    each = find(emulator, identifier, asked.now)
    if each is None:
        raise missing(f"the imported model {identifier}")
    return each


async def get_model(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """GetImportedModel."""
    each = _require(emulator, asked)
    return {
        **_model_view(emulator, each),
        "jobName": each.body["jobName"],
        "jobArn": each.arn,
        "modelDataSource": each.body["modelDataSource"],
        "customModelUnits": {
            "customModelUnitsPerModelCopy": 1,
            "customModelUnitsVersion": "v1.0",
        },
    }


async def list_models(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """ListImportedModels."""
    rows = [
        _model_view(emulator, each)
        for each in emulator.store.imports.values()
        if not each.deleted and status(each, asked.now, emulator) == "Completed"
    ]
    return page("modelSummaries", rows, asked.params, name="modelName")


async def delete_model(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """DeleteImportedModel."""
    _require(emulator, asked).deleted = True
    return {}
