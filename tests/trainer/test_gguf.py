"""GGUF files, proven by reading them back: same logits, same answers, same tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge_trainer.errors import TrainerError
from ftbridge_trainer.gguf_vocabulary import _cut
from ftbridge_trainer.to_gguf import TOLERANCES, _rotation_factors, to_gguf

torch = pytest.importorskip("torch")
gguf = pytest.importorskip("gguf")
SIZES: dict[str, Any] = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "initializer_range": 0.2,
    "dtype": "float32",
}  # fmt: skip
FAMILIES = ("Llama", "Mistral", "Qwen2", "Qwen3")


def build(folder: Path, family: str, tokenizer: Any, **more: Any) -> Path:
    import transformers

    torch.manual_seed(3)
    sizes = SIZES | {"vocab_size": len(tokenizer) + 5} | more
    config = getattr(transformers, f"{family}Config")(**sizes)
    model = getattr(transformers, f"{family}ForCausalLM")(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "norm" in name:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)  # or none would show
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def answer(model: Any, ids: list[int], count: int = 12) -> list[int]:
    with torch.no_grad():
        for _ in range(count):
            ids = [*ids, int(model(torch.tensor([ids])).logits[0, -1].argmax())]
    return ids


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_read_back_it_gives_the_same_answers(
    tmp_path: Path, tokenizer: Any, family: str, tied: bool
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    more = {"head_dim": 128} if family == "Qwen3" else {}
    folder = build(tmp_path / "model", family, tokenizer, tie_word_embeddings=tied, **more)
    assert to_gguf(folder, tmp_path / "out" / "m.gguf", "f32") < TOLERANCES["f32"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["m.gguf"]
    where = {"pretrained_model_name_or_path": tmp_path / "out", "gguf_file": "m.gguf"}
    read = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).eval()
    own = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    words = AutoTokenizer.from_pretrained(**where)
    for text in ("the card is here", "<|im_start|>user\nüß 12345 \n\n<|im_end|>"):
        ids = tokenizer(text).input_ids
        assert words(text).input_ids == ids
        assert answer(read, ids) == answer(own, ids)
    assert words.chat_template == tokenizer.chat_template
    assert words.eos_token_id == tokenizer.eos_token_id


@pytest.mark.parametrize("kind", ["f16", "bf16", "q8_0"])
def test_fewer_bits(tmp_path: Path, tokenizer: Any, kind: str) -> None:
    folder = build(tmp_path / "model", "Llama", tokenizer)
    off = to_gguf(folder, tmp_path / "m.gguf", kind)
    assert 0 < off < TOLERANCES[kind]
    stored = {
        tensor.name: tensor.tensor_type.name
        for tensor in gguf.GGUFReader(tmp_path / "m.gguf").tensors
    }
    assert stored["blk.0.attn_q.weight"] == kind.upper() and stored["output_norm.weight"] == "F32"


def test_a_file_that_differs_is_not_kept(
    tmp_path: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = build(tmp_path / "model", "Llama", tokenizer)
    monkeypatch.setattr("ftbridge_trainer.to_gguf._reordered", lambda data, heads: data)
    with pytest.raises(TrainerError, match="logits differ"):
        to_gguf(folder, tmp_path / "m.gguf", "f32")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_cannot_be_written(tmp_path: Path, tokenizer: Any) -> None:
    folder = build(tmp_path / "model", "Llama", tokenizer)
    with pytest.raises(TrainerError, match="no GGUF of q9"):
        to_gguf(folder, tmp_path / "m.gguf", "q9")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["GPT2LMHeadModel"]}))
    with pytest.raises(TrainerError, match="GPT2LMHeadModel cannot be written"):
        to_gguf(folder, tmp_path / "m.gguf")


def test_what_cannot_be_proven_is_not_kept(tmp_path: Path, tokenizer: Any) -> None:
    folder = build(tmp_path / "model", "Qwen3", tokenizer, head_dim=32)
    with pytest.raises(TrainerError, match="so it is unproven"):
        to_gguf(folder, tmp_path / "m.gguf")
    assert not (tmp_path / "m.gguf").exists()


SPLIT = r"(?i:'s)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+"


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ({"type": "ByteLevel"}, "gpt-2"),
        ({"pretokenizers": [{"type": "Digits", "individual_digits": True}, {"type": "ByteLevel"}]},
         "smollm"),
        ({"pretokenizers": [{"type": "Split", "pattern": {"Regex": SPLIT % r"\p{N}{1,3}"}}]},
         "llama-bpe"),
        ({"pretokenizers": [{"type": "Split", "pattern": {"Regex": SPLIT % r"\p{N}"}}]}, "qwen2"),
        ({"type": "Split", "pattern": {"Regex": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}]*"}}, "tekken"),
    ],
)  # fmt: skip
def test_how_text_is_cut(rule: dict[str, Any], name: str) -> None:
    assert _cut(rule) == name
    with pytest.raises(TrainerError, match="rule for cutting text"):
        _cut({"type": "Whitespace"})


def test_llama_31s_rotation_is_that_of_transformers() -> None:
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    given = {"rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0,
             "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}  # fmt: skip
    config = LlamaConfig(hidden_size=512, num_attention_heads=4, rope_parameters=given)
    theirs, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
    plain = 1 / (500_000.0 ** (torch.arange(0, 128, 2) / 128))
    ours = torch.tensor(_rotation_factors(config.to_dict()))
    torch.testing.assert_close(plain / ours, theirs.float(), rtol=1e-4, atol=0)
    assert _rotation_factors({"rope_theta": 1e4}) is None
    with pytest.raises(TrainerError, match="yarn"):
        _rotation_factors({"rope_scaling": {"rope_type": "yarn"}})
