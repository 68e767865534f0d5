"""The application: both forms of the data plane, the control plane, keys and tokens."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request

from ftbridge.testing.openai_wire import ROUTES, ApiError, Handler, build
from ftbridge.testing.timeline import Phase, Timeline

from . import control, data_plane
from .errors import ArmError, access_denied
from .store import Azure, AzureStore

JOB_TIMELINE = Timeline(
    (Phase("validating_files", 3), Phase("queued", 4), Phase("running", 13)), "succeeded"
)
SANDBOX_TOKEN = "azure-sandbox-token"  # noqa: S105  # opens an emulator, nothing else
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_V1_VERSIONS = {"v1", "preview"}


def azure_name(base: str, suffix: str, model_id: str, step: int | None) -> str:
    """``base.ft-id-suffix``, a checkpoint with its step before the suffix."""
    base = base.split(".ft-")[0]
    parts = [f"{base}.ft-{model_id.lower()}", *([f"step{step}"] if step else [])]
    return "-".join([*parts, *([suffix] if suffix else [])])


def create_app(
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    api_key: str = "azure-sandbox-key",
    token: str = SANDBOX_TOKEN,
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
) -> Starlette:
    """Azure OpenAI with ARM's deployments; what it knows is ``app.state.store``.

    ``speed`` divides the durations of ``timeline`` and those of deployments and imports.
    """

    def authorise(request: Request) -> None:
        _authorise(request, api_key, token)

    azure = Azure(
        AzureStore(),
        clock,
        timeline.scaled(speed),
        latency,
        naming=azure_name,
        bases=data_plane.OPEN_MODELS,
        speed=speed,
    )
    return build(azure, _routes(), authorise)


def _routes() -> list[tuple[str, str, Handler]]:
    routes: list[tuple[str, str, Handler]] = []
    for method, path, shared in ROUTES:
        if path == "/chat/completions":
            continue
        if method == "DELETE" and path.startswith("/models/"):
            continue
        handler = data_plane.plain(shared)
        if (method, path) == ("POST", "/fine_tuning/jobs"):
            handler = data_plane.create_job
        classic = handler
        if method == "POST" and path in {"/files", "/fine_tuning/jobs"}:
            classic = data_plane.created(handler)
        elif method == "DELETE":
            classic = data_plane.gone(handler)
        routes.append((method, f"/openai/v1{path}", handler))
        routes.append((method, f"/openai{path}", classic))
    chat = data_plane.complete
    return [
        *routes,
        ("POST", "/openai/v1/chat/completions", chat),
        ("POST", "/openai/deployments/{deployment}/chat/completions", chat),
        ("GET", control.PATH, control.list_all),
        ("PUT", control.PATH + "/{name}", control.put),
        ("GET", control.PATH + "/{name}", control.get),
        ("DELETE", control.PATH + "/{name}", control.delete),
    ]


def _authorise(request: Request, api_key: str, token: str) -> None:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    entra = scheme == "Bearer" and bearer == token
    if request.url.path.startswith("/subscriptions/"):
        if not entra:
            message = "Authentication failed. The 'Authorization' header is missing or invalid."
            raise ArmError("AuthenticationFailed", message, 401)
        return
    # The v1 form also takes the key as Bearer, which is what a plain OpenAI client sends.
    v1 = request.url.path.startswith("/openai/v1/")
    keyed = request.headers.get("api-key") == api_key or (v1 and bearer == api_key)
    if not (entra or keyed):
        raise access_denied()
    _check_version(request.query_params.getlist("api-version"), v1)


def _check_version(versions: list[str], v1: bool) -> None:
    if v1:
        if versions and (len(versions) > 1 or versions[0] not in _V1_VERSIONS):
            raise ApiError("API version not supported", "api-version")
    elif len(versions) != 1 or not _DATED.fullmatch(versions[0]):
        raise data_plane.no_version()
