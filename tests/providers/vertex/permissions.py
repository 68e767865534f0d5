"""Which permissions the adapter's requests need, and the table of them in the README.

``python tests/providers/vertex/permissions.py`` (with ``tests`` on the path) writes the table.
Names: cloud.google.com/iam/docs permissions reference (read 2026-11-25); unverified by a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

README = Path(__file__).parents[3] / "providers" / "ftbridge_vertex" / "README.md"
_HERE = r"/v1beta1/projects/[^/]+/locations/[^/]+"
NEEDS: dict[tuple[str, str], tuple[str, str] | None] = {
    ("POST", rf"{_HERE}/tuningJobs"): ("aiplatform.tuningJobs.create", "submit"),
    ("GET", rf"{_HERE}/tuningJobs"): ("aiplatform.tuningJobs.list", "submit, watch, doctor"),
    ("GET", rf"{_HERE}/tuningJobs/[^/:]+"): ("aiplatform.tuningJobs.get", "status, watch"),
    ("POST", rf"{_HERE}/tuningJobs/[^/]+:cancel"): ("aiplatform.tuningJobs.cancel", "cancel"),
    ("POST", rf"{_HERE}/(endpoints|publishers/[^/]+/models)/[^/]+:generateContent"): (
        "aiplatform.endpoints.predict", "chat, eval",
    ),
    ("GET", rf"{_HERE}/endpoints/[^/:]+"): ("aiplatform.endpoints.get", "delete"),
    ("POST", rf"{_HERE}/endpoints/[^/]+:undeployModel"): (
        "aiplatform.endpoints.undeploy", "delete",
    ),
    ("DELETE", rf"{_HERE}/endpoints/[^/]+"): ("aiplatform.endpoints.delete", "delete"),
    ("GET", rf"{_HERE}/models/[^/]+"): ("aiplatform.models.get", "delete"),
    ("DELETE", rf"{_HERE}/models/[^/]+"): ("aiplatform.models.delete", "delete"),
    ("POST", rf"{_HERE}/customJobs"): ("aiplatform.customJobs.create", "submit"),
    ("GET", rf"{_HERE}/customJobs"): ("aiplatform.customJobs.list", "submit, doctor"),
    ("GET", rf"{_HERE}/customJobs/[^/:]+"): ("aiplatform.customJobs.get", "status, watch"),
    ("POST", rf"{_HERE}/customJobs/[^/]+:cancel"): ("aiplatform.customJobs.cancel", "cancel"),
    ("DELETE", rf"{_HERE}/customJobs/[^/]+"): ("aiplatform.customJobs.delete", "delete"),
    ("GET", rf"{_HERE}/operations/[^/]+"): None,
    ("GET", r"/storage/v1/b/[^/]+"): ("storage.buckets.get", "doctor"),
    ("POST", r"/upload/storage/v1/b/[^/]+/o"): ("storage.objects.create", "submit"),
    ("PUT", r"/upload/storage/v1/b/[^/]+/o"): ("storage.objects.create", "submit"),
    ("GET", r"(/download)?/storage/v1/b/[^/]+/o/.+"): (
        "storage.objects.get", "submit, purge, download",
    ),
    ("GET", r"/storage/v1/b/[^/]+/o"): ("storage.objects.list", "download, delete"),
    ("DELETE", r"/storage/v1/b/[^/]+/o/.+"): ("storage.objects.delete", "purge, delete"),
}  # fmt: skip
"""Method and path -> permission and what it is for; None: none of its own."""


def table(requests: Iterable[tuple[str, str]]) -> str:
    """The rows for what was asked.

    Raises:
        KeyError: a request that no row of ``NEEDS`` knows.
    """
    found: set[tuple[str, str]] = set()
    for method, path in requests:
        needed = [value for (verb, pattern), value in NEEDS.items()
                  if verb == method and re.fullmatch(pattern, path)]  # fmt: skip
        if not needed:
            raise KeyError(f"{method} {path}")
        found |= {each for each in needed[:1] if each is not None}
    rows = "".join(f"| `{name}` | {what} |\n" for name, what in sorted(found))
    return f"| permission | for |\n|---|---|\n{rows}"


def written(mark: str = "permissions") -> str:
    """The table as the README has it, between two marks."""
    text = README.read_text("utf-8")
    return text.partition(f"<!-- {mark} -->\n")[2].partition("<!--")[0]


def write(made: str, mark: str = "permissions") -> None:
    """Put a table into the README."""
    text = README.read_text("utf-8")
    head, _, rest = text.partition(f"<!-- {mark} -->\n")
    tail = rest.partition(f"<!-- /{mark} -->")[2]
    README.write_text(f"{head}<!-- {mark} -->\n{made}<!-- /{mark} -->{tail}", "utf-8")
