"""The documents say what the code is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import ftbridge
from ftbridge.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_changelog_and_package_have_one_version() -> None:
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest, "no version in CHANGELOG.md"
    assert newest[1] == ftbridge.__version__


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert re.search(rf"ftbridge {name}\b|`{name}\b", text), f"no page speaks of `{name}`"


def test_every_provider_has_a_folder_an_extra_and_a_catalogue() -> None:
    from ftbridge import registry

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for provider in registry.all_providers():
        assert provider.extra in project["optional-dependencies"]
        assert provider.catalogue().provider == provider.name
        assert provider.catalogue().methods or provider.catalogue().nothing


def test_nothing_names_a_place_outside() -> None:
    outside = ("/".join(("", "work", "")), "../" + "shared")
    for folder in ("ftbridge", "providers", "local_backend", "examples", "docs", "script"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".md", ".toml", "") and path.is_file():
                text = path.read_text("utf-8", errors="replace")
                assert not any(name in text for name in outside), path
