"""The library as an application meets it."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge import errors

ERRORS = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception)]


def test_all_is_what_there_is() -> None:
    assert sorted(ftbridge.__all__) == ftbridge.__all__
    for name in ftbridge.__all__:
        assert getattr(ftbridge, name).__name__ == name
    assert {e.__name__ for e in ERRORS} <= set(ftbridge.__all__)
    assert set(dir(ftbridge)) == {*ftbridge.__all__, "__version__"}
    with pytest.raises(AttributeError):
        _ = ftbridge.NoSuchThing


def test_each_exit_code_has_a_documented_exception() -> None:
    drawn = str(errors.__doc__)
    assert {e.exit_code for e in ERRORS} == {1, 2, 3, 4, 5}
    for kind in ERRORS:
        line = next(line for line in drawn.splitlines() if f" {kind.__name__} " in f" {line} ")
        if kind is not errors.FtbridgeError:
            assert f" {kind.exit_code} " in line
        assert kind.__doc__
    codes = [kind.default_code for kind in ERRORS]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_survive_a_pickle(kind: type[errors.FtbridgeError]) -> None:
    made = kind("what", hint="next", where="there", code="own")
    if isinstance(made, errors.VendorError):
        made.status, made.request_id = 429, "req_1"
    back = pickle.loads(pickle.dumps(made))
    assert type(back) is kind
    assert (back.to_dict(), str(back)) == (made.to_dict(), "what")


def test_eight_threads_on_one_bridge(
    vendor: Account, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bridge = ftbridge.Bridge()
    paths = [write_chats(tmp_path / f"set{number}.jsonl") for number in range(8)]

    def go(path: Path) -> ftbridge.Job:
        return bridge.submit(bridge.plan(path, provider="openai")).wait(0.05)

    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(go, paths))
    assert len({job.id for job in jobs}) == 8
    assert {job.row.remote_id for job in jobs} == set(vendor.store.jobs)
    assert len(vendor.store.jobs) == len(vendor.uploaded()) == 8
    assert capfd.readouterr() == ("", "")
    bridge.ledger.close()


def test_eight_threads_with_the_same_plan_make_one_job(vendor: Account, tmp_path: Path) -> None:
    vendor.reset(speed=0.5)
    bridge = ftbridge.Bridge()
    plan = bridge.plan(write_chats(tmp_path / "a.jsonl"), provider="openai")
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda _: bridge.submit(plan), range(8)))
    assert len({job.id for job in jobs}) == 1
    assert len(vendor.store.jobs) == len(vendor.uploaded()) == 1
    bridge.ledger.close()


def test_again_after_the_end(vendor: Account, tmp_path: Path) -> None:
    bridge = ftbridge.Bridge()
    plan = bridge.plan(write_chats(tmp_path / "a.jsonl"), provider="openai")
    first = bridge.submit(plan).wait(0.05)
    with pytest.raises(ftbridge.UsageError) as ended:
        bridge.submit(plan)
    assert "--again" in ended.value.hint
    second = bridge.submit(plan, again=True)
    assert second.id != first.id
    assert (len(vendor.store.jobs), len(vendor.uploaded())) == (2, 1)
    bridge.ledger.close()


def test_a_job_and_its_model(vendor: Account, tmp_path: Path) -> None:
    bridge = ftbridge.Bridge()
    job = bridge.submit(bridge.plan(write_chats(tmp_path / "a.jsonl"), provider="openai"))
    question = [{"role": "user", "content": "a 3"}]
    assert job.wait(0.05).chat(question).text == "yes"
    assert bridge.model(job.id).chat(question).text == "yes"
    assert bridge.model(f"openai:{job.model}").chat(question).text == "yes"
    assert bridge.job(job.id[:8]).id == job.id
    with pytest.raises(ftbridge.UsageError):
        bridge.job("job_zzz")
    bridge.ledger.close()


@pytest.mark.parametrize(
    "wrong",
    [{"provider": "opnai"}, {"method": "magic"}, {"adapter": "x"}, {"privacy": "x"},
     {"n_epoch": 3}, {"n_epochs": 0}, {"lora_r": 8}, {"max_usd": "-1"}, {"max_usd": "nan"}],
)  # fmt: skip
def test_wrong_wishes(wrong: dict[str, object], tmp_path: Path) -> None:
    wishes: dict[str, object] = {"provider": "openai"} | wrong
    with pytest.raises(ftbridge.UsageError) as caught:
        ftbridge.Bridge().plan(write_chats(tmp_path / "a.jsonl"), **wishes)  # type: ignore[arg-type]
    assert caught.value.hint


def test_a_near_name_is_offered() -> None:
    with pytest.raises(ftbridge.UsageError) as caught:
        ftbridge.Bridge().provider("opnai")
    assert "`openai`" in caught.value.hint
