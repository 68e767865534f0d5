"""The wheel in an environment of its own, and whether every extra still resolves together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel and its base dependencies, nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    _run(sys.executable, "-m", "venv", folder)
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet")
    _run(*pip, "-c", ROOT / "constraints.txt", ROOT)
    return folder / "bin"


def test_wheel_works_without_any_extra(bare: Path, tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home", "--json")
    data = ROOT / "examples" / "customer_support" / "train.jsonl"
    assert "Commands" in _run(bare / "ftbridge", "--help", cwd=tmp_path)
    rows = json.loads(_run(bare / "ftbridge", "providers", *home, cwd=tmp_path))["providers"]
    assert {row["provider"] for row in rows} >= {"local", "openai"}
    # who trains nothing (Anthropic) needs nothing either
    assert all(row["installed"] is not bool(row["methods"]) for row in rows)
    assert all(row["install_hint"] for row in rows if row["methods"])
    assert (
        json.loads(_run(bare / "ftbridge", "check", data, *home, cwd=tmp_path))["examples"] == 480
    )
    assert json.loads(_run(bare / "ftbridge", "compare", data, *home, cwd=tmp_path))["offers"]


def test_missing_extra_is_named(bare: Path, tmp_path: Path) -> None:
    data = ROOT / "examples" / "customer_support" / "train.jsonl"
    command = [
        bare / "ftbridge",
        "submit",
        data,
        "--provider",
        "local",
        "--home",
        tmp_path,
        "--json",
    ]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 4
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["hint"]) == ("not_installed", "pip install 'ftbridge[local]'")


def test_package_is_typed_and_carries_its_data(bare: Path) -> None:
    site = next(bare.parent.glob("lib/python*/site-packages"))
    for name in ("ftbridge", "ftbridge_local", "ftbridge_openai"):
        assert (site / name / "py.typed").exists()
    assert (site / "ftbridge_openai" / "prices.toml").exists()
    assert list((site / "ftbridge/jobs/ledger/migrations/versions").glob("0001_*.py"))


def test_all_extras_resolve_together(bare: Path) -> None:
    pip = (bare / "python", "-m", "pip", "install", "--quiet", "--dry-run")
    _run(*pip, "-c", ROOT / "constraints.txt", f"{ROOT}[all]")
