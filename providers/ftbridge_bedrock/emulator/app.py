"""The ASGI application: routes, credentials, and the log of requests.

Bedrock's control plane, its runtime and STS are three hosts at AWS and one address here; their
routes do not meet. Signatures are not verified, but a request must bear one of AWS's schemes with
the sandbox's key, and be signed for the emulated region.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Call, Manners, build, read_json
from ftbridge.testing.timeline import Phase, Timeline

from . import foundation, imports, jobs, models, runtime, serving
from .bucket import Bucket
from .errors import ApiError, invalid
from .lifecycle import PHASES
from .store import ACCOUNT, REGION, Emulator, Store
from .surface import Operation, row

Row = plumbing.Row[Emulator]
ACCESS_KEY, SECRET_KEY = "AKIDSANDBOX", "sandbox-secret-key"
BEARER = "sandbox-bearer-token"
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}"
)

JOB_TIMELINE = Timeline(
    tuple(Phase(name, seconds) for name, seconds in zip(PHASES, (3, 3, 14), strict=True)),
    "Completed",
)
_OPERATIONS: dict[str, dict[str, Operation]] = {
    "bedrock": {
        "StopModelCustomizationJob": jobs.stop,
        "CreateModelCustomizationJob": jobs.create,
        "GetModelCustomizationJob": jobs.get,
        "ListModelCustomizationJobs": jobs.list_jobs,
        "GetCustomModel": models.get,
        "ListCustomModels": models.list_models,
        "DeleteCustomModel": models.delete,
        "ListTagsForResource": models.list_tags,
        "GetFoundationModel": foundation.get,
        "ListFoundationModels": foundation.list_models,
        "CreateCustomModelDeployment": serving.deploy,
        "GetCustomModelDeployment": serving.get_deployment,
        "ListCustomModelDeployments": serving.list_deployments,
        "DeleteCustomModelDeployment": serving.undeploy,
        "CreateProvisionedModelThroughput": serving.provision,
        "GetProvisionedModelThroughput": serving.get_throughput,
        "ListProvisionedModelThroughputs": serving.list_throughputs,
        "DeleteProvisionedModelThroughput": serving.unprovision,
        "CreateModelImportJob": imports.create,
        "GetModelImportJob": imports.get,
        "ListModelImportJobs": imports.list_jobs,
        "GetImportedModel": imports.get_model,
        "ListImportedModels": imports.list_models,
        "DeleteImportedModel": imports.delete_model,
    },
    "bedrock-runtime": {"Converse": runtime.converse, "InvokeModel": runtime.invoke},
}


def create_app(
    s3: str,
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    region: str = REGION,
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
) -> Starlette:
    """Bedrock as an application; what it knows is ``app.state.store``.

    ``s3`` is the address of the S3 that holds the data and takes the metrics. ``speed`` divides
    all durations; ``latency`` seconds pass before each answer.
    """
    store = Store(bucket=Bucket(s3, region), region=region)
    emulator = Emulator(store, clock, timeline.scaled(speed), latency, speed)
    rows = [
        _settled(row(service, name, act))
        for service, operations in _OPERATIONS.items()
        for name, act in operations.items()
    ]
    rows.append(("POST", "/", _identity))

    def authorise(request: Request) -> None:
        _authorise(request, region)

    identifier = ("x-amzn-requestid", lambda: str(uuid.uuid4()))
    return build(emulator, rows, Manners(authorise, _read, _unrouted, identifier))


def _settled(plain: Row) -> Row:
    """The same route; metrics of jobs that have completed are in S3 before anyone hears of it."""
    method, path, act = plain

    async def handle(emulator: Emulator, call: Call) -> object:
        jobs.settle(emulator, call.now)
        return await act(emulator, call)

    return method, path, handle  # type: ignore[return-value]


def _authorise(request: Request, region: str) -> None:
    given = request.headers.get("authorization", "")
    if not given:
        raise ApiError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if given.startswith("Bearer "):
        if given != f"Bearer {BEARER}":
            raise ApiError(
                "AccessDeniedException", "Authentication failed: the API key is not valid"
            )
        return
    signed = _SIGNED.fullmatch(given)
    if signed is None or "x-amz-date" not in request.headers:
        raise ApiError("InvalidSignatureException", "The Authorization header is not one of SigV4")
    key, scope, service = signed.groups()
    if key != ACCESS_KEY:
        invalid_key = "The security token included in the request is invalid."
        raise ApiError("UnrecognizedClientException", invalid_key)
    if service != "sts" and scope != region:
        raise ApiError(
            "InvalidSignatureException", "Credential should be scoped to a valid region."
        )


async def _read(request: Request) -> object:
    if request.url.path.endswith("/invoke"):
        return await request.body()
    if request.url.path == "/":
        return parse_qs((await request.body()).decode())
    return await read_json(request, ApiError("SerializationException", "the body is not JSON"))


async def _identity(emulator: Emulator, call: Call) -> Response:
    """STS GetCallerIdentity, of the query protocol: a form in, XML out."""
    if call.body.get("Action") != ["GetCallerIdentity"]:
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
