"""The archive of weights that Together sends: kept aside, unpacked safely, moved into place.

The SDK names it ``.tar.zst``, or ``.tar.gz`` by content type (``lib/resources/files.py`` of
``together`` 3.1.1); which of them comes is told by its first bytes. Unverified at the vendor.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ftbridge.errors import NetworkError, NotInstalled, UsageError

if TYPE_CHECKING:
    from together import Together

ZSTD = b"\x28\xb5\x2f\xfd"


def require_new(out: Path) -> None:
    """Raise UsageError where the folder holds something already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty", hint="name a new folder", where="out")


def fetch(client: Together, remote_id: str, out: Path, merged: bool) -> Path:
    """Bring the adapter, or the whole model if it is to be merged or was trained in full."""
    trained = client.fine_tuning.retrieve(remote_id).to_dict().get("training_type")
    part: Any = "merged" if merged else "adapter"
    if isinstance(trained, dict) and trained.get("type") == "Full":
        part = "model_output_path"
    api = client.fine_tuning.with_streaming_response
    with api.content(ft_id=remote_id, checkpoint=part) as answer:
        return unpack(answer.iter_bytes(), out)


def unpack(chunks: Iterable[bytes], out: Path) -> Path:
    """Write the archive's content to the folder ``out``, whole or not at all.

    Raises:
        NetworkError: the archive is cut off or none.
        UsageError: it holds a path that leads out of its folder.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".ftbridge-weights-") as folder:
        archive, content = Path(folder, "archive"), Path(folder, "content")
        content.mkdir()
        with archive.open("wb") as target:
            for chunk in chunks:
                target.write(chunk)
        try:
            with _opened(archive) as stream, tarfile.open(fileobj=stream, mode="r|*") as tar:
                tar.extractall(content, filter="data")
        except tarfile.FilterError as error:
            raise UsageError(
                f"the archive of weights is not safe to unpack ({type(error).__name__})",
                hint="download it at the vendor's console and look into it",
            ) from None
        except (tarfile.TarError, EOFError) as error:
            raise NetworkError(
                f"Together's archive of weights could not be read ({type(error).__name__})",
                hint="try again",
            ) from None
        if out.exists():
            out.rmdir()
        content.rename(out)
    return out


@contextmanager
def _opened(archive: Path) -> Iterator[IO[bytes]]:
    with archive.open("rb") as stream:
        if stream.read(4) != ZSTD:
            stream.seek(0)
            yield stream
            return
        stream.seek(0)
        try:
            import zstandard
        except ImportError:
            raise NotInstalled(
                "the weights come compressed with zstd, which is not installed",
                hint="pip install 'ftbridge[together]'",
            ) from None
        try:
            with zstandard.ZstdDecompressor().stream_reader(stream) as reader:
                yield reader
        except zstandard.ZstdError as error:
            raise tarfile.ReadError(str(error)) from None
