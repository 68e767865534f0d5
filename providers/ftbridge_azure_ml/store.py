"""A folder of a workspace's datastore as the store of a compute provider.

Source: azure-storage-blob 12.31.1 (its clients and types, read 2026-11-25). A datastore keeps the
storage account's key or a SAS, which the workspace hands out to whoever may list its secrets; one
that keeps neither is reached with an Entra token.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from ftbridge.errors import OperationFailed, VendorError
from ftbridge_azure_ml import failures, settings
from ftbridge_azure_ml.client import Client

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

GONE = 404
T = TypeVar("T")


class DatastoreStore:
    """Files below ``ftbridge/`` in one datastore. See :class:`ftbridge.stores.Store`."""

    def __init__(
        self, client: Client, datastore: str, auth: str, blob_url: str | None, seconds: float
    ) -> None:
        """``auth``: key or entra; ``blob_url``: the account's address where it is not Azure's."""
        self._client, self._datastore, self._auth = client, datastore, auth
        self._blob_url, self._seconds = blob_url, seconds
        self._lock = threading.Lock()

    def address(self, name: str) -> str:
        """``azureml://subscriptions/.../datastores/NAME/paths/ftbridge/name``."""
        return self._client.workspace.files(self._datastore) + name

    def write(self, name: str, content: BinaryIO) -> None:
        """Put a file there; Azure shows it once it is whole."""
        with self._stored() as container:
            container.upload_blob(self._blob(name), content, overwrite=True)

    def read(self, name: str) -> bytes | None:
        """A file's content; None where it is not there."""
        return self._unless_missing(
            lambda container: bytes(container.download_blob(self._blob(name)).readall())
        )

    def size(self, name: str) -> int | None:
        """A file's bytes; None where it is not there."""
        return self._unless_missing(
            lambda container: int(container.get_blob_client(self._blob(name))
                                  .get_blob_properties().size)
        )  # fmt: skip

    def names(self, folder: str) -> list[str]:
        """The names of all files below a folder."""
        prefix = f"{self._blob(folder)}/"

        def ask(container: ContainerClient) -> list[str]:
            found = container.list_blob_names(name_starts_with=prefix)
            return sorted(str(name).removeprefix(prefix) for name in found)

        return self._unless_missing(ask) or []

    def fetch(self, name: str, target: Path) -> None:
        """Bring a file of any size here.

        Raises:
            OperationFailed: it is not there.
        """

        def ask(container: ContainerClient) -> bool:
            stream = container.download_blob(self._blob(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                stream.readinto(file)
            return True

        if not self._unless_missing(ask):
            raise OperationFailed(f"{self.address(name)} is gone", hint="train again with --again")

    def remove(self, name: str) -> None:
        """Delete a file; one that is gone already is what was wanted."""
        self._unless_missing(lambda container: container.delete_blob(self._blob(name)))

    # -- private -----------------------------------------------------------------------------

    def _blob(self, name: str) -> str:
        return f"{settings.ROOT}/{name}"

    @contextmanager
    def _stored(self) -> Iterator[ContainerClient]:
        """The container for one call, whose errors are ours."""
        container = self.container()
        with failures.stored(self._client.hidden):
            yield container

    def _unless_missing(self, ask: Callable[[ContainerClient], T]) -> T | None:
        container = self.container()  # a workspace that is gone is no missing blob
        try:
            with failures.stored(self._client.hidden):
                return ask(container)
        except VendorError as error:
            if error.status != GONE:
                raise
            return None

    def container(self) -> ContainerClient:
        """The container behind the datastore, opened once."""
        with self._lock:
            return self._container

    @cached_property
    def _container(self) -> ContainerClient:
        from azure.storage.blob import ContainerClient

        shown = self._client.get(f"/datastores/{self._datastore}")["properties"]
        account, endpoint = shown["accountName"], shown.get("endpoint", "core.windows.net")
        url = self._blob_url or f"https://{account}.blob.{endpoint}"
        made = ContainerClient(
            url,
            shown["containerName"],
            credential=self._credential(str(shown["credentials"]["credentialsType"]), account),
            # Repeating is the core's decision: not one request is sent twice here.
            retry_total=0,
            connection_timeout=self._seconds,
            read_timeout=self._seconds,
        )
        weakref.finalize(self, made.close)
        return made

    def _credential(self, kept: str, account: str) -> Any:
        """What opens the container: a key, a SAS, or an identity."""
        if self._auth == "entra" or kept == "None":
            from azure.identity import DefaultAzureCredential

            return DefaultAzureCredential()
        told = self._client.post(f"/datastores/{self._datastore}/listSecrets")
        secret = str(told["sasToken"] if told["secretsType"] == "Sas" else told["key"])
        self._client.hidden.add(secret)
        if told["secretsType"] == "Sas":
            from azure.core.credentials import AzureSasCredential

            return AzureSasCredential(secret)
        return {"account_name": account, "account_key": secret}
