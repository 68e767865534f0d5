"""The five job routes that the SDK has lost, over ``httpx``. Answers are plain JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from ftbridge.errors import ProviderError
from ftbridge_mistral.failures import refusal

if TYPE_CHECKING:
    import httpx

JOBS = "/v1/fine_tuning/jobs"
PAGE = 100


class JobRoutes:
    """Each method is one call, and raises what an answer of 400 or more means."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST jobs."""
        return self._call("POST", JOBS, body)

    def dry_run(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST jobs?dry_run=true: what the job would take and cost.

        The published document names it, SDKs do not. Should the vendor overlook it, the job that
        it makes waits unpaid, since it does not start by itself, and is cancelled.

        Raises:
            ProviderError: it was overlooked.
        """
        made = self._call("POST", f"{JOBS}?dry_run=true", {**body, "auto_start": False})
        if made.get("object") == "job":
            self.cancel(made["id"])
            raise ProviderError(
                f"Mistral made the job {made['id']} of a dry run; it was cancelled unpaid",
                hint="see `ftbridge compare`",
                code="no_quote",
            )
        return made

    def get(self, job_id: str) -> dict[str, Any]:
        """GET jobs/{id}: with events and checkpoints."""
        return self._call("GET", f"{JOBS}/{job_id}")

    def cancel(self, job_id: str) -> dict[str, Any]:
        """POST jobs/{id}/cancel."""
        return self._call("POST", f"{JOBS}/{job_id}/cancel")

    def start(self, job_id: str) -> dict[str, Any]:
        """POST jobs/{id}/start."""
        return self._call("POST", f"{JOBS}/{job_id}/start")

    def page(self, number: int, size: int = PAGE) -> list[dict[str, Any]]:
        """GET jobs: one page of the list, newest first, counted from 0."""
        listed: list[dict[str, Any]] = self._call("GET", f"{JOBS}?page={number}&page_size={size}")[
            "data"
        ]
        return listed

    def some(self, wanted: set[str]) -> list[dict[str, Any]]:
        """Pages of the list, until all of these are there or it is clearly too long."""
        found: list[dict[str, Any]] = []
        for number in range(3 + len(wanted) // PAGE):
            rows = self.page(number)
            found += [row for row in rows if row["id"] in wanted]
            if len(found) == len(wanted) or len(rows) < PAGE:
                break
        return found

    def listed(self) -> Iterator[dict[str, Any]]:
        """Every job of the list, page by page."""
        for number in count():
            rows = self.page(number)
            yield from rows
            if len(rows) < PAGE:
                return

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            raise refusal(answer.status_code, answer.text, answer.headers)
        said: dict[str, Any] = answer.json()
        return said
