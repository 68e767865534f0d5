"""The metric of likelihood: at a vendor it is refused with the way out, here it is paired."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ftbridge
from ftbridge.cli import run


def test_a_vendor_scores_no_given_answer(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path
) -> None:
    with pytest.raises(ftbridge.Unsupported, match="how likely a given answer") as caught:
        bridge.evaluate(held, model=job.id, metrics=["log_likelihood"])
    assert "local models" in caught.value.hint


def test_both_models_on_the_same_references(
    held: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    from ftbridge.testing.tiny_model import build

    base, other = build(tmp_path / "base"), build(tmp_path / "other")
    _disturb(other)
    words = ["eval", str(held), "--model", str(other), "--baseline", str(base), "--limit", "12",
             "--max-tokens", "2", "--metric", "log_likelihood"]  # fmt: skip
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["metrics"][0]
    assert told["unit"] == "nats a token" and told["tuned"]["value"] < 0
    low, high = told["difference"]["ci"]
    assert low <= told["difference"]["value"] <= high and told["difference"]["test"] == "sign"
    assert told["tuned"]["value"] - told["baseline"]["value"] == pytest.approx(
        told["difference"]["value"]
    )
    assert run(words) == 0
    out = capsys.readouterr().out
    assert "%" not in out.splitlines()[0] and "so many rows show a difference of" in out


def _disturb(folder: Path) -> None:
    """Weights that differ, so that the likelihoods do."""
    import torch
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    torch.manual_seed(1)
    weights = {name: w + 0.1 * torch.randn_like(w) for name, w in load_file(file).items()}
    save_file(weights, file, {"format": "pt"})
