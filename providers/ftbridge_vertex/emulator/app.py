"""The ASGI application: routes, credentials, project, and the log of requests.

Names in answers carry the project's number, requests may carry its id or its number; other
projects answer 403. Storage takes requests without credentials, as its emulators do (a client with
``STORAGE_EMULATOR_HOST`` is anonymous); ``/token`` gives the one access token to whoever asks as
an OAuth token endpoint is asked.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Call, Manners, build, read_json
from ftbridge.testing.timeline import Phase, Timeline

from . import chat, custom, endpoints, jobs, models, rewards, storage, uploads
from .errors import ApiError, StorageError, invalid
from .store import NUMBER, PROJECT, TOKEN, Emulator, Sent, Store

Handler = plumbing.Handler[Emulator]
Row = plumbing.Row[Emulator]

JOB_TIMELINE = Timeline(
    (
        Phase("JOB_STATE_QUEUED", 1),
        Phase("JOB_STATE_PENDING", 1),
        Phase("TUNING_JOB_STATE_WAITING_FOR_QUOTA", 1),
        Phase("TUNING_JOB_STATE_PROCESSING_DATASET", 2),
        Phase("TUNING_JOB_STATE_WAITING_FOR_CAPACITY", 2),
        Phase("TUNING_JOB_STATE_TUNING", 12),
        Phase("TUNING_JOB_STATE_POST_PROCESSING", 1),
    ),
    "JOB_STATE_SUCCEEDED",
)
_IN_LOCATION: list[Row] = [
    ("POST", "/tuningJobs:validateReinforcementTuningReward", rewards.validate),
    ("POST", "/tuningJobs", jobs.create),
    ("GET", "/tuningJobs", jobs.list_jobs),
    ("POST", "/tuningJobs/{id}:cancel", jobs.cancel),
    ("GET", "/tuningJobs/{id}", jobs.retrieve),
    ("POST", "/customJobs", custom.create),
    ("GET", "/customJobs", custom.list_jobs),
    ("POST", "/customJobs/{id}:cancel", custom.cancel),
    ("GET", "/customJobs/{id}", custom.retrieve),
    ("DELETE", "/customJobs/{id}", custom.delete),
    ("GET", "/models", models.list_models),
    ("GET", "/models/{id}", models.retrieve),
    ("DELETE", "/models/{id}", models.delete),
    ("GET", "/operations/{id}", models.get_operation),
    ("POST", "/endpoints", endpoints.create),
    ("GET", "/endpoints", endpoints.list_endpoints),
    ("POST", "/endpoints/{id}:deployModel", endpoints.deploy),
    ("POST", "/endpoints/{id}:undeployModel", endpoints.undeploy),
    ("POST", "/endpoints/{id}:generateContent", chat.generate),
    ("POST", "/endpoints/{id}:streamGenerateContent", chat.stream),
    ("POST", "/endpoints/{id}:countTokens", chat.count_tokens),
    ("GET", "/endpoints/{id}", endpoints.retrieve),
    ("DELETE", "/endpoints/{id}", endpoints.delete),
    ("POST", "/publishers/{publisher}/models/{model}:generateContent", chat.generate),
    ("POST", "/publishers/{publisher}/models/{model}:streamGenerateContent", chat.stream),
    ("POST", "/publishers/{publisher}/models/{model}:countTokens", chat.count_tokens),
]
_BUCKET = "/storage/v1/b/{bucket}"


async def _token(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST token, as a form: one token for refresh tokens and for signed assertions."""
    kinds = ("refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer")
    if not isinstance(call.body, dict) or call.body.get("grant_type") not in kinds:
        raise invalid("grant_type: not one that this emulator knows")
    return {"access_token": emulator.api_key, "expires_in": 3599, "token_type": "Bearer"}


def _rows() -> list[Row]:
    prefix = "/{version}/projects/{project}/locations/{location}"
    return [
        *((method, prefix + path, act) for method, path, act in _IN_LOCATION),
        ("GET", "/{version}/publishers/{publisher}/models/{model}", chat.publisher_model),
        ("POST", "/token", _token),
        ("POST", "/storage/v1/b", storage.create_bucket),
        ("GET", _BUCKET, storage.get_bucket),
        ("GET", f"{_BUCKET}/iam/testPermissions", storage.test_permissions),
        ("GET", f"{_BUCKET}/o", storage.list_objects),
        ("GET", f"{_BUCKET}/o/{{name:path}}", storage.get_object),
        ("DELETE", f"{_BUCKET}/o/{{name:path}}", storage.delete_object),
        ("GET", f"/download{_BUCKET}/o/{{name:path}}", storage.download),
        ("POST", f"/upload{_BUCKET}/o", uploads.begin),
        ("PUT", f"/upload{_BUCKET}/o", uploads.resume),
        ("DELETE", f"/upload{_BUCKET}/o", uploads.abandon),
    ]  # fmt: skip


def create_app(
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    api_key: str = TOKEN,
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
) -> Starlette:
    """Tuning and storage as one application; what it knows is ``app.state.store``.

    ``speed`` divides all durations; ``latency`` seconds pass before each answer; ``api_key`` is the
    access token.
    """
    emulator = Emulator(Store(), clock, timeline.scaled(speed), latency, speed, api_key)

    def authorise(request: Request) -> None:
        _authorise(request, api_key)

    names = ("x-goog-request-id", partial(secrets.token_hex, 8))
    return build(emulator, _rows(), Manners(authorise, _read, _unrouted, names))


def _is_storage(request: Request) -> bool:
    return request.url.path.startswith(("/storage/", "/upload/", "/download/"))


def _authorise(request: Request, token: str) -> None:
    if request.url.path == "/token":
        return
    given = request.headers.get("authorization")
    if _is_storage(request):
        if given not in (None, f"Bearer {token}"):
            raise StorageError(401, "authError", "Invalid Credentials")
        return
    if given != f"Bearer {token}":
        raise ApiError("UNAUTHENTICATED", "Request had invalid authentication credentials.")
    polled = ("ui",) if "/operations/" in request.url.path else ()
    if request.path_params["version"] not in ("v1", "v1beta1", *polled):
        raise ApiError("NOT_FOUND", "The requested URL was not found on this server.")
    project = request.path_params.get("project", PROJECT)
    if project not in (PROJECT, NUMBER):
        raise ApiError("PERMISSION_DENIED", f"Permission denied on resource project {project}.")


def _unrouted(request: Request, error: HTTPException) -> Response:
    if _is_storage(request):
        return StorageError(error.status_code, "notFound", "Not Found").response()
    if error.status_code == 404:
        return ApiError("NOT_FOUND", "The requested URL was not found.").response()
    return invalid(f"{request.method} is not allowed here.").response()


async def _read(request: Request) -> Any:
    path = request.url.path
    if path.startswith(("/upload/", "/download/")) or request.query_params.get("alt") == "media":
        return Sent.of(await request.body(), dict(request.headers))
    if path == "/token":
        return dict((await request.form()).multi_items())
    unreadable: Exception = invalid("Invalid JSON payload received.")
    if _is_storage(request):
        unreadable = StorageError(400, "parseError", "Parse Error")
    return await read_json(request, unreadable)
