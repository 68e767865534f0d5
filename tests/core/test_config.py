"""Settings: which wins, what a wrong one answers, and who may read the home."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

import ftbridge
from ftbridge.cli import run
from ftbridge.config import Config


def _write(folder: Path, text: str, name: str = "config.toml") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_flags_then_environment_then_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    _write(home, '[providers.openai]\na = "home"\nb = "home"\nc = "home"\nd = "home"\n')
    _write(project, '[providers.openai]\na = "project"\nb = "project"\nc = 3\n', "ftbridge.toml")
    monkeypatch.setenv("FTBRIDGE_OPENAI_A", "environment")
    monkeypatch.setenv("FTBRIDGE_OPENAI_B", "environment")
    found = Config(home, project).provider_options("openai", {"a": "flag"})
    assert found == {"a": "flag", "b": "environment", "c": "3", "d": "home"}


def test_home_by_flag_then_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_HOME", str(tmp_path / "e"))
    assert Config().home == tmp_path / "e"
    assert Config(tmp_path / "f").home == tmp_path / "f"


@pytest.mark.parametrize(
    "text",
    [
        "a = [",
        "price = 3",
        "[price]\nusd = 1",
        "[[price]]\nusd = 1",
        "[[price]]\nprovider='openai'\nmodel='*'\nitem='x'\nunit='y'\nusd=-1",
        "providers = 3",
        "[providers]\nopenai = 3",
        "\ufeff\x00",
    ],
)
def test_a_wrong_setting_is_wrong_usage(
    text: str, closed_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(closed_world, text)
    data = tmp_path / "d.jsonl"
    row = '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n'
    data.write_text(row * 12)
    assert run(["compare", str(data)]) == 2
    assert "error" in capsys.readouterr().err


def test_only_the_owner_reads_the_home(closed_world: Path) -> None:
    bridge = ftbridge.Bridge()
    assert bridge.jobs() == []
    assert stat.S_IMODE(closed_world.stat().st_mode) == 0o700
    for path in closed_world.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    bridge.ledger.close()


def test_a_home_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(["jobs", "--home", str(tmp_path / "file")]) == 2
    assert "--home" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "0"])
def test_a_pinned_day_that_is_none(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", text)
    with pytest.raises(ftbridge.UsageError):
        ftbridge.Bridge().prices.rows[0].stale  # noqa: B018


def test_the_longest_provider_name_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FTBRIDGE_OPENAI_COMPATIBLE_BASE_URL", "http://other/v1")
    monkeypatch.setenv("FTBRIDGE_OPENAI_POLL_SECONDS", "2")
    config = Config(tmp_path, project=tmp_path)
    assert config.provider_options("openai", {}) == {"poll_seconds": "2"}
    assert config.provider_options("openai_compatible", {}) == {"base_url": "http://other/v1"}
