"""Several things wrong at once: the answer is the most useful one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run

USAGE = ["--max-usd", "much"]
USAGE_2 = ["--learning-rate-multiplier", "inf"]
USAGE_3 = ["--n-epochs", "5000"]
POLICY = ["--privacy", "restricted"]
BUDGET = ["--max-usd", "0.000001"]
CLOSED = "2027-01-07"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{nope\n")
    return {
        "good": write_chats(tmp_path / "good.jsonl"),
        "few": write_chats(tmp_path / "few.jsonl", count=2),
        "bad": bad,
        "none": tmp_path / "none.jsonl",
    }


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key, and nothing listens at the address."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    yield


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("data", "flags", "code"),
    [
        ("none", [*USAGE, *POLICY], 2),
        ("none", [*USAGE_2, *POLICY], 2),
        ("none", [*USAGE_3, *POLICY], 2),
        ("none", [*POLICY, "--privacy", "secret"], 2),
        ("none", [*POLICY, "--suffix", "x" * 80], 2),
        ("bad", [*POLICY, "--option", "nobody=knows"], 2),
        ("none", [*POLICY, *BUDGET], 5),
        ("bad", [*POLICY, "--model", "none-such"], 5),
        ("few", POLICY, 5),
        ("none", BUDGET, 3),
        ("bad", BUDGET, 3),
        ("few", BUDGET, 3),
        ("good", BUDGET, 5),
        ("good", [], 4),
    ],
)
def test_the_earlier_answer_wins(
    data: str, flags: list[str], code: int, files: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert run(["submit", str(files[data]), "--provider", "openai", "--yes", *flags]) == code
    assert "error" in capsys.readouterr().err


@pytest.mark.usefixtures("nobody")
def test_credentials_before_network(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = ftbridge.Bridge()
    plan = bridge.plan(files["good"], provider="openai")
    with pytest.raises(ftbridge.CredentialsError) as caught:
        bridge.submit(plan)
    assert "--provider local" in caught.value.hint
    assert bridge.jobs() == []
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sandbox")
    monkeypatch.setenv("FTBRIDGE_OPENAI_PATIENCE_SECONDS", "0")
    with pytest.raises(ftbridge.NetworkError) as unreached:
        bridge.submit(bridge.plan(files["good"], provider="openai"))
    assert "sk-sandbox" not in str(unreached.value.to_dict())
    bridge.ledger.close()


def test_a_refused_key_is_said_without_the_key(
    vendor: Account, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-and-private")
    bridge = ftbridge.Bridge()
    with pytest.raises(ftbridge.CredentialsError) as caught:
        bridge.submit(bridge.plan(files["good"], provider="openai"))
    assert "wrong-and" not in str(caught.value.to_dict())
    bridge.ledger.close()


# -- closing dates -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "code", "said"),
    [
        ("2026-05-01", None, ""),
        ("2026-11-24", None, "closing"),
        ("2027-01-06", None, "closing"),
        (CLOSED, "closed", "closing"),
    ],
)
def test_closing_at_the_vendor(
    day: str, code: str | None, said: str, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", day)
    plan = ftbridge.Bridge().plan(files["good"], provider="openai")
    assert (plan.refusal and plan.refusal.code) == code
    assert any("closing fine-tuning" in text for text in plan.warnings) is bool(said)
    if code:
        assert plan.refusal and plan.refusal.exit_code == 4
        with pytest.raises(ftbridge.ServiceClosed):
            ftbridge.Bridge().submit(plan)


def test_elsewhere_it_is_only_a_warning(
    vendor: Account, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", CLOSED)
    bridge = ftbridge.Bridge()
    plan = bridge.plan(files["good"], provider="openai")
    assert plan.allowed
    assert any("closing" in text for text in plan.warnings)
    assert bridge.submit(plan).row.remote_id
    bridge.ledger.close()


def test_a_model_that_has_ended(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, vendor: Account
) -> None:
    nano = "gpt-4.1-nano-2025-04-14"
    elsewhere = ftbridge.Bridge().plan(files["good"], provider="openai", model=nano)
    assert elsewhere.allowed and any(nano in text for text in elsewhere.warnings)
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-11-24")
    ended = ftbridge.Bridge().plan(files["good"], provider="openai", model=nano)
    assert ended.refusal and ended.refusal.code == "closed"
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-10-23")
    assert ftbridge.Bridge().plan(files["good"], provider="openai", model=nano).allowed
