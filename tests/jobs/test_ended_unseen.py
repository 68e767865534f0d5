"""A job that has ended at the vendor before we have adopted it still has its model and its bill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.jobs.ledger.jobs import Jobs


@pytest.fixture
def unseen(
    vendor: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ftbridge.Job]:
    """A submit that was killed after its create; the vendor has long ended the job."""

    class Kill(BaseException):
        pass

    def kill(self: Jobs, *args: Any) -> None:
        raise Kill

    bridge = ftbridge.Bridge()
    plan = bridge.plan(write_chats(tmp_path / "train.jsonl"), provider="openai")
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "adopt", kill)
        with pytest.raises(Kill):
            bridge.submit(plan)
    vendor.pass_time(10_000)
    yield bridge.jobs()[0]
    bridge.ledger.close()


def test_model_and_bill_are_known(unseen: ftbridge.Job, vendor: Account) -> None:
    job = unseen.resume()
    assert (str(job.state), len(vendor.store.jobs)) == ("succeeded", 1)
    assert job.model and job.model.startswith("ft:")
    assert job.row.billed_tokens and job.row.billed_micro is not None
    assert job.chat([{"role": "user", "content": "train 3"}]).text == "yes"


def test_a_person_who_resolves_it_gets_its_model(unseen: ftbridge.Job, vendor: Account) -> None:
    job = unseen.resolve(next(iter(vendor.store.jobs)))
    assert str(job.state) == "succeeded" and job.model and job.row.billed_micro is not None
