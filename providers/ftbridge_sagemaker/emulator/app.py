"""The ASGI application: operations by their target, credentials, and the log of requests.

SageMaker's control plane, its runtime, CloudWatch Logs and STS are four hosts at AWS and one
address here. A recorded request's body is ``{"operation": "sagemaker:ListModels", "input": {}}``.
Signatures are not verified, but a request must bear one of AWS's scheme with the sandbox's key, and
be signed for the emulated region.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ftbridge.testing import plumbing, service_model
from ftbridge.testing.plumbing import Call, Manners, build, read_json
from ftbridge.testing.timeline import Phase, Timeline

from . import hub, logs, packages, runtime, serverless, serving, training
from .bucket import Bucket
from .errors import ApiError, invalid
from .store import ACCOUNT, REGION, Emulator, Store, TrainingJob

ACCESS_KEY, SECRET_KEY = "AKIDSANDBOX", "sandbox-secret-key"
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}"
)
INVOKE = "/endpoints/{EndpointName}/invocations"

JOB_TIMELINE = Timeline(
    (Phase("Starting", 2), Phase("Downloading", 2), Phase("Training", 14), Phase("Uploading", 2)),
    "Completed",
)
Operation: TypeAlias = Callable[[Emulator, dict[str, Any], float], Awaitable[dict[str, Any]]]
_SAGEMAKER: dict[str, Operation] = {
    "CreateTrainingJob": training.create,
    "DescribeTrainingJob": training.describe,
    "ListTrainingJobs": training.list_jobs,
    "StopTrainingJob": training.stop,
    "DeleteTrainingJob": training.delete,
    "CreateModelPackageGroup": packages.create_group,
    "DescribeModelPackageGroup": packages.describe_group,
    "DeleteModelPackageGroup": packages.delete_group,
    "DescribeModelPackage": packages.describe,
    "ListModelPackages": packages.list_packages,
    "DeleteModelPackage": packages.delete,
    "DescribeHubContent": hub.describe,
    "ListHubContents": hub.list_contents,
    "CreateModel": serving.create_model,
    "DescribeModel": serving.describe_model,
    "DeleteModel": serving.delete_model,
    "CreateEndpointConfig": serving.create_config,
    "DescribeEndpointConfig": serving.describe_config,
    "DeleteEndpointConfig": serving.delete_config,
    "CreateEndpoint": serving.create_endpoint,
    "DescribeEndpoint": serving.describe_endpoint,
    "ListEndpoints": serving.list_endpoints,
    "DeleteEndpoint": serving.delete_endpoint,
}
_LOGS: dict[str, Operation] = {
    "DescribeLogStreams": logs.streams,
    "GetLogEvents": logs.events,
}
_TARGETS = {f"SageMaker.{name}": ("sagemaker", name, act) for name, act in _SAGEMAKER.items()} | {
    f"Logs_20140328.{name}": ("logs", name, act) for name, act in _LOGS.items()
}


def create_app(
    s3: str,
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    region: str = REGION,
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
    interrupts: Callable[[TrainingJob, list[str]], bool] = lambda job, names: False,
) -> Starlette:
    """SageMaker as an application; what it knows is ``app.state.store``.

    ``s3`` is the address of the S3 that holds data, checkpoints and artifacts. ``speed`` divides
    the durations of serverless jobs and endpoints; machines take the time they take. ``latency``
    seconds pass before each answer. ``interrupts``: whether a spot job loses its machine now.
    """
    store = Store(bucket=Bucket(s3, region), region=region, interrupts=interrupts)
    emulator = Emulator(store, clock, timeline.scaled(speed), latency, speed)
    rows: list[plumbing.Row[Emulator]] = [("POST", "/", _control), ("POST", INVOKE, _invoke)]

    def authorise(request: Request) -> None:
        _authorise(request, region)

    identifier = ("x-amzn-requestid", lambda: str(uuid.uuid4()))
    return build(emulator, rows, Manners(authorise, _read, _unrouted, identifier))


def _authorise(request: Request, region: str) -> None:
    given = request.headers.get("authorization", "")
    if not given:
        raise ApiError("MissingAuthenticationTokenException", "Missing Authentication Token")
    signed = _SIGNED.fullmatch(given)
    if signed is None or "x-amz-date" not in request.headers:
        raise ApiError("InvalidSignatureException", "The Authorization header is not one of SigV4")
    key, scope, service = signed.groups()
    if key != ACCESS_KEY:
        said = "The security token included in the request is invalid."
        raise ApiError("UnrecognizedClientException", said)
    if service != "sts" and scope != region:
        raise ApiError(
            "InvalidSignatureException", "Credential should be scoped to a valid region."
        )


async def _read(request: Request) -> object:
    """The operation and its input; the runtime's bodies are the model's own affair."""
    if request.url.path != "/":
        return await request.body()
    target = request.headers.get("x-amz-target")
    if target is None:
        form = parse_qs((await request.body()).decode())
        return {"operation": f"sts:{form.get('Action', [''])[0]}", "input": form}
    if target not in _TARGETS:
        raise ApiError("UnknownOperationException", target)
    unreadable = ApiError("SerializationException", "the body is not JSON")
    service, name, _ = _TARGETS[target]
    given = await read_json(request, unreadable, {})
    return {"operation": f"{service}:{name}", "input": given}


async def _control(emulator: Emulator, call: Call) -> Response:
    serverless.advance(emulator, call.now)
    serving.sweep(emulator, call.now)
    service, _, name = call.body["operation"].partition(":")
    if service == "sts":
        return _identity(name)
    act = (_SAGEMAKER | _LOGS)[name]
    params = call.body["input"]
    _check(service, name, params)
    answer = await act(emulator, params, call.now)
    return JSONResponse(answer, media_type="application/x-amz-json-1.1")


def _check(service: str, name: str, params: Any) -> None:
    """Against the service model. Unknown keys, which AWS ignores, are a client's mistake."""
    shape = service_model.operation(service, name).input_shape
    found = list(service_model.faults(shape, params))
    mistyped = [fault for fault in found if fault.kind == "type"]
    if mistyped:
        raise ApiError("SerializationException", mistyped[0].text)
    if found:
        plural = "s" if len(found) > 1 else ""
        said = "; ".join(fault.text for fault in found)
        raise invalid(f"{len(found)} validation error{plural} detected: {said}")


async def _invoke(emulator: Emulator, call: Call) -> Response:
    serverless.advance(emulator, call.now)
    serving.sweep(emulator, call.now)
    return await runtime.invoke(emulator, call.path["EndpointName"], call.body, call.now)


def _identity(action: str) -> Response:
    """STS GetCallerIdentity, of the query protocol: a form in, XML out."""
    if action != "GetCallerIdentity":
        raise invalid("this emulator knows no other action of STS than GetCallerIdentity")
    xml = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<GetCallerIdentityResult><Arn>arn:aws:iam::{ACCOUNT}:user/sandbox</Arn>"
        f"<UserId>{ACCESS_KEY}</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>sandbox</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )
    return Response(xml, media_type="text/xml")


def _unrouted(request: Request, error: HTTPException) -> Response:
    return ApiError("UnknownOperationException", f"{request.method} {request.url.path}").response()
