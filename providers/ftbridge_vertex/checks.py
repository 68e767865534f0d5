"""``ftbridge doctor vertex``: what must hold before a job can be tried, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ftbridge.errors import FtbridgeError, UsageError
from ftbridge.provider import Check, Provider
from ftbridge_vertex import settings, staging
from ftbridge_vertex.access import Access
from ftbridge_vertex.failures import translated


def all_of(
    provider: Provider,
    options: Mapping[str, str],
    access: Callable[[], Access],
    look: Callable[[Access], str],
) -> list[Check]:
    """Every check; those that open a connection only where the others are well.

    Args:
        look: a harmless call, and in words what it does.
    """
    missing = provider.missing()
    found = [
        Check("package", not missing, f"missing: {', '.join(missing)}" if missing
              else "google-genai and google-cloud-storage are installed",
              provider.install_hint() if missing else ""),
        _project(options),
        _region(options),
    ]  # fmt: skip
    if all(check.ok for check in found):
        found.append(_tried("credentials", lambda: _credentials(access())))
    if all(check.ok for check in found):
        found.append(_tried("bucket", lambda: _bucket(options, access())))
        found.append(_tried("access", lambda: _looks(options, access(), look)))
    return found


def _project(options: Mapping[str, str]) -> Check:
    name = settings.project(options)
    return Check("project", bool(name), name or "not set", "" if name else
                 "set GOOGLE_CLOUD_PROJECT")  # fmt: skip


def _region(options: Mapping[str, str]) -> Check:
    where = settings.location(options)
    try:
        settings.require_regional(where)
    except UsageError as error:
        return Check("region", False, error.message, error.hint)
    return Check("region", True, where)


def _tried(name: str, act: Callable[[], Check]) -> Check:
    try:
        return act()
    except FtbridgeError as error:
        return Check(name, False, error.message, error.hint or "see the README of ftbridge_vertex")


def _credentials(access: Access) -> Check:
    kind = type(access.credentials).__module__.removeprefix("google.")
    return Check("credentials", True, f"found ({kind}), not shown")


def _bucket(options: Mapping[str, str], access: Access) -> Check:
    name, region = settings.require_bucket(options), settings.location(options)
    location, kept = staging.keeps_deleted(access.storage, name, access.timeout)
    if kept:
        return Check(
            "bucket", None, f"{name} in {location} {kept}: purged data can be read until then",
            f"gcloud storage buckets update gs://{name} --clear-soft-delete",
        )  # fmt: skip
    apart = "" if location == region else f"; jobs run in {region}"
    return Check("bucket", True, f"{name} in {location}{apart}")


def lists_tuning_jobs(access: Access) -> str:
    """Ask for the newest tuning job."""
    with translated():
        next(iter(access.genai.tunings.list(config={"page_size": 1})), None)
    return "lists tuning jobs"


def _looks(options: Mapping[str, str], access: Access, look: Callable[[Access], str]) -> Check:
    return Check("access", True, f"{settings.endpoint(options)} {look(access)}")
