"""Each extra stands alone: the built wheel with one of them, in an environment that holds no other
vendor's SDK, passes that vendor's whole suite."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ftbridge import registry

ROOT = Path(__file__).parents[2]
EXTRAS = sorted({"openai", "together", "mistral", "fireworks"} & set(registry.names()))
RUNNER = ("pytest", "pytest-timeout", "hypothesis")
pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]
FOREIGN = """
import importlib.util, sys
print(*(name for name in sys.argv[1:] if "." not in name and importlib.util.find_spec(name)))
"""


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "HOME") or name.startswith(("OMP_", "PIP_"))}  # fmt: skip
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=cwd, env=kept
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What would be published."""
    out = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", out, ROOT)
    (made,) = out.glob("ftbridge-*.whl")
    return made


@pytest.fixture(scope="module")
def tests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests without the sources beside them: what is imported is the wheel's."""
    folder = tmp_path_factory.mktemp("tests")
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_alone_passes_its_whole_suite(
    extra: str, wheel: Path, tests: Path, tmp_path: Path
) -> None:
    _run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    # sandbox: our own emulators, no vendor's package
    _run(*pip, "-c", ROOT / "constraints.txt", f"{wheel}[{extra},sandbox]", *RUNNER)
    own = set(registry.load(extra).sdk)
    others = {sdk for name in registry.names() for sdk in registry.load(name).sdk} - own
    # These are no vendor's: some SDKs bring them along.
    assert not set(_run(python, "-c", FOREIGN, *sorted(others)).split()) - {
        "httpx",
        "httpx2",
        "zstandard",
        "filelock",
    }
    places = (f"tests/providers/{extra}", f"tests/conformance/test_{extra}.py")
    found = [place for place in places if (tests / place).exists()]
    assert len(found) == len(places)
    said = _run(python, "-m", "pytest", "-p", "no:cacheprovider", *found, cwd=tests)
    passed = re.search(r"(\d+) passed", said)
    assert passed and int(passed[1]) >= 60, said[-500:]
