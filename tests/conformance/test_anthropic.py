"""Anthropic, which trains nothing, in the public suite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.cli import run
from ftbridge.provider import Context, Provider
from ftbridge.testing.refusal import TrainsNothing
from ftbridge_anthropic import Provider as AnthropicProvider


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
