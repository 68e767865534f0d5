"""A private bucket of the Hub as the store of a compute provider.

Sources: the bucket methods of ``hf_api.py`` in huggingface_hub 2.4.0 (read 2026-11-25). A bucket is
what a job can mount to write into; repositories are mounted for reading alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import quote

from ftbridge.errors import OperationFailed, ProviderError, VendorError
from ftbridge_huggingface.client import within

if TYPE_CHECKING:
    from huggingface_hub import HfApi

GONE = 404
T = TypeVar("T")


class BucketStore:
    """Files in one bucket. See :class:`ftbridge.stores.Store`."""

    def __init__(self, api: HfApi, bucket: str, seconds: float) -> None:
        """``bucket`` is ``namespace/name``; ``seconds`` what one request may take."""
        self._api, self._bucket, self._seconds = api, bucket, seconds
        self._seen_private = False

    def address(self, name: str) -> str:
        """``hf://buckets/namespace/name/path``."""
        return f"hf://buckets/{self._bucket}/{name}"

    def write(self, name: str, content: BinaryIO) -> None:
        """Put a file there, once the bucket was seen to be private."""
        self._require_private()
        with tempfile.NamedTemporaryFile(prefix="ftbridge-") as aside:  # the SDK reads paths
            shutil.copyfileobj(content, aside)
            aside.flush()
            with within(self._seconds):
                self._api.batch_bucket_files(self._bucket, add=[(aside.name, name)])

    def read(self, name: str) -> bytes | None:
        """A file's content; None where it is not there."""
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        url = f"{self._api.endpoint}/buckets/{self._bucket}/resolve/{quote(name)}"

        def ask() -> bytes:
            answer = get_session().get(url, headers=build_hf_headers(token=self._api.token))
            hf_raise_for_status(answer)
            return bytes(answer.content)

        return self._unless_missing(ask)

    def size(self, name: str) -> int | None:
        """A file's bytes; None where it is not there."""

        def ask() -> int | None:
            found = list(self._api.get_bucket_paths_info(self._bucket, [name]))
            return int(found[0].size) if found else None

        return self._unless_missing(ask)

    def names(self, folder: str) -> list[str]:
        """The names of all files below a folder."""

        def ask() -> list[str]:
            tree = self._api.list_bucket_tree(self._bucket, prefix=folder, recursive=True)
            inside = (entry.path for entry in tree if entry.type == "file")
            return sorted(
                path.removeprefix(f"{folder}/") for path in inside if path.startswith(f"{folder}/")
            )

        return self._unless_missing(ask) or []

    def fetch(self, name: str, target: Path) -> None:
        """Bring a file of any size here.

        Raises:
            OperationFailed: it is not there.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.size(name) is None:
            raise OperationFailed(f"{self.address(name)} is gone", hint="train again with --again")
        with within(self._seconds):
            self._api.download_bucket_files(self._bucket, [(name, target)])

    def remove(self, name: str) -> None:
        """Delete a file; one that is gone already is what was wanted.

        Raises:
            ProviderError: the bucket cannot be seen, which to the Hub is the same as none.
        """
        if self._shown() is None:
            raise ProviderError(
                f"the bucket {self._bucket} cannot be seen",
                hint="use a token of its namespace, or look at the Hub whether it is gone",
                where="bucket",
            )
        if self.size(name) is not None:
            with within(self._seconds):
                self._api.batch_bucket_files(self._bucket, delete=[name])

    # -- private -----------------------------------------------------------------------------

    def _require_private(self) -> None:
        """Make the bucket where there is none, and read back that it is private.

        Raises:
            ProviderError: it is public.
        """
        if self._seen_private:
            return
        if self._shown() is None:
            with within(self._seconds):
                self._api.create_bucket(self._bucket, private=True)
        shown = self._shown()
        if shown is None or shown.private is not True:
            raise ProviderError(
                f"the bucket {self._bucket} is not private: nothing was written into it",
                hint="make it private at the Hub, or name another: --option bucket=NAME",
                where="bucket",
                code="bucket_not_private",
            )
        self._seen_private = True

    def _shown(self) -> Any:
        return self._unless_missing(lambda: self._api.bucket_info(self._bucket))

    def _unless_missing(self, ask: Callable[[], T]) -> T | None:
        """What was asked for; None where the bucket or the file is not there."""
        try:
            with within(self._seconds):
                return ask()
        except VendorError as error:
            if error.status != GONE:
                raise
            return None
