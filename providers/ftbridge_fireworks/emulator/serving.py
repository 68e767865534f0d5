"""Deployments (rented GPUs) and the LoRA add-ons loaded into them.

deploying-loras: a tuned LoRA is served by a dedicated deployment only, either loaded into one that
was created with ``enable_addons``, or deployed as its own base (live merge). Unverified: the codes
of refusals, the times, and that a deployment without a shape is taken.
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.plumbing import Call

from . import models
from .errors import exists, from_problem, invalid, not_found, not_now
from .paging import id_of, masked, name, page, parameters, require_id
from .schema import CREATE_DEPLOYMENT, DEPLOYMENT_QUERY, LOAD_ADDON
from .store import ACCOUNT, Addon, Deployment, Emulator, new_id, stamp

CREATE_SECONDS, LOAD_SECONDS, DELETE_SECONDS = 5.0, 2.0, 1.0


def deployment_state(deployment: Deployment, now: float, emulator: Emulator) -> str:
    """CREATING, READY, DELETING or DELETED."""
    if deployment.deleted_at is not None:
        over = now >= deployment.deleted_at + DELETE_SECONDS / emulator.speed
        return "DELETED" if over else "DELETING"
    over = now >= deployment.created + CREATE_SECONDS / emulator.speed
    return "READY" if over else "CREATING"


def addon_state(addon: Addon, now: float, emulator: Emulator) -> str:
    """DEPLOYING or DEPLOYED."""
    return "DEPLOYED" if now >= addon.created + LOAD_SECONDS / emulator.speed else "DEPLOYING"


def _view(each: Deployment, now: float, emulator: Emulator) -> dict[str, Any]:
    raw = deployment_state(each, now, emulator)
    return {
        "minReplicaCount": 0,
        "maxReplicaCount": 1,
        "acceleratorType": "NVIDIA_H100_80GB",
        "acceleratorCount": 1,
        "enableAddons": False,
        **each.body,
        "name": name("deployments", each.id),
        "state": raw,
        "status": {"code": "OK", "message": ""},
        "replicaCount": 1 if raw == "READY" else 0,
        "createTime": stamp(each.created),
    }


async def create_deployment(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST deployments; flags and the client's id go in the query."""
    query = parameters(call, DEPLOYMENT_QUERY)
    for problem in CREATE_DEPLOYMENT.problems(call.body):
        raise from_problem(problem)
    base = call.body["baseModel"]
    if base not in models.BASES:
        models.tuned(emulator, id_of(base, "models", "baseModel"), call.now)
    if query.get("acceptShapelessRisk") == "true" and "deploymentShape" in call.body:
        raise invalid("acceptShapelessRisk excludes deploymentShape")
    wanted = require_id(query.get("deploymentId") or new_id(), "deploymentId")
    if wanted in emulator.store.deployments:
        raise exists(f"deployment {wanted}")
    made = Deployment(wanted, call.body, call.now)
    if query.get("validateOnly") != "true":
        emulator.store.deployments[wanted] = made
    return _view(made, call.now, emulator)


async def list_deployments(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET deployments, oldest first; DELETED ones only with ``showDeleted``."""
    everything = call.query.get("showDeleted") == "true"
    rows = [_view(each, call.now, emulator) for each in emulator.store.deployments.values()]
    shown = [row for row in rows if everything or row["state"] != "DELETED"]
    return page("deployments", shown, call, order="create_time", extra="showDeleted")


def find_deployment(emulator: Emulator, deployment_id: str) -> Deployment:
    """A deployment by id, deleted ones included."""
    found = emulator.store.deployments.get(deployment_id)
    if found is None:
        raise not_found(f"deployment {name('deployments', deployment_id)}")
    return found


async def get_deployment(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET deployments/{id}."""
    query = parameters(call, ("readMask",))
    found = find_deployment(emulator, call.path["id"])
    return masked(_view(found, call.now, emulator), query.get("readMask"))


async def delete_deployment(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE deployments/{id}: refused while add-ons are loaded, unless checks are ignored.

    ``hard`` frees the name at once (unverified: the SDK says only that it is a hard deletion).
    """
    query = parameters(call, ("hard", "ignoreChecks"))
    found = find_deployment(emulator, call.path["id"])
    full = name("deployments", found.id)
    loaded = [each for each in emulator.store.addons.values() if each.deployment == full]
    if loaded and query.get("ignoreChecks") != "true":
        raise not_now(f"{full} has models deployed on it")
    for each in loaded:
        del emulator.store.addons[each.id]
    if found.deleted_at is None:
        found.deleted_at = call.now
    if query.get("hard") == "true":
        del emulator.store.deployments[found.id]
    return {}


def _addon_view(each: Addon, now: float, emulator: Emulator) -> dict[str, Any]:
    return {
        "default": True,
        "public": False,
        **each.body,
        "serverless": False,
        "name": name("deployedModels", each.id),
        "state": addon_state(each, now, emulator),
        "status": {"code": "OK", "message": ""},
        "createTime": stamp(each.created),
    }


async def load(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST deployedModels: a LoRA into a READY deployment of its own base."""
    parameters(call, ("replaceMergedAddon",))
    for problem in LOAD_ADDON.problems(call.body):
        raise from_problem(problem)
    if call.body.get("serverless"):
        raise invalid("serverless: LoRA models require a dedicated deployment")
    model = call.body["model"]
    job = models.tuned(emulator, id_of(model, "models", "model"), call.now)
    full = call.body["deployment"]
    deployment = find_deployment(emulator, id_of(full, "deployments", "deployment"))
    if deployment_state(deployment, call.now, emulator) != "READY":
        raise not_now(f"{full} is not READY")
    if not deployment.body.get("enableAddons"):
        raise not_now(f"{full} was created without enableAddons")
    if deployment.body["baseModel"] != job.base_model:
        raise invalid(f"model: its base is {job.base_model}, not that of {full}")
    store = emulator.store
    if any((each.model, each.deployment) == (model, full) for each in store.addons.values()):
        raise exists(f"{model} on {full}")
    addon = Addon(f"{job.output_model[:54]}-{new_id()[:8]}", model, full, call.body, call.now)
    store.addons[addon.id] = addon
    return _addon_view(addon, call.now, emulator)


def _addon(emulator: Emulator, call: Call) -> Addon:
    found = emulator.store.addons.get(call.path["id"])
    if found is None:
        raise not_found(f"deployed model {name('deployedModels', call.path['id'])}")
    return found


async def list_addons(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET deployedModels."""
    rows = [_addon_view(each, call.now, emulator) for each in emulator.store.addons.values()]
    return page("deployedModels", rows, call)


async def get_addon(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET deployedModels/{id}."""
    query = parameters(call, ("readMask",))
    found = _addon(emulator, call)
    return masked(_addon_view(found, call.now, emulator), query.get("readMask"))


async def unload(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE deployedModels/{id}. The deployment stays, and its meter runs on."""
    del emulator.store.addons[_addon(emulator, call).id]
    return {}


def served(emulator: Emulator, asked: str, now: float) -> bool:
    """Whether a model (``MODEL`` or ``MODEL#DEPLOYMENT``) answers chats now."""
    model, _, target = asked.partition("#")
    if target and not target.startswith(f"accounts/{ACCOUNT}/"):
        return False
    ready = {
        name("deployments", each.id): each.body["baseModel"]
        for each in emulator.store.deployments.values()
        if deployment_state(each, now, emulator) == "READY"
    }
    if model in [base for full, base in ready.items() if not target or target == full]:
        return True
    return any(
        each.model == model
        and each.deployment in ready
        and (not target or each.deployment == target)
        and addon_state(each, now, emulator) == "DEPLOYED"
        for each in emulator.store.addons.values()
    )
