"""The part of the conformance suite that spoils a connection and turns pages."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ftbridge.errors import (
    CredentialsError,
    FtbridgeError,
    NetworkError,
    ProviderError,
    UsageError,
    VendorError,
)
from ftbridge.jobs.states import State
from ftbridge.provider import Provider, RemoteJob
from ftbridge.testing.facts import unset
from ftbridge.testing.faults import Answers, CutBody, Delay, DropAfter, DropBefore, Exchange, Fault
from ftbridge.testing.rehearsal import Rehearsal, Suite, Wired
from ftbridge.vendor_errors import TRANSIENT

PAGE_JOBS = 250
STATUSES = [400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504]


@dataclass
class Keeps:
    """Lets an exchange pass and keeps what was sent."""

    bodies: list[bytes] = field(default_factory=list)

    def __call__(self, exchange: Exchange) -> None:
        self.bodies.append(exchange.body)
        exchange.answer(exchange.forward())


class OverTheWire(Suite):
    """What comes of pages, a bad connection and the vendor's errors."""

    # -- errors ------------------------------------------------------------------------------

    @pytest.mark.parametrize("status", STATUSES)
    def test_errors_are_translated(
        self, provider: Provider, sandbox: Wired, data: Path, status: int
    ) -> None:
        job = self.create(provider, data)
        said = json.dumps({"error": {"message": f"no {' '.join(sandbox.secrets)}"}}).encode()
        sandbox.injector.on("GET", sandbox.get_path, Answers(status, 7, said))
        with pytest.raises(ProviderError) as caught:
            provider.get(job.id)
        error = caught.value
        assert isinstance(error, CredentialsError if status == 401 else VendorError)
        assert error.hint
        if isinstance(error, VendorError):
            assert (error.status, error.transient) == (status, status in TRANSIENT)
            assert error.retry_after == 7
        shows_no_secret(error, sandbox.secrets)

    @pytest.mark.parametrize("status", [401, 429, 500])
    @pytest.mark.parametrize("call", ["upload", "create", "cancel"])
    def test_errors_of_what_changes_something_too(
        self, provider: Provider, sandbox: Wired, data: Path, call: str, status: int
    ) -> None:
        act = self._call(call, provider, data)
        _on_writing(sandbox, Answers(status))
        with pytest.raises(ProviderError) as caught:
            act()
        assert isinstance(caught.value, CredentialsError if status == 401 else VendorError)
        assert caught.value.hint
        shows_no_secret(caught.value, sandbox.secrets)

    @pytest.mark.parametrize("status", [200, 502])
    def test_a_page_of_html_is_no_answer(
        self, provider: Provider, sandbox: Wired, data: Path, status: int
    ) -> None:
        job = self.create(provider, data)
        page = b"<html><body>gateway</body></html>"
        sandbox.injector.on("GET", sandbox.get_path, Answers(status, None, page))
        with pytest.raises(NetworkError if status == 200 else VendorError) as caught:
            provider.get(job.id)
        assert caught.value.hint
        assert provider.get(job.id).id == job.id

    def test_a_date_to_wait_for(self, provider: Provider, sandbox: Wired, data: Path) -> None:
        job = self.create(provider, data)
        then = Answers(429, "Fri, 31 Dec 2099 23:59:59 GMT")
        sandbox.injector.on("GET", sandbox.get_path, then)
        with pytest.raises(VendorError) as caught:
            provider.get(job.id)
        assert caught.value.retry_after is not None and caught.value.retry_after > 86_400

    # -- the connection ----------------------------------------------------------------------

    @pytest.mark.parametrize("fault", [DropBefore(), DropAfter(), CutBody(), CutBody(clean=True)])
    def test_a_lost_answer_is_a_network_error(
        self, provider: Provider, sandbox: Wired, data: Path, fault: Any
    ) -> None:
        job = self.create(provider, data)
        sandbox.injector.on("GET", sandbox.get_path, fault)
        with pytest.raises(NetworkError) as caught:
            provider.get(job.id)
        shows_no_secret(caught.value, sandbox.secrets)
        assert provider.get(job.id).id == job.id

    @pytest.mark.parametrize("fault", [DropBefore(), DropAfter()])
    def test_a_create_without_an_answer_is_made_once(
        self, provider: Provider, sandbox: Wired, data: Path, fault: Any
    ) -> None:
        act = self._call("create", provider, data)
        _on_creating(sandbox, fault)
        with pytest.raises(NetworkError) as caught:
            act()
        shows_no_secret(caught.value, sandbox.secrets)
        made = int(isinstance(fault, DropAfter))
        assert sandbox.count()[0] == made
        if provider.supports("find"):
            assert (provider.find("ftb-call") is not None) is bool(made)

    def test_nobody_listens(self, provider: Provider, sandbox: Rehearsal, data: Path) -> None:
        job = self.create(provider, data)
        with pytest.raises(NetworkError) as caught:
            sandbox.connect(base_url="http://127.0.0.1:9/v1").get(job.id)
        assert caught.value.hint
        shows_no_secret(caught.value, sandbox.secrets)

    @pytest.mark.parametrize("call", ["get", "upload", "create"])
    def test_it_does_not_wait_for_ever(self, sandbox: Wired, data: Path, call: str) -> None:
        hasty = sandbox.connect(timeout_seconds="0.3")
        act = self._call(call, hasty, data, prepared_by=sandbox.connect())
        if call == "get":
            sandbox.injector.on("GET", sandbox.get_path, Delay(2.0))
        else:
            _on_writing(sandbox, Delay(2.0))
        with pytest.raises(NetworkError):
            act()

    def test_a_wrong_timeout_is_said(self, provider: Provider, sandbox: Wired, data: Path) -> None:
        job = self.create(provider, data)
        with pytest.raises(UsageError) as caught:
            sandbox.connect(timeout_seconds="soon").get(job.id)
        assert caught.value.where == "timeout_seconds"

    def test_nothing_is_repeated_behind_our_back(
        self, provider: Provider, sandbox: Wired, data: Path
    ) -> None:
        job = self.create(provider, data)
        sandbox.injector.requests.clear()
        sandbox.injector.on("GET", sandbox.get_path, Answers(503, 0))
        with pytest.raises(VendorError):
            provider.get(job.id)
        assert len(sandbox.injector.requests) == 1

    # -- what is sent ------------------------------------------------------------------------

    def test_what_is_not_set_is_not_on_the_wire(
        self, provider: Provider, sandbox: Wired, data: Path
    ) -> None:
        act, kept = self._call("create", provider, data), Keeps()
        _on_creating(sandbox, kept)
        act()
        assert kept.bodies and not any(unset(json.loads(body)) for body in kept.bodies)

    def test_logs_show_no_secret(
        self, provider: Provider, sandbox: Wired, data: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            job = self.create(provider, data)
            provider.get(job.id)
            sandbox.injector.on("GET", sandbox.get_path, Answers(401))
            with pytest.raises(CredentialsError):
                provider.get(job.id)
        said = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.records)
        assert not any(secret in said for secret in sandbox.secrets)

    # -- pages -------------------------------------------------------------------------------

    def test_pages_are_turned(self, provider: Provider, sandbox: Wired, data: Path) -> None:
        file = provider.upload(self.checked(provider, data))
        spec = self.spec(provider, data)
        ids = []
        for number in range(PAGE_JOBS):
            key = f"ftb-page-{number}"
            ids.append(provider.create(provider.request(spec, file.id, None, key), key).id)
        assert len(set(ids)) == sandbox.count()[0] == PAGE_JOBS
        sandbox.injector.requests.clear()
        seen: dict[str, RemoteJob] = {}
        for start in range(0, PAGE_JOBS, provider.batch):  # as the watcher asks
            seen |= provider.get_many(ids[start : start + provider.batch])
        assert set(seen) == set(ids) and all(seen[name].id == name for name in ids)
        if provider.batch > 1:
            assert len(sandbox.injector.requests) < PAGE_JOBS / 5
        if provider.supports("find"):
            for number in (0, PAGE_JOBS // 2, PAGE_JOBS - 1):
                found = provider.find(f"ftb-page-{number}")
                assert found is not None and found.id == ids[number]
            assert provider.find("ftb-nobody") is None

    # -- private -----------------------------------------------------------------------------

    def _call(
        self, name: str, provider: Provider, data: Path, prepared_by: Provider | None = None
    ) -> Callable[[], Any]:
        """A call of a provider, everything that it needs prepared."""
        ready = prepared_by or provider
        upload = self.checked(provider, data)
        if name == "upload":
            return lambda: provider.upload(upload)
        if name == "create":
            file = ready.upload(upload)
            request = provider.request(self.spec(provider, data), file.id, None, "ftb-call")
            return lambda: provider.create(request, "ftb-call")
        job: RemoteJob = self.create(ready, data)
        if name == "cancel" and not provider.supports("cancel"):
            pytest.skip(provider.absent["cancel"])
        assert job.state is not State.UNKNOWN
        return lambda: getattr(provider, name)(job.id)


def _on_writing(sandbox: Wired, fault: Fault, path: str = "") -> None:
    """Let a fault take the next request that changes something."""
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        sandbox.injector.on(verb, path, fault)


def _on_creating(sandbox: Wired, fault: Fault) -> None:
    """Let it take the next create: where files are staged before it, ``create_path`` is its
    pattern."""
    _on_writing(sandbox, fault, getattr(sandbox, "create_path", ""))


def shows_no_secret(error: FtbridgeError, secrets: tuple[str, ...]) -> None:
    """Fail where an error shows one, in any of its forms."""
    shown = json.dumps(error.to_dict(), default=str) + str(error) + repr(error.args)
    assert not any(secret in shown for secret in secrets)
