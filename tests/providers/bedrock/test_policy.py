"""The README's least-privilege policy against the calls that the emulator records."""

from __future__ import annotations

from pathlib import Path

import pytest
from bedrock_policy import README, page, tour
from bedrock_sandbox import account


@pytest.mark.long
def test_the_policy_of_the_readme_allows_just_what_the_adapter_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with account() as served:
        served.reset()
        for name, value in served.env(tmp_path).items():
            monkeypatch.setenv(name, value)
        assert page(tour(served, tmp_path)) in README.read_text("utf-8")
