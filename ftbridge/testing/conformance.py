"""What every provider must do: pytest classes to subclass, for ours and for anybody's plugin.

    class TestMine(Facts, LifeCycle, OverTheWire):
        @pytest.fixture
        def sandbox(self) -> Iterator[Rehearsal]:
            yield MyRehearsal()          # an emulator, and a way to move its jobs

``Facts`` needs no network. ``LifeCycle`` runs jobs. ``OverTheWire`` spoils an HTTP connection and
is for providers that have one. A gap is never a missing test: what a provider cannot do stands in
its ``absent`` table, and the tests read that. For a provider that trains nothing at all there is
:mod:`ftbridge.testing.refusal`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import Dataset
from ftbridge.errors import (
    CredentialsError,
    FtbridgeError,
    NetworkError,
    ProviderError,
    Unsupported,
    VendorError,
)
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.spec import Hyperparameters, Method
from ftbridge.jobs.states import FINAL, State
from ftbridge.jobs.submit import advance, submit
from ftbridge.jobs.watch import refresh
from ftbridge.provider import OPERATIONS, Provider
from ftbridge.testing.faults import Answers, CutBody, Delay, DropAfter, DropBefore
from ftbridge.testing.rehearsal import Rehearsal, Suite, Wired

WORD = "reticulating"
"""A state that no vendor has."""
_VALUES: Mapping[str, float] = {
    "n_epochs": 2, "batch_size": 2, "learning_rate": 1e-4, "learning_rate_multiplier": 0.5,
    "lora_r": 8, "lora_alpha": 16.0, "lora_dropout": 0.1, "warmup_ratio": 0.1,
    "weight_decay": 0.01, "beta": 0.2,
}  # fmt: skip


class Declares(Suite):
    """What any provider says of itself, one that trains nothing too."""

    def test_each_operation_is_implemented_or_absent(self, provider: Provider) -> None:
        for name in OPERATIONS:
            written = getattr(type(provider), name) is not getattr(Provider, name)
            assert written is not (name in provider.absent), name
            assert written is provider.supports(name)
        assert set(provider.absent) <= set(OPERATIONS)

    def test_what_is_absent_says_its_sentence(self, provider: Provider) -> None:
        for name, sentence in provider.absent.items():
            arguments = {"chat": 2, "download": 2, "find_upload": 1}.get(name, 1)
            with pytest.raises(Unsupported) as caught:
                getattr(provider, name)(*["x"] * arguments)
            assert caught.value.message == sentence and len(sentence) > 10
            assert caught.value.exit_code == 4

    def test_the_catalogue_is_dated_and_usable(self, provider: Provider) -> None:
        catalogue = provider.catalogue()
        assert catalogue.provider == provider.name
        assert catalogue.models or catalogue.open_models or catalogue.nothing
        for row in catalogue.models:
            assert row.source and row.as_of and row.methods and row.adapters
        for method in catalogue.methods:
            assert method in catalogue.hyperparameters
            assert not catalogue.models or catalogue.default_model(method)


class Facts(Declares):
    """What a provider that trains says of itself."""

    def test_errors_are_explained(self, provider: Provider) -> None:
        rows = tomllib.loads((provider.folder / "errors.toml").read_text("utf-8"))["error"]
        marks = [tuple(row.get(name) for name in ("code", "type", "status")) for row in rows]
        assert len(rows) >= 12 and len(set(marks)) == len(marks)
        assert all(
            row["cause"] and row["hint"] and any(m) for row, m in zip(rows, marks, strict=True)
        )

    def test_what_is_not_set_is_not_sent(self, provider: Provider, data: Path) -> None:
        bare = provider.request(self.spec(provider, data), "file-1", None, "ftb-1")
        takes = provider.catalogue().hyperparameters[Method.SFT]
        for name in takes:
            low, high = takes[name].min, takes[name].max
            value = _VALUES[name]
            value = max(value, low) if low is not None else value
            value = min(value, high) if high is not None else value
            spec = self.spec(provider, data, hyperparameters={name: value})
            assert provider.request(spec, "file-1", None, "ftb-1") != bare, name
        sent = json.dumps(bare)
        assert "null" not in sent and not set(Hyperparameters.model_fields) & set(_keys(bare))

    def test_no_path_of_this_machine_leaves_it(self, provider: Provider, data: Path) -> None:
        sent = json.dumps(provider.request(self.spec(provider, data), "file-1", None, "ftb-1"))
        assert not provider.leaves or str(data.parent) not in sent

    def test_lines_go_there_and_back(self, provider: Provider, data: Path) -> None:
        for item in Dataset(data).examples():
            assert provider.parse(provider.convert(item.example).line) == item.example

    def test_another_address(self, sandbox: Rehearsal) -> None:
        provider = sandbox.connect(base_url="http://127.0.0.1:9/v1")
        if provider.leaves:
            assert provider.endpoint == "http://127.0.0.1:9/v1" and not provider.at_vendor
            assert provider.account != sandbox.connect().account
        assert not any(secret in provider.account for secret in sandbox.secrets)


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

    def test_found_by_its_key(self, provider: Provider, data: Path) -> None:
        if not provider.supports("find"):
            pytest.skip(provider.absent["find"])
        assert provider.find("ftb-nobody") is None
        jobs = [self.create(provider, data, f"ftb-key-{number}") for number in range(3)]
        for number, job in enumerate(jobs):
            found = provider.find(f"ftb-key-{number}")
            assert found is not None and found.id == job.id

    def test_an_upload_is_found(self, provider: Provider, data: Path) -> None:
        if not provider.supports("find_upload"):
            pytest.skip(provider.absent["find_upload"])
        upload = self.checked(provider, data)
        assert provider.find_upload(upload) is None
        made = provider.upload(upload)
        found = provider.find_upload(upload)
        assert found is not None and found.id == made.id
        assert provider.file_state(made.id).ready

    def test_many_are_seen_at_once(self, provider: Provider, data: Path) -> None:
        ids = {self.create(provider, data, f"ftb-many-{number}").id for number in range(7)}
        seen = provider.get_many(sorted(ids))
        assert {job.id for job in seen.values()} == set(seen) == ids

    def test_an_unknown_word_is_unknown(
        self, provider: Provider, sandbox: Rehearsal, data: Path
    ) -> None:
        job = self.create(provider, data)
        sandbox.say(job.id, WORD)
        seen = provider.get(job.id)
        assert (seen.state, seen.raw_state) == (State.UNKNOWN, WORD)

    @pytest.mark.parametrize("state", [State.VALIDATING, State.QUEUED, State.RUNNING])
    def test_cancelled_at_any_time(
        self, provider: Provider, sandbox: Rehearsal, data: Path, state: State
    ) -> None:
        if not provider.supports("cancel"):
            pytest.skip(provider.absent["cancel"])
        job = self.create(provider, data)
        sandbox.advance(job.id, state)
        asked = provider.cancel(job.id)
        assert asked.state is State.CANCELLED or asked.stopping
        sandbox.advance(job.id, State.CANCELLED)
        assert provider.get(job.id).state is State.CANCELLED

    def test_a_tuned_model_is_deleted(
        self, provider: Provider, sandbox: Rehearsal, data: Path
    ) -> None:
        if not provider.supports("delete_model"):
            pytest.skip(provider.absent["delete_model"])
        job = self.create(provider, data)
        sandbox.advance(job.id, State.SUCCEEDED)
        model = provider.get(job.id).model
        assert model
        for _ in range(2):  # gone already: that is what was asked for
            provider.delete_model(model)
        assert provider.get(job.id).state is State.SUCCEEDED

    def test_purged(self, provider: Provider, sandbox: Rehearsal, data: Path) -> None:
        if not provider.supports("purge"):
            pytest.skip(provider.absent["purge"])
        file = provider.upload(self.checked(provider, data))
        provider.purge(file.id)
        assert sandbox.count()[1] == 0
        provider.purge(file.id)  # gone already: that is what was asked for

    def test_submitted_and_adopted_once(
        self, provider: Provider, sandbox: Rehearsal, data: Path, tmp_path: Path
    ) -> None:
        ledger = Ledger(tmp_path / "ledger")
        plan = self.plan(provider, data)
        ids = {submit(plan, provider, ledger, again=False, cap=None)[0] for _ in range(2)}
        (job_id,) = ids
        rows = {advance(job_id, provider, ledger, tmp_path).remote_id for _ in range(2)}
        assert len(rows) == 1 and sandbox.count() == (1, 1)
        for _ in range(2):
            row = refresh(ledger.jobs.get(job_id), provider, ledger).job
        known = ledger.history.events(job_id)
        assert len({(e.time, e.message, e.step) for _, e in known}) == len(known)
        assert row.remote_id in rows
        ledger.close()


class OverTheWire(Suite):
    """What comes of a bad connection and of the vendor's errors."""

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
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
            assert (error.status, error.transient) == (status, status in (409, 429, 500, 503))
            assert error.retry_after == 7
        _shows_no_secret(error, sandbox.secrets)

    @pytest.mark.parametrize("fault", [DropBefore(), DropAfter(), CutBody(), CutBody(clean=True)])
    def test_a_lost_answer_is_a_network_error(
        self, provider: Provider, sandbox: Wired, data: Path, fault: Any
    ) -> None:
        job = self.create(provider, data)
        sandbox.injector.on("GET", sandbox.get_path, fault)
        with pytest.raises(NetworkError) as caught:
            provider.get(job.id)
        _shows_no_secret(caught.value, sandbox.secrets)
        assert provider.get(job.id).id == job.id

    def test_it_does_not_wait_for_ever(self, sandbox: Wired, data: Path) -> None:
        job = self.create(sandbox.connect(), data)
        sandbox.injector.on("GET", sandbox.get_path, Delay(2.0))
        with pytest.raises(NetworkError):
            sandbox.connect(timeout_seconds="0.2").get(job.id)

    def test_nothing_is_repeated_behind_our_back(
        self, provider: Provider, sandbox: Wired, data: Path
    ) -> None:
        job = self.create(provider, data)
        sandbox.injector.requests.clear()
        sandbox.injector.on("GET", sandbox.get_path, Answers(503, 0))
        with pytest.raises(VendorError):
            provider.get(job.id)
        assert len(sandbox.injector.requests) == 1


def _keys(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [*content, *(key for item in content.values() for key in _keys(item))]
    return [key for item in content for key in _keys(item)] if isinstance(content, list) else []


def _shows_no_secret(error: FtbridgeError, secrets: tuple[str, ...]) -> None:
    shown = json.dumps(error.to_dict(), default=str) + str(error) + repr(error.args)
    assert not any(secret in shown for secret in secrets)
