"""An emulator of an Azure Machine Learning workspace, for sandboxes and tests without an account.

It speaks the control plane (ARM: workspace, datastores with their secrets, clusters, environments,
command jobs) and the blob service of the workspace's storage account, at one address:
``URL/subscriptions/...`` and ``URL/sandboxstore/...``. **Jobs really run**: the command is started
here in a shell, with folders of blobs in the place of its mounts, and a job on capacity of low
priority may lose its node. Written before the adapter and independently of it, so that one
misreading is not made twice.

Sources, seen 2026-11-25: azure-ai-ml 1.35.2 and azure-storage-blob 12.31.1 (PyPI), whose requests
it answers; the REST references of both services (learn.microsoft.com). Each module says what it
could not verify. In general: no call was made to the vendor, so every wording here is a likeness;
check code and status, never sentences. Two things differ on purpose: ARM passes over unknown JSON
keys, which are refused here; and addresses of blobs have the account in their path, since a name
below this address does not resolve.

Not emulated: Entra ID (a token is one known string; the SDKs refuse to ask for one over http),
signatures of shared keys, images, sweeps, pipelines and other job types, code and data assets, run
history, more than one node, deletion of jobs.
"""

from .app import JOB_TIMELINE, TOKEN, create_app
from .sandbox import once_it_has_a_checkpoint, sandbox
from .store import (
    CONTAINER,
    DATASTORE,
    GROUP,
    REGION,
    STORAGE,
    SUBSCRIPTION,
    TENANT,
    WORKSPACE,
    Cluster,
    Emulator,
    Job,
    Store,
)
from .workspace import SAS, STORAGE_KEY

__all__ = [
    "CONTAINER",
    "DATASTORE",
    "GROUP",
    "JOB_TIMELINE",
    "REGION",
    "SAS",
    "STORAGE",
    "STORAGE_KEY",
    "SUBSCRIPTION",
    "TENANT",
    "TOKEN",
    "WORKSPACE",
    "Cluster",
    "Emulator",
    "Job",
    "Store",
    "create_app",
    "once_it_has_a_checkpoint",
    "sandbox",
]
