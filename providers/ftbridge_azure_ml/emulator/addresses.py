"""``azureml://`` addresses of files, and ARM ids of what lies in the workspace."""

from __future__ import annotations

import re

from .errors import user_error
from .store import CONTAINER, DATASTORE, GROUP, STORAGE, SUBSCRIPTION, WORKSPACE

SCOPE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
)
_LONG = f"subscriptions/{SUBSCRIPTION}/resourcegroups/{GROUP}/workspaces/{WORKSPACE}/"
_FILE = re.compile(
    rf"azureml://(?:{_LONG})?datastores/(?P<datastore>[^/]+)/paths/(?P<path>.*)", re.IGNORECASE
)
_HTTPS = re.compile(rf"https?://{STORAGE}\.blob\.core\.windows\.net/{CONTAINER}/(?P<path>.*)")
_ASSET = re.compile(
    rf"(?:azureml:)?{SCOPE}/(?P<kind>\w+)/(?P<name>[^/]+)(?:/versions/(?P<version>[^/]+))?",
    re.IGNORECASE,
)
REGISTRY = re.compile(
    r"azureml://registries/azureml/environments/[\w.\-]+/(?:versions/\d+|labels/latest)"
)
"""An environment of the public registry, of which this emulator takes any name."""


def path_of(uri: str, where: str) -> str:
    """The blob's name (or a folder's) of the workspace's datastore; raises ArmError."""
    found = _FILE.fullmatch(uri)
    if found and found["datastore"] != DATASTORE:
        raise user_error(f"There is no datastore {found['datastore']}.", where)
    found = found or _HTTPS.fullmatch(uri)
    if found is None:
        raise user_error(f"'{uri}' is no address in a datastore of this workspace.", where)
    return found["path"].strip("/")


def asset_of(identifier: str, kind: str) -> tuple[str, str]:
    """Name and version of an ARM id (no version: empty); raises ArmError."""
    found = _ASSET.fullmatch(identifier)
    if found is None or found["kind"].lower() != kind.lower():
        raise user_error(f"'{identifier}' is no ARM id of {kind} in this workspace.", kind)
    return found["name"], found["version"] or ""
