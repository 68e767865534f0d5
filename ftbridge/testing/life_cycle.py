"""The part of the conformance suite that runs jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ftbridge import clock
from ftbridge.errors import FtbridgeError, VendorError
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.states import FINAL, State
from ftbridge.jobs.submit import advance, submit
from ftbridge.jobs.watch import refresh
from ftbridge.provider import Provider
from ftbridge.testing.rehearsal import Rehearsal, Suite

WORD = "reticulating"
"""A state that no vendor has."""


def need(provider: Provider, *operations: str) -> None:
    """Skip with the provider's own sentence where one of these is absent."""
    for name in operations:
        if not provider.supports(name):
            pytest.skip(provider.absent[name])


class LifeCycle(Suite):
    """What happens to a job."""

    def test_from_upload_to_model(self, provider: Provider, sandbox: Rehearsal, data: Path) -> None:
        job = self.create(provider, data)
        assert job.state not in FINAL and job.raw_state and job.model is None
        for state in (State.RUNNING, State.SUCCEEDED):
            sandbox.advance(job.id, state)
            seen = provider.get(job.id)
            assert (seen.id, seen.state) == (job.id, state)
        assert seen.model and seen.error is None
        if provider.supports("events"):
            times = [event.time for event in provider.events(job.id)]
            assert times == sorted(times)
        events, metrics = provider.history(job.id)
        assert provider.supports("events") or not events
        assert all(isinstance(metric.value, float) for metric in metrics)
        if provider.supports("checkpoints"):
            assert all(point.step > 0 for point in provider.checkpoints(job.id))

    def test_its_figures_are_in_our_units(
        self, provider: Provider, sandbox: Rehearsal, data: Path
    ) -> None:
        job = self.create(provider, data)
        for state in (State.RUNNING, State.SUCCEEDED):
            sandbox.advance(job.id, state)
            seen = provider.get(job.id)
            for moment in (seen.created_at, seen.finished_at):
                assert moment is None or clock.parse(moment)
            assert seen.progress is None or 0 <= seen.progress <= 1
            assert seen.trained_tokens is None or seen.trained_tokens >= 0
            assert not seen.stopping

    def test_found_by_its_key(self, provider: Provider, data: Path) -> None:
        need(provider, "find")
        assert provider.find("ftb-nobody") is None
        jobs = [self.create(provider, data, f"ftb-key-{number}") for number in range(3)]
        for number, job in enumerate(jobs):
            found = provider.find(f"ftb-key-{number}")
            assert found is not None and found.id == job.id

    def test_nobody_knows_it(self, provider: Provider, data: Path) -> None:
        job = self.create(provider, data)
        with pytest.raises(FtbridgeError) as caught:
            provider.get(job.id[:-3] + "000")
        assert caught.value.message and caught.value.hint

    def test_an_upload_is_found(self, provider: Provider, data: Path) -> None:
        need(provider, "find_upload")
        upload = self.checked(provider, data)
        assert provider.find_upload(upload) is None
        made = provider.upload(upload)
        found = provider.find_upload(upload)
        assert found is not None and found.id == made.id
        assert provider.file_state(made.id).ready

    def test_many_are_seen_at_once(self, provider: Provider, data: Path) -> None:
        assert provider.get_many([]) == {}
        ids = {self.create(provider, data, f"ftb-many-{number}").id for number in range(7)}
        seen = provider.get_many(sorted(ids))
        assert {job.id for job in seen.values()} == set(seen) == ids

    def test_many_threads_may_ask(self, provider: Provider, data: Path) -> None:
        job = self.create(provider, data)
        with ThreadPoolExecutor(8) as pool:
            assert {seen.id for seen in pool.map(provider.get, [job.id] * 24)} == {job.id}

    def test_an_unknown_word_is_unknown(
        self, provider: Provider, sandbox: Rehearsal, data: Path
    ) -> None:
        job = self.create(provider, data)
        sandbox.say(job.id, WORD)
        seen = provider.get(job.id)
        assert (seen.state, seen.raw_state) == (State.UNKNOWN, WORD)
        assert provider.get_many([job.id])[job.id].state is State.UNKNOWN

    def test_an_unknown_word_is_warned_of_once_and_watched_on(
        self, provider: Provider, sandbox: Rehearsal, data: Path, tmp_path: Path
    ) -> None:
        ledger = Ledger(tmp_path / "ledger")
        job_id, _ = submit(self.plan(provider, data), provider, ledger, again=False, cap=None)
        row = advance(job_id, provider, ledger, tmp_path)
        sandbox.say(str(row.remote_id), WORD)
        first, second = (refresh(ledger.jobs.get(job_id), provider, ledger) for _ in range(2))
        assert (first.job.state, first.job.raw_state) == (State.UNKNOWN, WORD)
        assert not second.job.is_final
        assert len([text for text in first.warnings if WORD in text]) == 1
        assert second.warnings == []
        ledger.close()

    @pytest.mark.parametrize("state", [State.VALIDATING, State.QUEUED, State.RUNNING])
    def test_cancelled_at_any_time(
        self, provider: Provider, sandbox: Rehearsal, data: Path, state: State
    ) -> None:
        need(provider, "cancel")
        job = self.create(provider, data)
        sandbox.advance(job.id, state)
        asked = provider.cancel(job.id)
        assert asked.state is State.CANCELLED or asked.stopping
        sandbox.advance(job.id, State.CANCELLED)
        assert provider.get(job.id).state is State.CANCELLED

    def test_cancelled_twice_is_cancelled(
        self, provider: Provider, sandbox: Rehearsal, data: Path
    ) -> None:
        need(provider, "cancel")
        job = self.create(provider, data)
        sandbox.advance(job.id, State.RUNNING)
        provider.cancel(job.id)
        sandbox.advance(job.id, State.CANCELLED)
        _or_refused(provider, job.id)
        assert provider.get(job.id).state is State.CANCELLED

    def test_too_late_to_cancel(self, provider: Provider, sandbox: Rehearsal, data: Path) -> None:
        need(provider, "cancel")
        job = self.create(provider, data)
        sandbox.advance(job.id, State.SUCCEEDED)
        assert provider.get(job.id).state is State.SUCCEEDED
        _or_refused(provider, job.id)
        assert provider.get(job.id).state is State.SUCCEEDED

    def test_paused(self, provider: Provider, sandbox: Rehearsal, data: Path) -> None:
        need(provider, "pause")
        job = self.create(provider, data)
        sandbox.advance(job.id, State.RUNNING)
        asked = provider.pause(job.id)
        assert asked.state is State.PAUSED or asked.stopping or asked.state not in FINAL
        seen = provider.get(job.id)
        assert seen.state not in FINAL
        if seen.state is State.PAUSED and provider.supports("cancel"):
            stopped = provider.cancel(job.id)
            assert stopped.state is State.CANCELLED or stopped.stopping

    def test_a_tuned_model_is_deleted(
        self, provider: Provider, sandbox: Rehearsal, data: Path
    ) -> None:
        need(provider, "delete_model")
        job = self.create(provider, data)
        sandbox.advance(job.id, State.SUCCEEDED)
        model = provider.get(job.id).model
        assert model
        for _ in range(2):  # gone already: that is what was asked for
            provider.delete_model(model)
        assert provider.get(job.id).state is State.SUCCEEDED

    def test_what_is_not_deployed_can_be_undeployed(
        self, provider: Provider, sandbox: Rehearsal, data: Path
    ) -> None:
        need(provider, "undeploy")
        job = self.create(provider, data)
        sandbox.advance(job.id, State.SUCCEEDED)
        model = provider.get(job.id).model
        assert model
        for _ in range(2):
            provider.undeploy(model)
        assert all(not line.training for line in provider.hosting(self.model(provider)))

    def test_purged(self, provider: Provider, sandbox: Rehearsal, data: Path) -> None:
        need(provider, "purge")
        file = provider.upload(self.checked(provider, data))
        provider.purge(file.id)
        assert sandbox.count()[1] == 0
        provider.purge(file.id)  # gone already: that is what was asked for
        if type(provider).file_state is not Provider.file_state:
            assert provider.file_state(file.id).missing

    def test_submitted_and_adopted_once(
        self, provider: Provider, sandbox: Rehearsal, data: Path, tmp_path: Path
    ) -> None:
        ledger = Ledger(tmp_path / "ledger")
        plan = self.plan(provider, data)
        ids = {submit(plan, provider, ledger, again=False, cap=None)[0] for _ in range(2)}
        (job_id,) = ids
        rows = {advance(job_id, provider, ledger, tmp_path).remote_id for _ in range(2)}
        assert len(rows) == 1 and sandbox.count() == (1, 1)
        assert refresh(ledger.jobs.get(job_id), provider, ledger).job.remote_id in rows
        ledger.close()

    def test_events_are_kept_once(
        self, provider: Provider, sandbox: Rehearsal, data: Path, tmp_path: Path
    ) -> None:
        ledger = Ledger(tmp_path / "ledger")
        job_id, _ = submit(self.plan(provider, data), provider, ledger, again=False, cap=None)
        row = advance(job_id, provider, ledger, tmp_path)
        for state in (State.RUNNING, State.SUCCEEDED):
            sandbox.advance(str(row.remote_id), state)
            for _ in range(2):
                refresh(ledger.jobs.get(job_id), provider, ledger)
        known = ledger.history.events(job_id)
        events, _ = provider.history(str(row.remote_id))
        assert len(known) == len(events)
        assert ledger.history.add_events(job_id, events) == []
        if all(event.id for event in events):  # the vendor's answer holds each twice
            twice = [event for event in events for _ in range(2)]
            assert ledger.history.add_events(job_id, twice) == []
        ledger.close()

    def test_doctor_shows_no_secret(self, provider: Provider, sandbox: Rehearsal) -> None:
        checks = provider.doctor()
        assert checks and all(check.name and check.message for check in checks)
        assert all(check.hint for check in checks if check.ok is False)
        assert not any(secret in repr(checks) for secret in sandbox.secrets)
        if provider.leaves:
            assert all(check.ok is not False for check in checks), checks


def _or_refused(provider: Provider, remote_id: str) -> None:
    """Cancel what has ended: the vendor may refuse, or say how it is."""
    try:
        provider.cancel(remote_id)
    except VendorError as error:
        assert error.hint
