"""Weights of one's own at Bedrock: by the policy's leave, staged, served, and taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bedrock_sandbox import Account, account

import ftbridge
from ftbridge import clock
from ftbridge.errors import PolicyRefused, Unsupported, UsageError, VendorError
from ftbridge.provider import ChatRequest


@pytest.fixture(scope="module")
def _served() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture
def served(_served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    _served.reset()
    for name, value in _served.env(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clock, "sleep", lambda seconds: _served.pass_time(10))
    return _served


def weights(folder: Path, architecture: str = "LlamaForCausalLM") -> Path:
    """A folder in Hugging Face's layout."""
    folder.mkdir()
    (folder / "config.json").write_text(f'{{"architectures": ["{architecture}"]}}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    return folder


def stored(served: Account) -> list[str]:
    """What lies in the bucket."""
    found = served.objects.list_objects_v2(Bucket=served.bucket)
    return [item["Key"] for item in found.get("Contents", ())]


def test_a_folder_is_imported_asked_and_deleted(served: Account, tmp_path: Path) -> None:
    folder, bridge = weights(tmp_path / "model"), ftbridge.Bridge()
    model = bridge.import_weights(folder, provider="bedrock", name="mine", privacy="public")
    assert ":imported-model/" in model and stored(served) == []
    place = bridge.provider("bedrock")
    asked = ChatRequest([{"role": "user", "content": "hi"}])
    assert "imported" in place.chat(model, asked).text
    actions = [entry.action for entry in bridge.ledger.egress.entries()]
    assert actions == ["sending"] * 3 + ["sent"] * 3
    for _ in range(2):
        place.delete_model(model)
    assert all(each.deleted for each in served.store.imports.values())
    bridge.ledger.close()


def test_the_policy_keeps_weights_here_like_data(served: Account, tmp_path: Path) -> None:
    folder, bridge = weights(tmp_path / "model"), ftbridge.Bridge()
    with pytest.raises(PolicyRefused):
        bridge.import_weights(folder, provider="bedrock", name="mine", privacy="restricted")
    assert stored(served) == [] and not served.store.imports
    assert list(bridge.ledger.egress.entries()) == []
    bridge.ledger.close()


def test_what_is_no_model_is_refused_and_nothing_stays(served: Account, tmp_path: Path) -> None:
    bridge = ftbridge.Bridge()
    bare = weights(tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    with pytest.raises(UsageError, match="safetensors"):
        bridge.import_weights(bare, provider="bedrock", name="mine", privacy="public")
    odd = weights(tmp_path / "odd", "ParrotForCausalLM")
    with pytest.raises(VendorError, match="Parrot"):
        bridge.import_weights(odd, provider="bedrock", name="mine", privacy="public")
    with pytest.raises(UsageError, match="name"):
        bridge.import_weights(odd, provider="bedrock", name="two words", privacy="public")
    assert stored(served) == []
    with pytest.raises(Unsupported, match="no weights"):
        bridge.import_weights(odd, provider="anthropic", name="mine", privacy="public")
    bridge.ledger.close()
