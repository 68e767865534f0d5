"""The public conformance suite, and what is Lathe's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ftbridge_lathe import Provider as LatheProvider
from ftbridge_lathe import wire
from ftbridge_lathe.emulator import KEY, STOP_SECONDS, TIMELINE, create_app

from ftbridge.errors import NetworkError, UsageError, VendorError
from ftbridge.jobs.states import State
from ftbridge.provider import ChatRequest, Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire
from ftbridge.testing.faults import DropAfter
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve

WORDS = {State.VALIDATING: "checking", State.QUEUED: "waiting", State.RUNNING: "turning",
         State.SUCCEEDED: "done"}  # fmt: skip


class Rehearsing:
    """The emulator behind the fault injector, its clock in the test's hand."""

    secrets: tuple[str, ...] = (KEY,)
    get_path = r"/runs/[^/]+$"

    def __init__(self, home: Path) -> None:
        self.home, self.ahead, self.url = home, 0.0, ""
        self.app = create_app(clock=lambda: time.time() + self.ahead)
        self.store = self.app.state.store
        self.injector = Injector("")

    def connect(self, **options: str) -> Provider:
        return LatheProvider(Context(self.home, {"base_url": f"{self.url}/v1"} | options))

    def advance(self, remote_id: str, state: State) -> None:
        if state in WORDS:
            self.ahead = TIMELINE.starts(WORDS[state]) + 0.5
        else:
            self.ahead += STOP_SECONDS + 0.5

    def say(self, remote_id: str, word: str) -> None:
        self.store.runs[remote_id].forced = word

    def count(self) -> tuple[int, int]:
        return len(self.store.runs), len(self.store.datasets)


class TestLathe(Facts, LifeCycle, OverTheWire):
    @pytest.fixture
    def sandbox(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rehearsing]:
        monkeypatch.setenv("LATHE_API_KEY", KEY)
        made = Rehearsing(tmp_path)
        with serve(made.app) as made.injector.upstream, made.injector.serve() as made.url:
            yield made

    def test_the_exact_request(self, provider: Provider, data: Path) -> None:
        hyperparameters = {"n_epochs": 3, "batch_size": 4, "learning_rate": 1e-4, "lora_r": 8}
        spec = self.spec(provider, data, suffix="mine", hyperparameters=hyperparameters)
        assert provider.request(spec, "train", "held", "ftb-1") == {
            "base": "lathe/llama-8b",
            "dataset": "train",
            "validation": "held",
            "label": "mine",
            "settings": {"epochs": 3, "batch": 4, "rate": 1e-4, "rank": 8},
        }

    @pytest.mark.parametrize("change", [{"seed": 1}, {"options": {"colour": "red"}}])
    def test_what_has_no_place_is_refused(
        self, provider: Provider, data: Path, change: dict[str, Any]
    ) -> None:
        with pytest.raises(UsageError):
            provider.request(self.spec(provider, data, **change), "train", None, "ftb-1")

    def test_every_word_has_its_state(
        self, provider: Provider, sandbox: Rehearsing, data: Path
    ) -> None:
        job = self.create(provider, data)
        for word, state in wire.STATES.items():
            sandbox.say(job.id, word)
            seen = provider.get(job.id)
            assert (seen.state, seen.raw_state) == (state, word)
            assert (seen.error is not None) is (state is State.FAILED)

    def test_a_lost_create_is_found_and_a_repeat_makes_no_second(
        self, provider: Provider, sandbox: Rehearsing, data: Path
    ) -> None:
        sandbox.injector.on("PUT", r"/runs/", DropAfter())
        with pytest.raises(NetworkError):
            self.create(provider, data, "ftb-lost")
        found = provider.find("ftb-lost")
        assert found is not None
        assert self.create(provider, data, "ftb-lost").id == found.id
        assert sandbox.count() == (1, 1)

    def test_the_emulator_is_strict(self, provider: Provider, data: Path) -> None:
        file = provider.upload(self.checked(provider, data)).id
        body = provider.request(self.spec(provider, data), file, None, "ftb-1")
        for wrong in (body | {"colour": "red"}, body | {"base": "nobody's"},
                      body | {"settings": {"epochs": 99}}, body | {"dataset": "gone"}):  # fmt: skip
            with pytest.raises(VendorError) as caught:
                provider.create(wrong, "ftb-1")
            assert caught.value.vendor_code and caught.value.hint
        assert provider.find("ftb-1") is None

    def test_a_tuned_model_answers(
        self, provider: Provider, sandbox: Rehearsing, data: Path
    ) -> None:
        job = self.create(provider, data)
        sandbox.advance(job.id, State.SUCCEEDED)
        model = provider.get(job.id).model
        assert model is not None
        reply = provider.chat(model, ChatRequest([{"role": "user", "content": "is row 3 here?"}]))
        assert (reply.text, reply.finish_reason) == ("yes", "stop")
        with pytest.raises(UsageError):
            provider.chat(model, ChatRequest([{"role": "tool", "content": "42"}]))
