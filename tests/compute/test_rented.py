"""Our trainer on a machine that is taken away: staged, killed, replaced, brought home."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from compute.shed import Shed, ShedProvider

from ftbridge import bundle, clock
from ftbridge.errors import UsageError
from ftbridge.files import sha256_of
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.policy import CheckedUpload, Privacy, check_upload
from ftbridge.provider import Context
from ftbridge.testing.rented import Hub

KEY = "ftb-shed"
PATIENCE = 200


@pytest.fixture
def shed(tmp_path: Path) -> Shed:
    return Shed(tmp_path / "shed", Hub(tmp_path / "hub"))


@pytest.fixture
def provider(shed: Shed, tmp_path: Path) -> ShedProvider:
    return ShedProvider(Context(tmp_path / "home"), shed)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    turns = (("user", "where is card {}?"), ("assistant", "card {} is here"))
    rows = (
        {"messages": [{"role": role, "content": text.format(n)} for role, text in turns]}
        for n in range(24)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def checked(provider: ShedProvider, data: Path) -> CheckedUpload:
    where = provider.destination
    return check_upload(data, sha256_of(data), "training", Privacy.PUBLIC, where)


def spec_of(data: Path, **changes: object) -> JobSpec:
    training = {
        "path": str(data), "sha256": sha256_of(data), "kind": "chat", "examples": 24,
        "bytes": data.stat().st_size,
    }  # fmt: skip
    base = {"provider": "shed", "model": "acme/tiny-1m", "adapter": "lora", "training": training}
    return JobSpec.model_validate(base | changes)


def until(reached: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + PATIENCE
    while not reached():
        assert clock.monotonic() < deadline
        clock.sleep(0.1)


class TestBeforeTheJob:
    def test_the_cheapest_machine_that_holds_it(self, provider: ShedProvider, data: Path) -> None:
        assert provider.machine(spec_of(data)).name == "small"
        big = spec_of(data, model="meta-llama/Llama-3.3-70B-Instruct", adapter="qlora")
        assert provider.machine(big).name == "large" and provider.machine(big).gpus == 4
        with pytest.raises(UsageError, match="surely holds"):
            provider.machine(spec_of(data, model="acme/giant-900b"))
        with pytest.raises(UsageError, match="at 30,000 tokens"):
            provider.machine(big.model_copy(update={"options": {"max_length": "30000"}}))
        with pytest.raises(UsageError, match="how large"):
            provider.machine(spec_of(data, model="acme/nameless"))
        named = spec_of(data, model="acme/nameless", options={"machine": "large"})
        assert provider.machine(named).name == "large"

    def test_the_request_is_recipe_and_job(self, provider: ShedProvider, data: Path) -> None:
        spec = spec_of(data, options={"hours": "3", "checkpoint_steps": "2"})
        request = provider.request(spec, "shed/files/a.jsonl", "shed/files/b.jsonl", KEY)
        recipe = request["recipe"]
        assert (recipe["train"], recipe["validation"]) == ("a.jsonl", "b.jsonl")
        assert recipe["checkpoint_steps"] == 2 and "hours" not in recipe
        with pytest.raises(UsageError, match="no option"):
            provider.request(spec_of(data, options={"wheels": "4"}), "a", None, KEY)

    def test_it_says_what_the_trainer_will_do(self, provider: ShedProvider, data: Path) -> None:
        assert provider.epochs(spec_of(data)) == (3, "")  # below 500 examples
        known = provider.settings(spec_of(data))
        assert known["learning_rate"] == (1e-3, "default: 1e-3 below 1 B parameters")
        assert known["micro_batch_size"].value is None
        unknown = provider.settings(spec_of(data, model="acme/nameless"))
        assert unknown["learning_rate"].value is None

    @pytest.mark.parametrize("option", ["hours=0", "hours=x", "spot=maybe"])
    def test_bad_options_are_named(self, provider: ShedProvider, data: Path, option: str) -> None:
        name, _, value = option.partition("=")
        with pytest.raises(UsageError) as caught:
            provider.request(spec_of(data, options={name: value}), "a", None, KEY)
        assert caught.value.where == name

    def test_the_bundle_holds_no_data_and_is_the_same_every_time(self) -> None:
        assert bundle.trainer_zip() == bundle.trainer_zip.__wrapped__()
        assert set(bundle.bundle({})) == {"trainer.zip", "requirements.txt", "recipe.json"}

    def test_what_is_installed_there_is_what_was_tested(self) -> None:
        pins = Path("constraints.txt").read_text().splitlines()
        lines = bundle.bundle({})["requirements.txt"].decode().splitlines()
        pinned = [line for line in lines if "==" in line]
        assert len(pinned) >= 4 and set(pinned) <= set(pins)

    def test_the_trainer_needs_nothing_of_ours(self, tmp_path: Path) -> None:
        path = tmp_path / "trainer.zip"
        path.write_bytes(bundle.trainer_zip())
        with zipfile.ZipFile(path) as archive:
            texts = [archive.read(name).decode() for name in archive.namelist()]
        assert not any("import ftbridge\n" in text or "from ftbridge." in text for text in texts)


@pytest.mark.training
class TestTheJob:
    @pytest.mark.long
    @pytest.mark.parametrize("machine", ["small", "large"])  # one process, or four together
    def test_with_notice_it_writes_a_checkpoint_first(
        self, provider: ShedProvider, shed: Shed, data: Path, machine: str
    ) -> None:
        file = provider.upload(checked(provider, data))
        options = {"machine": machine, "checkpoint_steps": "1000", "threads": "1"}
        hyperparameters = {"n_epochs": 40, "batch_size": 4}
        spec = spec_of(data, options=options, hyperparameters=hyperparameters)
        provider.create(provider.request(spec, file.id, None, KEY), KEY)
        until(lambda: len(provider.metrics(KEY)) > 0)
        shed.machines[KEY][0].reclaim()
        until(lambda: len(shed.machines[KEY]) == 2 or shed.words[KEY] != "on")
        assert len(shed.machines[KEY]) == 2, "it had ended before it was taken away"
        until(lambda: shed.words[KEY] != "on")
        done = provider.get(KEY)
        assert done.state is State.SUCCEEDED, (shed.root / f"{KEY}.log").read_text()
        assert "resumed" in [event.type for event in provider.events(KEY)]

    def test_a_failure_says_why(self, provider: ShedProvider, shed: Shed, data: Path) -> None:
        data.write_text('{"messages": []}\n')
        file = provider.upload(checked(provider, data))
        provider.create(provider.request(spec_of(data), file.id, None, KEY), KEY)
        until(lambda: shed.words[KEY] != "on")
        failed = provider.get(KEY)
        assert failed.state is State.FAILED and failed.error and failed.error["code"]

    def test_without_its_data_it_does_not_begin(
        self, provider: ShedProvider, shed: Shed, data: Path
    ) -> None:
        provider.create(provider.request(spec_of(data), "files/gone.jsonl", None, KEY), KEY)
        until(lambda: shed.words[KEY] != "on")
        failed = provider.get(KEY)
        assert failed.error and failed.error["code"] == "machine_not_ready"

    def test_killed_in_the_middle_it_goes_on(
        self, provider: ShedProvider, shed: Shed, data: Path, tmp_path: Path
    ) -> None:
        file = provider.upload(checked(provider, data))
        options = {"checkpoint_steps": "1", "threads": "1"}
        spec = spec_of(data, options=options, hyperparameters={"n_epochs": 20, "batch_size": 2})
        job = provider.create(provider.request(spec, file.id, None, KEY), KEY)
        assert job.state is State.RUNNING
        until(lambda: len(provider.checkpoints(KEY)) > 0)
        shed.machines[KEY][0].kill()
        until(lambda: len(shed.machines[KEY]) == 2 or shed.words[KEY] == "off")
        assert len(shed.machines[KEY]) == 2, "it had ended before it was killed"
        until(lambda: shed.words[KEY] != "on")
        done = provider.get(KEY)
        assert done.state is State.SUCCEEDED, (shed.root / f"{KEY}.log").read_text()
        types = [event.type for event in provider.events(KEY)]
        assert types.count("started") == 1 and "resumed" in types and types[-1] == "finished"
        steps = [metric.step for metric in provider.metrics(KEY) if metric.name == "loss"]
        assert steps == sorted(set(steps))
        assert done.trained_tokens and done.progress == 1.0

        adapter = provider.download(KEY, tmp_path / "adapter")
        assert (adapter / "adapter_model.safetensors").exists()
        assert not any(path.suffix == ".pt" for path in adapter.rglob("*"))
        provider.purge(file.id)
        assert provider.file_state(file.id).missing
        provider.delete_model(str(done.model))
        assert not list((shed.root / "jobs" / KEY / "out" / "adapter").rglob("*.safetensors"))
