"""Azure ML's settings in one place: where the workspace is, and the options of a job.

Names of subscription, group and workspace: option, else the variables that Azure's own tools read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ftbridge.dialects import azure_arm
from ftbridge.errors import UsageError

TOKEN = "AZURE_ML_TOKEN"  # noqa: S105 - the variable's name
DATASTORE = "workspaceblobstore"
"""The datastore that every workspace has, a container of its storage account."""
ROOT = "ftbridge"
"""The folder in the datastore that is ours."""
OPTIONS = (
    "subscription_id", "resource_group", "workspace", "datastore", "region", "blob_url",
    "storage_auth", "compute", "identity",
)  # fmt: skip
IDENTITIES = {"managed": "Managed", "user": "UserIdentity"}
"""As whom a job reads and writes its data, where the datastore keeps no key."""
STORAGE_AUTH = ("key", "entra")
_VARIABLES = {
    "subscription_id": "AZURE_SUBSCRIPTION_ID",
    "resource_group": "AZURE_RESOURCE_GROUP",
    "workspace": "AZUREML_WORKSPACE_NAME",
}
_NAME = re.compile(r"[A-Za-z0-9][\w.()-]{0,89}")


@dataclass(frozen=True)
class Workspace:
    """The names that lead to a workspace."""

    subscription: str
    group: str
    name: str

    @property
    def path(self) -> str:
        """Its resource id, which is also its path at ARM."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )

    def files(self, datastore: str) -> str:
        """The address of our folder in a datastore; it ends in ``/``."""
        return (
            f"azureml://subscriptions/{self.subscription}/resourcegroups/{self.group}"
            f"/workspaces/{self.name}/datastores/{datastore}/paths/{ROOT}/"
        )


def endpoint(options: Mapping[str, str]) -> str:
    """Option ``base_url``, else Azure Resource Manager's own."""
    return options.get("base_url") or azure_arm.URL


def at_vendor(options: Mapping[str, str]) -> bool:
    """Whether the host is Azure's (public cloud or a sovereign one)."""
    host = urlsplit(endpoint(options)).hostname or ""
    known = ("management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn")
    return host in known


def workspace(options: Mapping[str, str]) -> Workspace:
    """The workspace that is meant.

    Raises:
        UsageError: a name is missing, or is none.
    """
    return Workspace(*(_named(options, name) for name in _VARIABLES))


def account(options: Mapping[str, str]) -> str:
    """The workspace's name in its subscription, without asking anybody."""
    given = [options.get(name) or os.environ.get(value) for name, value in _VARIABLES.items()]
    return "/".join(part or "?" for part in given)


def datastore(options: Mapping[str, str]) -> str:
    """Option ``datastore``."""
    return _checked("datastore", options.get("datastore", DATASTORE))


def compute(options: Mapping[str, str]) -> str | None:
    """Option ``compute``: a cluster of the workspace; None: serverless compute."""
    given = options.get("compute")
    return None if given is None else _checked("compute", given)


def identity(options: Mapping[str, str]) -> str | None:
    """Option ``identity`` in Azure's word."""
    given = options.get("identity")
    if given is not None and given not in IDENTITIES:
        raise UsageError(
            f"option identity: `{given}` is none of {', '.join(IDENTITIES)}",
            hint="leave it out where the datastore keeps a key",
            where="identity",
        )
    return None if given is None else IDENTITIES[given]


def storage_auth(options: Mapping[str, str]) -> str:
    """Option ``storage_auth``: the datastore's key (the default), or an Entra token."""
    given = options.get("storage_auth", STORAGE_AUTH[0])
    if given not in STORAGE_AUTH:
        raise UsageError(
            f"option storage_auth: `{given}` is neither key nor entra", where="storage_auth"
        )
    return given


def _named(options: Mapping[str, str], option: str) -> str:
    variable = _VARIABLES[option]
    given = options.get(option) or os.environ.get(variable)
    if not given:
        raise UsageError(
            f"Azure ML needs the option {option}",
            hint=f"set {variable}, or FTBRIDGE_AZURE_ML_{option.upper()}",
            where=option,
        )
    return _checked(option, given)


def _checked(option: str, text: str) -> str:
    if not _NAME.fullmatch(text):
        raise UsageError(f"option {option}: `{text}` is no name at Azure", where=option)
    return text
