"""A provider of another distribution: the guide shows its very files, ftbridge finds it by its
entry point, and it passes the public suite."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from .guide_page import PAGE, ROOT, filled, shown

FOLDER = ROOT / "examples" / "third_party_provider"


def _run(*command: str | Path, **env: str) -> str:
    """Run from the distribution's folder, in a clean environment; returns stdout."""
    kept = {name: os.environ[name] for name in ("PATH", "FTBRIDGE_HOME") if name in os.environ}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=FOLDER, env=kept | env
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def _listed(python: Path | str, **env: str) -> None:
    """The core knows it: its row, its model under the family, its format, its price."""
    ftbridge = (python, "-m", "ftbridge")
    rows = json.loads(_run(*ftbridge, "providers", "--json", **env))["providers"]
    (row,) = [row for row in rows if row["provider"] == "lathe"]
    assert (row["methods"], row["adapters"], row["installed"]) == (["sft"], ["lora"], True)
    assert row["install_hint"] == "pip install 'ftbridge-lathe'"
    family = _run(*ftbridge, "models", "--family", "llama-3.1-8b-instruct", "--json", **env)
    models = json.loads(family)["models"]
    assert ("lathe", "lathe/llama-8b") in {(each["provider"], each["model"]) for each in models}
    data = ROOT / "examples" / "customer_support" / "train.jsonl"
    plan = json.loads(_run(*ftbridge, "plan", data, "--provider", "lathe", "--json", **env))
    assert plan["allowed"] and plan["usd"]["high"] > 0
    checked = _run(
        *ftbridge, "check", data, "--structure-only", "--provider", "lathe", "--json", **env
    )
    assert json.loads(checked)["errors"] == []


def test_the_guide_shows_the_files_as_they_are() -> None:
    text = PAGE.read_text("utf-8")
    assert filled(text) == text, "run: python tests/examples/guide_page.py"
    tracked = {path.relative_to(ROOT).as_posix() for kind in ("py", "toml")
               for path in FOLDER.rglob(f"*.{kind}")
               if not any(part.startswith((".", "build")) for part in path.parts)}  # fmt: skip
    assert set(shown(text)) == tracked


def test_a_page_with_an_old_block_is_found_out() -> None:
    old = "<!-- file: examples/third_party_provider/pyproject.toml -->\n```toml\nold\n```\nend\n"
    assert "ftbridge-lathe" in filled(old) and filled(old).endswith("```\nend\n")


def test_found_by_its_entry_point_and_conforming(tmp_path: Path) -> None:
    """By path: what an installation of the wheel would write, without pip."""
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text("utf-8"))["project"]
    info = tmp_path / "ftbridge_lathe-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    groups = project["entry-points"].items()
    (info / "entry_points.txt").write_text(
        "\n".join(f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items())
                  for group, points in groups)
    )  # fmt: skip
    path = f"{tmp_path}{os.pathsep}{FOLDER}"
    _listed(sys.executable, PYTHONPATH=path)
    said = _run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                "-c", FOLDER / "pyproject.toml", PYTHONPATH=path)  # fmt: skip
    assert "passed" in said and "failed" not in said


@pytest.mark.long
@pytest.mark.timeout(600)
def test_installed_by_pip(tmp_path: Path) -> None:
    """The built wheel, without its dependencies, beside the ftbridge that is installed here."""
    target, source = tmp_path / "site", tmp_path / "source"
    shutil.copytree(FOLDER, source)  # a build leaves files in its folder
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--no-deps", "--target", target, source)
    assert (target / "ftbridge_lathe" / "py.typed").exists()
    _listed(sys.executable, PYTHONPATH=str(target))
    said = _run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                "-c", FOLDER / "pyproject.toml", PYTHONPATH=str(target))  # fmt: skip
    assert "passed" in said and "failed" not in said
