"""Calls as actions of Azure RBAC, and what the README asks for.

An action is a provider's name, the kinds of the path, and ``read``, ``write``, ``delete`` or a
verb with ``/action`` (learn.microsoft.com role-based-access-control/role-definitions).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from tape import Exchange

import ftbridge_azure_ml

VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "DELETE": "delete"}
PREFIX = "Microsoft.MachineLearningServices/workspaces"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"


def action(method: str, path: str) -> tuple[str, str]:
    """``actions`` or ``dataActions``, and the action."""
    if not path.startswith("/subscriptions/"):
        return "dataActions", f"{BLOBS}/{VERBS[method]}"
    parts = path.partition(f"/providers/{PREFIX}/")[2].split("/")[1:]
    kinds = "/".join([PREFIX, *parts[::2]])
    if method == "POST":
        return "actions", f"{'/'.join([PREFIX, *parts[:-1:2]])}/{parts[-1]}/action"
    return "actions", f"{kinds}/{VERBS[method]}"


def actions(exchanges: Iterable[Exchange]) -> dict[str, list[str]]:
    """All that some calls need, sorted."""
    found: dict[str, set[str]] = {"actions": set(), "dataActions": set()}
    for one in exchanges:
        kind, name = action(one.method, one.path)
        found[kind].add(name)
    return {kind: sorted(names) for kind, names in found.items()}


def of_readme() -> dict[str, list[str]]:
    """The role that stands in the README as JSON."""
    text = (ftbridge_azure_ml.Provider.folder / "README.md").read_text("utf-8")
    (block,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    role = json.loads(block)["properties"]["permissions"][0]
    return {kind: sorted(role[kind]) for kind in ("actions", "dataActions")}
