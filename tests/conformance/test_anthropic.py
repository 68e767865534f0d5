"""Anthropic, which trains nothing, in the public suite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bedrock_sandbox import account

from ftbridge import Bridge
from ftbridge.cli import run
from ftbridge.provider import Context, Provider
from ftbridge.testing.refusal import TrainsNothing
from ftbridge_anthropic import Provider as AnthropicProvider


@pytest.mark.usefixtures("_signed_out")
class TestAnthropic(TrainsNothing):
    @pytest.fixture
    def provider(self, tmp_path: Path) -> Provider:
        return AnthropicProvider(Context(tmp_path))


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "none.jsonl", "--provider", "anthropic"],
        ["submit", "none.jsonl", "--provider", "anthropic", "--method", "rl", "--n-epochs", "2"],
    ],
)
def test_the_command_line_says_so(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--json"]) == 4
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "unsupported" and "2026-11-24" in error["message"]
    assert "2026-09-10" in error["hint"]


@pytest.fixture
def _signed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
                 "AWS_BEARER_TOKEN_BEDROCK"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


@pytest.mark.usefixtures("_signed_out")
def test_doctor_and_providers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "anthropic", "--json"]) == 4
    (check,) = json.loads(capsys.readouterr().out)["checks"]
    assert check["ok"] is False and "Bedrock" in check["hint"]
    assert run(["providers", "anthropic", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["providers"]
    assert (row["methods"], row["adapters"], row["operations"]) == ([], [], [])
    assert row["nothing"] and row["installed"]
    assert run(["providers", "anthropic"]) == 0
    assert "no fine-tuning" in capsys.readouterr().out


def test_nothing_of_it_is_in_the_price_book() -> None:
    assert not [row for row in Bridge().prices.rows if row.provider == "anthropic"]


def test_with_aws_credentials_bedrock_is_asked_what_holds_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claude = "anthropic.claude-3-haiku-20240307-v1:0:200k"
    with account() as served:
        store = served.reset()
        for name, value in served.env(tmp_path).items():
            monkeypatch.setenv(name, value)
        provider = AnthropicProvider(Context(tmp_path, {"region": "us-east-1"}))
        refusal, today = provider.doctor()
        assert refusal.ok is False
        assert today.ok is False and claude in today.message and "2026-09-10" in today.message
        store.lifecycles[claude] = {"status": "ACTIVE"}
        assert provider.doctor()[1].ok is True
        elsewhere = AnthropicProvider(Context(tmp_path)).doctor()[1]
        assert elsewhere.ok is None and "could not be asked" in elsewhere.message
