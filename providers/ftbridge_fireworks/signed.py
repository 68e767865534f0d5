"""Files behind signed URLs: weights and metrics. A bucket, not the API: no key goes there.

``fireworks-ai`` 1.2.30 (read 2026-11-25): ``models.get_download_endpoint`` gives a URL for each
file; a supervised job shows ``metrics_file_signed_url``, a DPO job has a route for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftbridge.errors import UsageError, VendorError
from ftbridge.files import atomic_write
from ftbridge_fireworks.failures import require_done, translated


def lines(url: str, timeout: float) -> list[Any]:
    """A small file of JSON lines."""
    import httpx

    with translated():
        answer = httpx.get(url, timeout=timeout)
    require_done(answer)
    with translated():
        return [json.loads(line) for line in answer.text.splitlines() if line.strip()]


def save(urls: Mapping[str, str], out: Path, timeout: float) -> Path:
    """Bring files into a new folder.

    Args:
        urls: file name -> signed URL.

    Raises:
        UsageError: where the folder is not empty.
        VendorError: where a file would lie outside it, there is none, or a URL is refused.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty", hint="name a new folder", where="out")
    if not urls or any(Path(name).name != name for name in urls):
        raise VendorError(
            "Fireworks names no file, or one that would lie outside the folder",
            hint="download the model with firectl",
            vendor_code="file_names",
        )
    for name, url in urls.items():
        _save_one(url, out / name, timeout)
    return out


def _save_one(url: str, path: Path, timeout: float) -> None:
    import httpx

    with translated(), httpx.stream("GET", url, timeout=timeout) as answer:
        require_done(answer)
        with atomic_write(path) as stream:
            for piece in answer.iter_bytes():
                stream.write(piece)
