"""Vertex AI's settings in one place: project, location, bucket, addresses, and every ``--option``.

From google-genai 2.34.0 (``GOOGLE_CLOUD_PROJECT``, ``GOOGLE_CLOUD_LOCATION``,
``GOOGLE_VERTEX_BASE_URL``; hosts by location) and google-cloud-storage 3.17.1
(``STORAGE_EMULATOR_HOST``), read 2026-11-25.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from ftbridge.errors import UsageError

STORAGE_URL = "https://storage.googleapis.com"
DEFAULT_LOCATION = "us-central1"
TOKEN = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105 -- the name of a variable, Terraform's too
VENDOR_HOST = ".googleapis.com"
_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_BUCKET = re.compile(r"[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]")

PLACE_OPTIONS = frozenset({"project", "location", "bucket", "prefix", "storage_url"})
"""Where jobs run and their data lies."""
JOB_OPTIONS = frozenset({
    "learning_rate", "batch_size", "start_from", "start_checkpoint", "teacher", "tuned_teacher",
    "sft_loss_weight", "last_checkpoint_only", "kms_key", "samples_per_prompt",
    "evaluate_interval", "checkpoint_interval", "max_output_tokens", "thinking_level",
})  # fmt: skip
"""What goes into a create request."""
OTHER_OPTIONS = frozenset({"thinking_budget"})
"""What an answer of a chat costs in thoughts."""


def require_known(options: Mapping[str, str]) -> None:
    """Raise UsageError for an option that is not ours."""
    known = PLACE_OPTIONS | JOB_OPTIONS | OTHER_OPTIONS
    if unknown := sorted(options.keys() - known):
        raise UsageError(
            f"vertex takes no option {', '.join(unknown)}",
            hint=f"it takes: {', '.join(sorted(known))}",
            where="option",
        )


def whole(name: str, text: str, least: int = 1) -> int:
    """A whole number of at least ``least``."""
    if not text.isdigit() or int(text) < least:
        raise UsageError(f"option {name}: `{text}` is no whole number from {least}", where=name)
    return int(text)


def number(name: str, text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"option {name}: `{text}` is no number above 0", where=name)
    return value


def flag(name: str, text: str) -> bool:
    """``true`` or ``false``."""
    if text not in ("true", "false"):
        raise UsageError(f"option {name}: `{text}` is neither true nor false", where=name)
    return text == "true"


def project(options: Mapping[str, str]) -> str:
    """Option ``project``, else ``GOOGLE_CLOUD_PROJECT``; empty where neither is set."""
    return options.get("project") or os.environ.get("GOOGLE_CLOUD_PROJECT") or ""


def location(options: Mapping[str, str]) -> str:
    """Option ``location``, else ``GOOGLE_CLOUD_LOCATION``, else us-central1."""
    return options.get("location") or os.environ.get("GOOGLE_CLOUD_LOCATION") or DEFAULT_LOCATION


def require_regional(where: str) -> None:
    """Refuse ``global``, ``us`` and ``eu``: tuning is a regional service, and the global endpoint
    promises no residency (docs.cloud.google.com, tuning pages: "tuning is a regional service").

    Raises:
        UsageError: it is no single region.
    """
    if not _REGION.fullmatch(where):
        raise UsageError(
            f"vertex tunes in one region; `{where}` is none, and promises no residency",
            hint="--option location=us-central1, europe-west4, or another region",
            where="location",
        )


def bucket(options: Mapping[str, str]) -> str:
    """Option ``bucket`` without ``gs://``; empty where it is not set."""
    name = options.get("bucket", "").removeprefix("gs://").rstrip("/")
    if name and not _BUCKET.fullmatch(name):
        raise UsageError(f"option bucket: `{name}` is no name of a bucket", where="bucket")
    return name


def require_bucket(options: Mapping[str, str]) -> str:
    """The bucket that data goes to.

    Raises:
        UsageError: none is set.
    """
    name = bucket(options)
    if not name:
        raise UsageError(
            "vertex reads its data from a bucket of yours, and none is named",
            hint="--option bucket=NAME or FTBRIDGE_VERTEX_BUCKET; in the region that you tune in",
            where="bucket",
        )
    return name


def prefix(options: Mapping[str, str]) -> str:
    """Option ``prefix``: the folder in the bucket; ``ftbridge`` unless set."""
    return options.get("prefix", "ftbridge").strip("/") or "ftbridge"


def vendor_url(where: str) -> str:
    """The vendor's own address for a location, as google-genai 2.34.0 makes it."""
    if where == "global":
        return "https://aiplatform.googleapis.com"
    if where in ("us", "eu"):
        return f"https://aiplatform.{where}.rep.googleapis.com"
    return f"https://{where}-aiplatform.googleapis.com"


def endpoint(options: Mapping[str, str]) -> str:
    """Option ``base_url``, else ``GOOGLE_VERTEX_BASE_URL``, else the vendor's own."""
    given = options.get("base_url") or os.environ.get("GOOGLE_VERTEX_BASE_URL")
    return given or vendor_url(location(options))


def storage_url(options: Mapping[str, str]) -> str:
    """Option ``storage_url``, else ``STORAGE_EMULATOR_HOST``, else the vendor's own."""
    given = options.get("storage_url") or os.environ.get("STORAGE_EMULATOR_HOST") or STORAGE_URL
    return given if "://" in given else f"http://{given}"


def at_vendor(options: Mapping[str, str]) -> bool:
    """Whether both addresses are Google's."""
    hosts = [urlsplit(url(options)).hostname or "" for url in (endpoint, storage_url)]
    return all(host.endswith(VENDOR_HOST) for host in hosts)
