"""The exit path: the same data and spec elsewhere, and what retires when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from crash.conftest import write_model
from emulated import Account, write_chats

import ftbridge
from ftbridge import registry
from ftbridge.catalogue import Catalogue
from ftbridge.cli import run
from ftbridge.jobs.move import Move
from ftbridge.jobs.retirements import destination, endings
from ftbridge.jobs.spec import Method
from ftbridge.jobs.submit import submit

TODAY = "2026-11-25"


@pytest.fixture
def bridge(vendor: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[ftbridge.Bridge]:
    monkeypatch.setenv("FTBRIDGE_NOW", TODAY)
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def done(bridge: ftbridge.Bridge, path: Path, **wishes: Any) -> ftbridge.Job:
    return bridge.submit(bridge.plan(path, provider="openai", **wishes)).wait(0.05)


@pytest.fixture
def job(bridge: ftbridge.Bridge, tmp_path: Path) -> ftbridge.Job:
    path = write_chats(tmp_path / "train.jsonl")
    return done(bridge, path, learning_rate_multiplier=0.5, n_epochs=2, seed=7, tags={"a": "b"})


def named(moved: Move) -> dict[str, Any]:
    return {change.name: change for change in moved.changes}


# -- move --------------------------------------------------------------------------------------


def test_the_same_family_elsewhere(bridge: ftbridge.Bridge, job: ftbridge.Job) -> None:
    moved = bridge.move(job.id, to="azure_openai")
    spec, old = moved.plan.spec, job.plan.spec
    assert (spec.model, spec.training.sha256) == (old.model, old.training.sha256)
    assert (spec.hyperparameters, spec.seed, spec.tags) == (old.hyperparameters, 7, {"a": "b"})
    assert set(named(moved)) == {"usd"}
    usd = named(moved)["usd"]
    assert usd.before["high"] == float(job.plan.usd.high or 0) and usd.before["billed"] > 0
    assert usd.after["high"] > 1, "hosting is in it"


def test_what_has_no_counterpart_is_named_and_left_out(
    bridge: ftbridge.Bridge, job: ftbridge.Job
) -> None:
    moved = bridge.move(job.id, to="mistral")
    changes = named(moved)
    assert moved.plan.spec.hyperparameters.given() == {"n_epochs": 2}
    rate = changes["learning_rate_multiplier"]
    assert (rate.code, rate.before, rate.after) == ("hyperparameter", 0.5, None)
    assert "--learning-rate" in rate.note
    assert "learning_rate" not in json.dumps(moved.plan.payload), "a multiplier is no rate"
    assert (changes["seed"].before, changes["seed"].after) == (7, None)
    assert changes["model"].after == moved.plan.spec.model != job.plan.spec.model
    assert "--model" in changes["model"].note


def test_what_is_said_now_wins(bridge: ftbridge.Bridge, job: ftbridge.Job) -> None:
    moved = bridge.move(
        job.id, to="mistral", model="ministral-8b-latest", n_epochs=4, learning_rate=1e-4,
        allow_unknown_cost=True,
    )  # fmt: skip
    given = moved.plan.spec.hyperparameters.given()
    assert given == {"n_epochs": 4, "learning_rate": 1e-4}
    changes = named(moved)
    assert (changes["n_epochs"].before, changes["n_epochs"].after) == (2, 4)
    assert changes["learning_rate"].note == "as asked"
    assert changes["usd"].after["high"] is None and "not known" in changes["usd"].note
    with pytest.raises(ftbridge.UsageError):  # asked for now, so that it is not left out quietly
        bridge.move(job.id, to="mistral", seed=9)
    with pytest.raises(ftbridge.UsageError):
        bridge.move(job.id, to="mistral", learning_rate_multiplier=0.5)


def test_out_of_range_there(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    job = done(bridge, write_chats(tmp_path / "a.jsonl"), batch_size=256)
    catalogue = registry.load("fireworks").catalogue()
    assert "batch_size" in catalogue.hyperparameters[Method.SFT]
    moved = bridge.move(job.id, to="fireworks", allow_unknown_cost=True, allow_lossy=True)
    bound = catalogue.hyperparameters[Method.SFT]["batch_size"].max
    kept = moved.plan.spec.hyperparameters.batch_size
    assert kept == (256 if bound is None or bound >= 256 else None)
    assert ("batch_size" in named(moved)) is (kept is None)


def test_losses_are_changes(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    path = tmp_path / "weights.jsonl"
    rows = (
        {"messages": [
            {"role": "user", "content": f"first {n}"},
            {"role": "assistant", "name": "helper", "content": "no", "weight": 0},
            {"role": "user", "content": "again"},
            {"role": "assistant", "content": "yes", "weight": 1},
        ]}
        for n in range(12)
    )  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    job = done(bridge, path)
    moved = bridge.move(job.id, to="mistral")
    losses = {change.name: change.after for change in moved.changes if change.code == "loss"}
    assert losses == {loss.code: loss.count for loss in moved.plan.losses}
    assert losses and moved.plan.refusal and moved.plan.refusal.code == "lossy"


def test_data_that_has_moved_or_changed(
    bridge: ftbridge.Bridge, job: ftbridge.Job, tmp_path: Path
) -> None:
    path, elsewhere = tmp_path / "train.jsonl", tmp_path / "kept.jsonl"
    path.rename(elsewhere)
    with pytest.raises(ftbridge.DataError) as gone:
        bridge.move(job.id, to="azure_openai")
    assert gone.value.code == "moved_data" and "--data FILE" in gone.value.hint
    assert named(bridge.move(job.id, to="azure_openai", data=elsewhere)).keys() == {"usd"}
    write_chats(path, "another")
    with pytest.raises(ftbridge.DataError) as changed:
        bridge.move(job.id, to="azure_openai")
    assert "changed" in changed.value.message
    other = named(bridge.move(job.id, to="azure_openai", data=path))
    assert other["training"].code == "data"
    path.write_text("{nope\n")
    with pytest.raises(ftbridge.DataError) as spoilt:
        bridge.move(job.id, to="azure_openai")
    assert spoilt.value.code == "moved_data"


def test_validation_goes_along(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    path = write_chats(tmp_path / "split.jsonl", count=60)
    job = done(bridge, path, validation=0.2)
    moved = bridge.move(job.id, to="azure_openai")
    assert moved.plan.spec.validation == job.plan.spec.validation is not None
    Path(moved.plan.spec.validation.path).unlink()
    with pytest.raises(ftbridge.DataError) as gone:
        bridge.move(job.id, to="azure_openai")
    assert "--validation FILE" in gone.value.hint


def test_a_graded_job_and_its_options(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    path, grader = tmp_path / "rl.jsonl", {
        "type": "string_check", "name": "same", "operation": "eq",
        "input": "{{sample.output_text}}", "reference": "{{item.reference}}",
    }  # fmt: skip
    rows = ({"messages": [{"role": "user", "content": f"q {n}"}], "reference": "yes"}
            for n in range(60))  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    plan = bridge.plan(
        path, provider="openai", method="rl", grader=grader, validation=0.2,
        allow_unknown_cost=True, options={"reasoning_effort": "low"},
    )  # fmt: skip
    job = bridge.submit(plan)
    moved = bridge.move(job.id, to="azure_openai", allow_unknown_cost=True)
    assert (moved.plan.spec.method, moved.plan.spec.grader) == ("rl", plan.spec.grader)
    effort = named(moved)["reasoning_effort"]
    assert (effort.code, effort.before, effort.after) == ("option", "low", None)
    assert "openai alone" in effort.note
    with pytest.raises(ftbridge.Unsupported):
        bridge.move(job.id, to="mistral")


def test_what_may_not_leave_is_not_moved(
    bridge: ftbridge.Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = bridge.plan(
        write_chats(tmp_path / "a.jsonl"), provider="local", privacy="restricted",
        model=str(write_model(tmp_path / "base")),
    )  # fmt: skip
    monkeypatch.setattr(bridge.provider("local").__class__, "require_ready", lambda self: None)
    job_id, _ = submit(plan, bridge.provider("local"), bridge.ledger, again=False, cap=None)
    moved = bridge.move(job_id, to="openai")
    assert moved.plan.refusal and moved.plan.refusal.exit_code == 5
    with pytest.raises(ftbridge.PolicyRefused):
        bridge.submit(moved.plan)


def test_nowhere_to_go(bridge: ftbridge.Bridge, job: ftbridge.Job) -> None:
    with pytest.raises(ftbridge.UsageError) as same:
        bridge.move(job.id, to="openai")
    assert "--model" in same.value.hint
    within = bridge.move(job.id, to="openai", model="gpt-4.1")
    assert set(named(within)) == {"model", "usd"}
    with pytest.raises(ftbridge.UsageError):
        bridge.move(job.id, to="opnai")


def test_a_moved_job_remembers_where_it_came_from(
    bridge: ftbridge.Bridge, job: ftbridge.Job
) -> None:
    moved = bridge.move(job.id, to="openai", model="gpt-4.1")
    made = bridge.submit(moved.plan)
    assert made.row.parent_job == job.id == made.to_dict()["parent_job"]
    assert bridge.job(made.id).plan.parent_job == job.id
    assert job.to_dict()["parent_job"] is None


def test_the_command_plans_and_only_then_does(
    bridge: ftbridge.Bridge, job: ftbridge.Job, vendor: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(*args: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = run(["move", job.id, "--to", *args, "--json"])
        return code, json.loads(capsys.readouterr().out)

    code, said = ask("openai", "--model", "gpt-4.1", "--n-epochs", "3", "--option", "a=b c")
    assert (code, said["error"]["where"]) == (2, "option")
    code, said = ask("openai", "--model", "gpt-4.1", "--n-epochs", "3")
    assert code == 0 and said.keys() == {"from", "to", "plan", "changes", "submit"}
    assert said["from"]["job"] == job.id and said["to"]["model"] == "gpt-4.1-2025-04-14"
    line = f"ftbridge move {job.id} --to openai --model gpt-4.1 --n-epochs 3 --submit"
    assert said["submit"] == line
    assert {"code", "name", "from", "to", "note"} == said["changes"][0].keys()
    assert len(vendor.store.jobs) == 1
    code, said = ask("openai", "--model", "gpt-4.1", "--submit")
    assert (code, said["error"]["where"]) == (2, "--yes"), "nobody is there to be asked"
    code, said = ask("openai", "--model", "gpt-4.1", "--yes", "--max-usd", "0.000001")
    assert (code, said["error"]["code"]) == (5, "budget")
    code, said = ask("openai", "--model", "gpt-4.1", "--max-usd", "0.000001")
    assert (code, said["error"]["code"], said["plan"]["allowed"]) == (5, "budget", False)
    assert len(vendor.store.jobs) == 1
    code, said = ask("openai", "--model", "gpt-4.1", "--yes", "--watch")
    assert (code, said["parent_job"], said["provider"]) == (0, job.id, "openai")
    code, said = ask("openai", "--model", "gpt-4.1", "--yes")
    assert (code, said["error"]["code"], len(vendor.store.jobs)) == (2, "already_ended", 2)
    code, said = ask("openai", "--model", "gpt-4.1", "--yes", "--again")
    assert (code, said["state"] != "succeeded", len(vendor.store.jobs)) == (0, True, 3)


# -- retirements ---------------------------------------------------------------------------------


def test_everything_that_ends_is_listed_by_date(
    bridge: ftbridge.Bridge, job: ftbridge.Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nano = "gpt-4.1-nano-2025-04-14"
    monkeypatch.setenv("FTBRIDGE_NOW", f"{TODAY}T01:00:00Z")  # made after the first
    second = done(bridge, write_chats(tmp_path / "b.jsonl"), model=nano)
    found = [item.to_dict() for item in bridge.retirements()]
    assert [(item["job"], item["what"], item["date"]) for item in found] == [
        (second.id, "model", "2026-10-23"),
        (job.id, "service", "2027-01-06"),
        (second.id, "service", "2027-01-06"),
        (job.id, "model", "2027-01-14"),
    ]
    assert [item["days"] for item in found] == [-33, 42, 42, 50]
    assert all(item["source"] and item["as_of"] and item["message"] for item in found)
    assert found[1]["model"] == job.model and found[1]["base_model"] == job.row.model
    assert found[1]["move"] == f"ftbridge move {job.id} --to azure_openai"
    assert [item.days for item in bridge.retirements(within=45)] == [-33, 42, 42]
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-01-01")
    assert bridge.retirements(within=30) == []
    with pytest.raises(ftbridge.UsageError):
        bridge.retirements(within=-1)


def test_the_command_that_it_gives_works(
    bridge: ftbridge.Bridge, job: ftbridge.Job, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["retirements", "--within", "400", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["retirements"]
    words = rows[0]["move"].split()
    assert words[0] == "ftbridge" and run([*words[1:], "--json"]) == 0


def test_jobs_without_a_model_retire_nothing(
    bridge: ftbridge.Bridge, vendor: Account, tmp_path: Path
) -> None:
    vendor.reset(speed=0.2)
    job = bridge.submit(bridge.plan(write_chats(tmp_path / "a.jsonl"), provider="openai"))
    assert len(bridge.retirements()) == 2
    job.cancel()
    assert bridge.retirements() == []


def _catalogue(name: str, *models: dict[str, Any], **more: Any) -> Catalogue:
    source = {"source": "a page", "as_of": "2026-11-01"}
    closing = more.pop("closing", None)
    return Catalogue.model_validate({
        "provider": name, "title": name, "as_of": "2026-11-01", "limits": {"source": "a page"},
        "hyperparameters": {"sft": {}},
        "models": [source | {"methods": ["sft"]} | row for row in models],
        "closing": closing and source | {"message": "it closes", "closed_after": closing},
    } | more)  # fmt: skip


def test_the_better_place_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", TODAY)
    old = _catalogue("old", {"model": "m", "family": "f"}, {"model": "new", "default": True})
    same = _catalogue("same", {"model": "its-m", "family": "f"})
    other = _catalogue("other", {"model": "x"})
    dying = _catalogue("dying", {"model": "f-there", "family": "f"}, closing="2027-06-01")

    def best(*others: Catalogue, at: Catalogue = old) -> Any:
        return destination("old", "m", Method.SFT, {c.provider: c for c in (at, *others)})

    assert best(other, same, dying) == ("same", None)
    assert best(other, dying) == ("old", "new"), "what dies is no place to move to"
    alone = _catalogue("old", {"model": "m", "family": "f"})
    assert best(other, dying, at=alone) == ("other", None)
    assert best(dying, at=alone) == ("dying", None)
    assert best(at=alone) is None
    assert destination("old", "m", Method.DPO, {"old": old, "same": same}) is None


def test_every_kind_of_end() -> None:
    row = {"model": "m", "closed_after": "2027-03-01", "ends": "2027-04-01"}
    found = endings(_catalogue("p", row, closing="2027-05-01"), "m")
    assert [(end.what, end.day) for end in found] == [
        ("tuning", date(2027, 3, 1)),
        ("model", date(2027, 4, 1)),
        ("service", date(2027, 5, 1)),
    ]
    assert endings(_catalogue("p", {"model": "m"}), "any") == []


@pytest.mark.parametrize(("day", "said"), [("2026-01-14", True), ("2026-01-13", False)])
def test_a_plan_warns_a_year_before_the_model_dies(
    day: str, said: bool, tmp_path: Path, vendor: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", day)
    plan = ftbridge.Bridge().plan(write_chats(tmp_path / "a.jsonl"), provider="openai")
    assert any("stop answering on 2027-01-14" in text for text in plan.warnings) is said
