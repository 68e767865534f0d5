"""Calling data back: gone at each vendor's emulator, read back, proven; a failure is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, point

import ftbridge
from ftbridge import registry
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.ledger.deployments import ModelKey
from ftbridge.testing.faults import Answers
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve

from .conftest import Ask, label, rows


@pytest.fixture
def ended(vendor: Account, data: Path, ask: Ask) -> str:
    """A job that has succeeded."""
    said = ask("submit", data, "--provider", "openai", "--yes", "--watch")
    assert said.code == 0, said
    return str(said.json["job"])


def test_what_was_deleted_is_read_back_and_proven(
    vendor: Account, ended: str, ask: Ask, closed_world: Path
) -> None:
    assert len(vendor.uploaded()) == 1 and list((closed_world / "payloads").iterdir())
    said = ask("purge", ended)
    assert said.code == 0 and vendor.uploaded() == []
    assert [item["verified"] for item in said.json["purged"]] == [True]
    assert list((closed_world / "payloads").iterdir()) == []
    proof = ask("egress", "list", "--job", ended).json["entries"][-1]
    assert (proof["action"], proof["rule"]) == ("deleted", "purge")
    assert proof["remote_id"] == said.json["purged"][0]["file"]
    assert ask("egress", "verify").code == 0


@pytest.mark.parametrize("status", [403, 500, 200])
def test_a_vendor_that_does_not_delete_is_told(
    vendor: Account, ended: str, ask: Ask, status: int
) -> None:
    body = b'{"id": "file-1", "object": "file", "deleted": true}' if status == 200 else b"{}"
    vendor.injector.on("DELETE", r"/files/", Answers(status, body=body), times=None)
    said = ask("purge", ended)
    assert (said.code, said.json["error"]["code"]) == (1, "not_deleted")
    assert said.json["purged"] == [] and len(said.json["not_deleted"]) == 1
    assert len(vendor.uploaded()) == 1
    assert ask("egress", "list", "--job", ended).json["entries"][-1]["action"] == "not_deleted"
    vendor.injector.heal()
    assert ask("purge", ended).code == 0 and vendor.uploaded() == []


def test_one_failure_leaves_the_other_file_no_longer_there(
    vendor: Account, data: Path, project: Path, ask: Ask
) -> None:
    other = project / "valid.jsonl"
    other.write_text(rows("other"))
    args = ["--provider", "openai", "--yes", "--watch", "--validation", other]
    job = ask("submit", data, *args).json["job"]
    assert len(vendor.uploaded()) == 2
    vendor.injector.on("DELETE", r"/files/", Answers(403, body=b"{}"))
    said = ask("purge", job)
    assert said.code == 1 and len(said.json["purged"]) == len(said.json["not_deleted"]) == 1
    assert len(vendor.uploaded()) == 1


def test_the_model_goes_by_choice(vendor: Account, ended: str, ask: Ask) -> None:
    model = ask("status", ended).json["model"]
    assert ask("purge", ended).json["model"] is None
    assert vendor.store.deleted_models == set()
    said = ask("purge", ended, "--model")
    assert said.code == 0 and said.json["model"]["file"] == model
    assert vendor.store.deleted_models == {model}


def test_replies_of_its_evaluations_go_too(
    vendor: Account, ended: str, project: Path, closed_world: Path, ask: Ask
) -> None:
    held = project / "held.jsonl"
    held.write_text(rows("quite another question", 3))
    assert ask("eval", held, "--model", ended, "--baseline", "base").code == 0
    kept = list((closed_world / "eval").rglob("*.json"))
    assert kept and all(path.stat().st_mode & 0o077 == 0 for path in kept)
    assert ask("purge", ended).json["replies"] == len(kept)
    assert list((closed_world / "eval").rglob("*.json")) == []


# -- retention -----------------------------------------------------------------------------------


@pytest.fixture
def retention(project: Path) -> Path:
    path = project / "ftbridge.toml"
    path.write_text('[policy]\nretention = "7d"\n')
    return path


def test_retention_purges_by_itself(
    vendor: Account, retention: Path, data: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-11-25T12:00:00Z")
    job = ask("submit", data, "--provider", "openai", "--yes").json["job"]
    ask("watch", job)
    retention.unlink()  # what held at the plan holds on: a file that has gone denies, it frees not
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-12-02T11:59:00Z")
    assert ask("watch").code == 0 and len(vendor.uploaded()) == 1
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-12-02T12:01:00Z")
    said = ask("watch")
    assert said.code == 0 and "7d" in said.err and vendor.uploaded() == []
    proof = ask("egress", "list", "--job", job).json["entries"][-1]
    assert (proof["action"], proof["rule"]) == ("deleted", "retention 7d")
    assert ask("watch").err == ""


def test_no_time_at_all_purges_at_the_end(
    vendor: Account, retention: Path, data: Path, ask: Ask
) -> None:
    retention.write_text('[policy]\nretention = "0d"\n')
    said = ask("submit", data, "--provider", "openai", "--yes", "--watch")
    assert said.code == 0 and vendor.uploaded() == []


def test_retention_that_fails_is_said_and_tried_again(
    vendor: Account, retention: Path, data: Path, ask: Ask
) -> None:
    retention.write_text('[policy]\nretention = "0d"\n')
    vendor.injector.on("DELETE", r"/files/", Answers(403, body=b"{}"), times=None)
    said = ask("submit", data, "--provider", "openai", "--yes", "--watch")
    assert said.code == 0 and "could not be deleted in time" in said.err
    vendor.injector.heal()
    ask("watch")
    assert vendor.uploaded() == []


def test_a_shorter_time_now_counts(vendor: Account, retention: Path, data: Path, ask: Ask) -> None:
    assert ask("submit", data, "--provider", "openai", "--yes", "--watch").code == 0
    assert len(vendor.uploaded()) == 1
    retention.write_text('[policy]\nretention = "0d"\n')
    ask("watch")
    assert vendor.uploaded() == []


# -- every vendor --------------------------------------------------------------------------------

REHEARSED = [name for name in registry.names() if registry.load(name).sandbox() is not None]


@pytest.fixture
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A provider's emulator, and nothing else, behind a proxy."""
    sandbox = registry.load(request.param).sandbox()
    assert sandbox is not None
    with ExitStack() as stack:
        upstream = stack.enter_context(serve(sandbox.app(200.0, 0.0)))
        injector = Injector(upstream)
        url = stack.enter_context(injector.serve())
        variables = sandbox.variables(url)
        for name, value in variables.items():  # what the sandbox serves beside it: an S3
            if value.startswith("http://127.0.0.1:") and not value.startswith(url):
                beside = Injector(value, injector.rules, injector.requests)
                variables[name] = stack.enter_context(beside.serve())
        point(monkeypatch, variables)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # boto3 looks for keys there
        monkeypatch.setenv(f"FTBRIDGE_{request.param.upper()}_SETTLE_SECONDS", "0.1")
        monkeypatch.setenv(f"FTBRIDGE_{request.param.upper()}_POLL_SECONDS", "0.05")
        yield request.param, injector


@pytest.mark.long
@pytest.mark.parametrize("place", REHEARSED, indirect=True)
def test_purge_at_every_vendor(place: tuple[str, Injector], data: Path, ask: Ask) -> None:
    name, injector = place
    args = ["--provider", name, "--yes", "--allow-lossy", "--allow-unknown-cost", "--n-epochs", "1"]
    said = ask("submit", data, *args)
    if said.code == 2:  # a vendor that lets nobody choose the epochs
        said = ask("submit", data, *args[:-2])
    assert said.code == 0, said
    job = said.json["job"]
    assert ask("watch", job).code == 0
    if not registry.load(name).supports("purge"):
        assert ask("purge", job).code == 4
        return
    for method, path in (("DELETE", r""), ("POST", r"/batch$")):  # a bucket deletes by batch
        injector.on(method, path, Answers(403, body=b"{}"), times=None)
    failed = ask("purge", job)
    assert (failed.code, failed.json["error"]["code"]) == (1, "not_deleted"), failed
    injector.heal()
    done = ask("purge", job)
    assert done.code == 0 and done.json["purged"], done
    assert all(item["verified"] is True for item in done.json["purged"]), done.json
    actions = [entry["action"] for entry in ask("egress", "list", "--job", job).json["entries"]]
    assert actions[-1] == "deleted" and "not_deleted" in actions
    assert ask("egress", "verify").code == 0


def test_what_a_vendor_cannot_delete_is_said_before(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openai = registry.load("openai")
    monkeypatch.setattr(openai, "absent", {**openai.absent, "purge": "OpenAI keeps every file"})
    plan = ftbridge.Bridge().plan(data, provider="openai")
    assert any("OpenAI keeps every file" in text for text in plan.warnings)
    label(data, "confidential")
    monkeypatch.setattr(openai, "absent", {**openai.absent, "delete_model": "the model stays"})
    plan = ftbridge.Bridge().plan(data, provider="openai")
    assert any("the model stays" in text for text in plan.warnings)


def test_a_deployed_model_is_told_and_the_files_go(
    vendor: Account, ended: str, ask: Ask, closed_world: Path
) -> None:
    row = ftbridge.Bridge(closed_world).job(ended).row
    ledger = Ledger(closed_world)
    account = ftbridge.Bridge(closed_world).provider("openai").account
    ledger.deployments.begin(
        ModelKey("openai", account, str(row.result_model), row.model, row.id), 0
    )
    ledger.close()
    said = ask("purge", ended, "--model")
    assert said.code == 1 and "is deployed" in said.json["error"]["message"]
    assert len(said.json["purged"]) == 1 and vendor.uploaded() == []
    assert vendor.store.deleted_models == set()
