"""A job that has ended at the vendor before we have adopted it still has its model and its bill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.jobs.ledger.jobs import Jobs


def test_model_and_bill_are_known(
    vendor: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    (job,) = bridge.jobs()
    job.resume()
    assert (str(job.state), len(vendor.store.jobs)) == ("succeeded", 1)
    assert job.model and job.model.startswith("ft:")
    assert job.row.billed_tokens and job.row.billed_micro is not None
    assert job.chat([{"role": "user", "content": "train 3"}]).text == "yes"
    bridge.ledger.close()
