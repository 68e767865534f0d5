"""Profiles: what a server's differences do to the request, and how a bad file is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from emulated import write_chats

import ftbridge
from ftbridge import registry
from ftbridge.cli import run
from ftbridge.errors import (
    CredentialsError,
    DataError,
    FtbridgeError,
    OperationFailed,
    UsageError,
    VendorError,
)
from ftbridge.jobs.spec import DataRef, JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.faults import DropAfter
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_openai_compatible.emulator import SANDBOX_KEY, create_app
from ftbridge_openai_compatible.profile import FOLDER, load, shipped

NEBIUS = {"profile": "nebius"}
LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
KEY = "ftb-" + "0" * 32


def connect(**options: str) -> Provider:
    return registry.load("openai_compatible")(Context(Path(), options))


def spec(**changes: Any) -> JobSpec:
    data = DataRef(path="d", sha256="s", kind="chat", examples=12, bytes=10)
    base = {"provider": "openai_compatible", "model": LLAMA, "adapter": "lora", "training": data}
    return JobSpec.model_validate(base | changes)


def body(reach: dict[str, str], **changes: Any) -> dict[str, Any]:
    return connect(**reach).request(spec(**changes), "file-1", None, KEY)


def test_lora_is_always_said() -> None:
    assert body(NEBIUS)["hyperparameters"] == {"lora": True}
    assert body(NEBIUS, adapter="full")["hyperparameters"] == {"lora": False}
    sent = body(NEBIUS, hyperparameters={"learning_rate": 1e-4, "lora_r": 16, "n_epochs": 2},
                options={"packing": "false", "context_length": "16384"})  # fmt: skip
    assert sent == {
        "model": LLAMA,
        "training_file": "file-1",
        "suffix": KEY,
        "hyperparameters": {
            "learning_rate": 1e-4, "lora_r": 16, "n_epochs": 2, "packing": False,
            "context_length": 16384, "lora": True,
        },
    }  # fmt: skip


def test_the_key_ends_the_suffix() -> None:
    assert body(NEBIUS, suffix="support")["suffix"] == f"support-{KEY}"
    longest = body(NEBIUS, suffix="x" * 27)["suffix"]
    assert len(longest) == 64
    with pytest.raises(UsageError):
        body(NEBIUS, suffix="x" * 28)


@pytest.mark.parametrize(
    ("options", "changes", "where"),
    [
        ({}, {}, "base_url"),
        (NEBIUS, {"options": {"packing": "maybe"}}, "packing"),
        (NEBIUS, {"options": {"context_length": "8k"}}, "context_length"),
        (NEBIUS, {"options": {"eval_interval": "3"}}, "option"),
        (NEBIUS, {"adapter": "full", "hyperparameters": {"lora_r": 8}}, "lora_r"),
    ],
)
def test_what_the_request_refuses(
    options: dict[str, str], changes: dict[str, Any], where: str
) -> None:
    with pytest.raises(UsageError) as caught:
        body(options, **changes)
    assert caught.value.where == where and caught.value.hint


def test_each_profile_has_its_own_facts() -> None:
    plain, nebius = connect(), connect(**NEBIUS)
    assert "download" in plain.absent and "download" not in nebius.absent
    assert "pause" in nebius.absent and "pause" not in plain.absent
    assert "learning_rate" in nebius.catalogue().hyperparameters["sft"]  # type: ignore[index]
    assert nebius.at_vendor and not plain.at_vendor
    assert connect(base_url="http://x/v1", **NEBIUS).endpoint == "http://x/v1"
    assert set(shipped()) == {"nebius", "plain"}


def test_all_models_are_in_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--family", "llama-3.1-8b-instruct", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["models"]
    assert ("openai_compatible", LLAMA) in {(row["provider"], row["model"]) for row in rows}


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("x =", UsageError, "not TOML"),
        ("job_key = 'header'", UsageError, "job_key"),
        ("colour = 'red'", UsageError, "colour"),
        (None, DataError, "cannot be read"),
    ],
)
def test_a_bad_file(
    tmp_path: Path, text: str | None, error: type[FtbridgeError], said: str
) -> None:
    path = tmp_path / "mine.toml"
    if text is not None:
        path.write_text(f"{text}\n{(FOLDER / 'plain.toml').read_text()}")
    with pytest.raises(error) as caught:
        connect(profile=str(path))
    assert said in caught.value.message and str(path) in caught.value.message


def test_unknown_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no profile is called `nebula`"):
        load("nebula")
    path = tmp_path / "mine.toml"
    path.write_text((FOLDER / "plain.toml").read_text().replace("quote =", "fly ="))
    with pytest.raises(UsageError, match=r"absent\.fly"):
        load(str(path))


@pytest.fixture
def bridge(closed_world: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ftbridge.Bridge]:
    monkeypatch.setenv("NEBIUS_API_KEY", SANDBOX_KEY)
    monkeypatch.setenv("OPENAI_COMPATIBLE_API_KEY", SANDBOX_KEY)
    for name in ("SETTLE", "POLL"):
        monkeypatch.setenv(f"FTBRIDGE_OPENAI_COMPATIBLE_{name}_SECONDS", "0.05")
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def test_nebius_from_plan_to_adapter(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    data = write_chats(tmp_path / "t.jsonl")
    with serve(create_app(speed=200)) as url:
        plan = bridge.plan(
            data, provider="openai_compatible", base_url=f"{url}/nebius/v1", options=NEBIUS,
            adapter="lora", lora_r=16, learning_rate=1e-4, allow_unknown_cost=True,
        )  # fmt: skip
        assert plan.spec.model == LLAMA and plan.tokens.n_epochs == 3
        job = bridge.submit(plan)
        assert job.wait().state is State.SUCCEEDED
        place = bridge.provider_of(job.row)
        found = place.find(plan.key)
        assert found is not None and found.id == job.row.remote_id
        assert (job.download(tmp_path / "adapter") / "adapter_config.json").exists()
        assert job.tuned().chat([{"role": "user", "content": "t 3"}]).text == "yes"
        assert [metric.name for metric in job.metrics()].count("train_loss") == 3


def test_a_job_remembers_its_profile(
    bridge: ftbridge.Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a lost create would be looked for in metadata, where Nebius has none, and made twice."""
    data = write_chats(tmp_path / "t.jsonl")
    with serve(create_app()) as url:
        monkeypatch.setenv("FTBRIDGE_OPENAI_COMPATIBLE_BASE_URL", f"{url}/nebius/v1")
        monkeypatch.setenv("FTBRIDGE_OPENAI_COMPATIBLE_PROFILE", "nebius")
        plan = bridge.plan(data, provider="openai_compatible", allow_unknown_cost=True)
        job = bridge.submit(plan)
        monkeypatch.delenv("FTBRIDGE_OPENAI_COMPATIBLE_BASE_URL")
        monkeypatch.delenv("FTBRIDGE_OPENAI_COMPATIBLE_PROFILE")
        place = bridge.provider_of(job.row)
        found = place.find(plan.key)
        assert found is not None and found.id == job.row.remote_id
    asked: dict[str, Any] = {"provider": "openai_compatible", "allow_unknown_cost": True}
    assert bridge.plan(data, **asked, options=NEBIUS).spec.connection == {}
    (tmp_path / "mine.toml").write_text((FOLDER / "nebius.toml").read_text())
    monkeypatch.chdir(tmp_path)
    mine = bridge.plan(data, **asked, options={"profile": "mine.toml"})
    monkeypatch.chdir("/")
    assert bridge.provider("openai_compatible", mine.spec.options | mine.spec.connection).at_vendor


@pytest.mark.parametrize("path", ["v1", "nebius/v1"])
def test_a_create_without_an_answer_makes_no_second_job(
    bridge: ftbridge.Bridge, tmp_path: Path, path: str
) -> None:
    app = create_app(speed=200)
    more = {"options": NEBIUS} if "nebius" in path else {"model": "gpt-4.1-mini-2025-04-14"}
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(app)))
        url = stack.enter_context(injector.serve())
        injector.on("POST", r"/fine_tuning/jobs$", DropAfter())
        plan = bridge.plan(
            write_chats(tmp_path / "t.jsonl"), provider="openai_compatible",
            base_url=f"{url}/{path}", allow_unknown_cost=True, **more,
        )  # fmt: skip
        assert bridge.submit(plan).wait().state is State.SUCCEEDED
    assert len(app.state.store.jobs) == 1


@pytest.mark.parametrize(
    ("named", "lies"), [("../../evil.txt", "evil.txt"), ("a/..", None), ("", None)]
)
def test_a_file_cannot_leave_its_folder(
    bridge: ftbridge.Bridge, tmp_path: Path, named: str, lies: str | None
) -> None:
    app = create_app(speed=200)
    with serve(app) as url:
        plan = bridge.plan(
            write_chats(tmp_path / "t.jsonl"), provider="openai_compatible", options=NEBIUS,
            base_url=f"{url}/nebius/v1", allow_unknown_cost=True,
        )  # fmt: skip
        job = bridge.submit(plan)
        job.wait()
        job.checkpoints()  # makes their files, which are renamed here
        for file in app.state.store.files.values():
            if file.purpose == "fine-tune-results":
                file.filename = named
        out = tmp_path / "deep" / "er" / "out"
        if lies is None:
            with pytest.raises(OperationFailed):
                job.download(out)
        else:
            job.download(out)
            assert {path.name for path in out.iterdir()} == {lies, "README.md"}


def test_a_422_is_read(bridge: ftbridge.Bridge) -> None:
    with serve(create_app()) as url:
        place = connect(base_url=f"{url}/nebius/v1", **NEBIUS)
        sent = {"model": LLAMA, "training_file": "file-1", "hyperparameters": {"lora_r": 4}}
        with pytest.raises(VendorError) as caught:
            place.create(sent, KEY)
        assert caught.value.status == 422
        assert "body.hyperparameters.lora_r" in caught.value.message
        with pytest.raises(VendorError) as caught:
            place.get("ftjob-none")
        assert caught.value.status == 404 and "ftjob-none" in caught.value.message


def test_a_key_in_a_header_of_its_own(
    bridge: ftbridge.Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('key_header = "x-key"\n' + (FOLDER / "plain.toml").read_text())
    with serve(create_app(key_header="x-key")) as url:
        assert all(c.ok for c in connect(base_url=f"{url}/v1", profile=str(path)).doctor())
        refused = connect(base_url=f"{url}/v1").doctor()[-1]
        assert refused.name == "access" and refused.ok is False
        monkeypatch.setenv("OPENAI_COMPATIBLE_API_KEY", "wrong")
        with pytest.raises(CredentialsError):
            connect(base_url=f"{url}/v1", profile=str(path)).get("x")


def test_without_an_address_or_a_model(
    bridge: ftbridge.Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(write_chats(tmp_path / "t.jsonl"))
    asked = ["plan", data, "--provider", "openai_compatible", "--json"]
    assert run([*asked, "--base-url", "http://127.0.0.1:9/v1"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["where"] == "model"
    assert run([*asked, "--model", "any"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["where"] == "base_url"
    excluded = bridge.compare(data).excluded
    assert any(x.provider == "openai_compatible" and "--model" in x.reason for x in excluded)
