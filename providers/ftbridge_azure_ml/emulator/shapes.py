"""What the body of a job may hold: ``JobBase`` of the SDK's REST client (azure-ai-ml 1.35.2,
2025-12-01), the fields that a create may send. ARM passes over unknown ones; here they are refused,
since they are always a client's mistake."""

from __future__ import annotations

import re
from typing import Any

from ftbridge.testing.wire import Anything, Fault, Field, Flag, Items, Number, Pairs, Record, Tagged
from ftbridge.testing.wire import Text as _Text

from .errors import ArmError, user_error

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}")
PLACE = re.compile(r"\$\{\{\s*(inputs|outputs)\.([A-Za-z_]\w*)\s*\}\}")
"""What stands in a command for the place of an input or output on the machine."""
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_TEXT = _Text()
_READ_MODES = ("ReadOnlyMount", "ReadWriteMount", "Download", "Direct", "EvalMount", "EvalDownload")
_ASSET_KINDS = ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")


def _maybe(rule: Any) -> Field:
    return Field(rule, nullable=True)


_INPUT = Tagged(
    "jobInputType",
    {
        "literal": Record(
            {"value": Field(_TEXT, required=True), "description": _maybe(_TEXT)}
        ),
        **{
            kind: Record(
                {
                    "uri": Field(_Text(shortest=1), required=True),
                    "mode": _maybe(_Text(_READ_MODES)),
                    "description": _maybe(_TEXT),
                    "pathOnCompute": _maybe(_TEXT),
                }
            )
            for kind in _ASSET_KINDS
        },
    },
)  # fmt: skip
_OUTPUT = Tagged(
    "jobOutputType",
    {
        kind: Record(
            {
                "uri": _maybe(_TEXT),
                "mode": _maybe(_Text(("ReadWriteMount", "Upload", "Direct"))),
                "assetName": _maybe(_TEXT),
                "assetVersion": _maybe(_TEXT),
                "description": _maybe(_TEXT),
                "pathOnCompute": _maybe(_TEXT),
            }
        )
        for kind in _ASSET_KINDS
    },
)
_IDENTITY = Tagged(
    "identityType",
    {
        "AMLToken": Record({}),
        "UserIdentity": Record({}),
        "Managed": Record(
            {name: _maybe(_TEXT) for name in ("clientId", "objectId", "resourceId")}
        ),
    },
)  # fmt: skip
_COUNT = Field(Number(integer=True, least=1), nullable=True)
_DISTRIBUTION = Tagged(
    "distributionType",
    {
        "PyTorch": Record({"processCountPerInstance": _COUNT}),
        "Mpi": Record({"processCountPerInstance": _COUNT}),
        "TensorFlow": Record({"parameterServerCount": _COUNT, "workerCount": _COUNT}),
    },
)
_RESOURCES = Record(
    {
        "instanceCount": _COUNT,
        "instanceType": _maybe(_TEXT),
        "properties": _maybe(Pairs(Anything())),
        "dockerArgs": _maybe(_TEXT),
        "dockerArgsList": _maybe(Items(_TEXT)),
        "shmSize": _maybe(_TEXT),
        "locations": _maybe(Items(_TEXT)),
        "maxInstanceCount": _COUNT,
    }
)
_LIMITS = Tagged("jobLimitsType", {"Command": Record({"timeout": _maybe(_TEXT)})})
_PROPERTIES = Record(
    {
        "jobType": Field(_Text(("Command",)), required=True),
        "command": Field(_Text(shortest=1), required=True),
        "environmentId": Field(_Text(shortest=1), required=True),
        "computeId": _maybe(_TEXT),
        "codeId": _maybe(_TEXT),
        "componentId": _maybe(_TEXT),
        "displayName": _maybe(_TEXT),
        "experimentName": _maybe(_TEXT),
        "description": _maybe(_TEXT),
        "isArchived": _maybe(Flag()),
        "tags": _maybe(Pairs(_TEXT)),
        "properties": _maybe(Pairs(_TEXT)),
        "environmentVariables": _maybe(Pairs(_TEXT)),
        "inputs": _maybe(Pairs(_INPUT)),
        "outputs": _maybe(Pairs(_OUTPUT)),
        "identity": _maybe(_IDENTITY),
        "distribution": _maybe(_DISTRIBUTION),
        "resources": _maybe(_RESOURCES),
        "limits": _maybe(_LIMITS),
        "queueSettings": _maybe(
            Record(
                {
                    "jobTier": _maybe(_Text(("Null", "Spot", "Basic", "Standard", "Premium"))),
                    "priority": _maybe(Number(integer=True, least=1, most=3)),
                }
            )
        ),
        "services": _maybe(Pairs(Anything())),
        "notificationSetting": _maybe(Anything()),
    }
)
_JOB = Record({"properties": Field(_PROPERTIES, required=True), "name": _maybe(_TEXT)})


def job_of(name: str, body: Any) -> dict[str, Any]:
    """The properties of a job as it was put, without nulls; raises ArmError."""
    if NAME.fullmatch(name) is None:
        raise user_error(f"The job name '{name}' is invalid.", "name")
    for problem in _JOB.problems(body):
        said = {
            Fault.UNKNOWN: f"Could not find member '{problem.path}'.",
            Fault.MISSING: f"The {problem.path} field is required.",
        }
        message = said.get(
            problem.fault,
            f"{problem.path}: expected {problem.expected}, found {problem.found}.",
        )
        raise ArmError(400, "ValidationError", message, problem.path)
    given = body["properties"]
    seconds_of(given)
    return {key: value for key, value in given.items() if value is not None}


def seconds_of(properties: dict[str, Any]) -> float:
    """After how long the service stops the job."""
    text = (properties.get("limits") or {}).get("timeout")
    if text is None:
        return float("inf")
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ArmError(
            400, "ValidationError", f"'{text}' is no ISO 8601 duration.", "limits.timeout"
        )
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
