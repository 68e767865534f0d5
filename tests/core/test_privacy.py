"""What may leave this machine, and that nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.files import sha256_of
from ftbridge.policy import (
    CheckedStage,
    CheckedUpload,
    Destination,
    Privacy,
    check_stage,
    check_upload,
    decide,
)

AWAY = Destination("openai", "me", None, "https://api.openai.com/v1", True)
HERE = Destination("local", "me", None, "here", False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_chats(tmp_path / "train.jsonl")


@pytest.mark.parametrize("privacy", Privacy)
def test_only_restricted_stays(privacy: Privacy) -> None:
    assert decide(privacy, AWAY).allowed is (privacy is not Privacy.RESTRICTED)
    assert decide(privacy, HERE).allowed


def test_restricted_data_opens_no_connection(vendor: Account, data: Path) -> None:
    restricted = ["--privacy", "restricted"]
    assert run(["submit", str(data), "--provider", "openai", "--yes", *restricted]) == 5
    assert run(["plan", str(data), "--provider", "openai", *restricted]) == 5
    assert run(["compare", str(data), *restricted]) == 0
    assert vendor.store.requests == []


def test_restricted_data_is_allowed_here(data: Path) -> None:
    found = ftbridge.Bridge().compare(data, privacy="restricted")
    assert {offer.provider for offer in found.offers} <= {"local"}
    assert any(item.provider == "openai" for item in found.excluded)


def test_a_checked_upload_cannot_be_made_by_hand(data: Path) -> None:
    for mint in (None, object(), "mint"):
        with pytest.raises(TypeError):
            CheckedUpload(mint, data, "0", "training", AWAY, "rule")
        with pytest.raises(TypeError):
            CheckedStage(mint, [])


def test_checking_refuses_by_label_and_by_content(data: Path) -> None:
    sha256 = sha256_of(data)
    good = check_upload(data, sha256, "training", Privacy.INTERNAL, AWAY)
    assert good.destination == AWAY
    with pytest.raises(ftbridge.PolicyRefused):
        check_upload(data, sha256, "training", Privacy.RESTRICTED, AWAY)
    data.write_text("another")
    with pytest.raises(ftbridge.DataError, match="changed since it was checked"):
        good.open()
    with pytest.raises(ftbridge.DataError, match="changed"):
        check_upload(data, sha256, "training", Privacy.INTERNAL, AWAY)


def test_a_stage_has_one_destination(data: Path) -> None:
    sha256 = sha256_of(data)
    two = [check_upload(data, sha256, "training", Privacy.PUBLIC, to) for to in (AWAY, HERE)]
    with pytest.raises(ftbridge.PolicyRefused):
        check_stage(two)


def test_a_file_changed_after_the_plan_is_not_sent(vendor: Account, data: Path) -> None:
    bridge = ftbridge.Bridge()
    plan = bridge.plan(data, provider="openai")
    write_chats(data, "something else")
    with pytest.raises(ftbridge.DataError, match="changed"):
        bridge.submit(plan)
    assert [r for r in vendor.store.requests if r.method == "POST"] == []
    bridge.ledger.close()


def test_the_vendor_sees_no_path_and_no_name(vendor: Account, tmp_path: Path) -> None:
    bridge = ftbridge.Bridge()
    secret = write_chats(tmp_path / "project-bluebird.jsonl", "q")
    bridge.submit(bridge.plan(secret, provider="openai"))
    assert "bluebird" not in str([r.body for r in vendor.store.requests])
    bridge.ledger.close()
