"""`ftbridge_trainer.generate` against transformers' own one-by-one greedy search, in fp32."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

from ftbridge_trainer.errors import TrainerError  # noqa: E402
from ftbridge_trainer.generate import Generator, _batches, _common_prefix  # noqa: E402

# peft 0.21.2 still asks transformers 5.24 for a name that it has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SYSTEM = {"role": "system", "content": "You sort the messages of a bank's customers by topic."}


def chat(text: str, *, system: bool = True) -> list[dict[str, Any]]:
    user = {"role": "user", "content": text}
    return [SYSTEM, user] if system else [user]


PROMPTS = [chat(t) for t in ("my card", "a pin", "my card", "lost it all", "x", "Grüße, 你好!")]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama over bytes; the end-of-turn token is not the tokenizer's eos."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    out = tmp_path_factory.mktemp("tiny")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="<|end|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        chat_template=TEMPLATE,
    )
    tokenizer.save_pretrained(out)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,  # bitsandbytes packs NF4 for the CPU in blocks of 64
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.4,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA whose B is not zero, so that it changes the answers."""
    out = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(1)
    base = transformers.LlamaForCausalLM.from_pretrained(tiny)
    settings = peft.LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    peft.get_peft_model(base, settings).save_pretrained(out)
    return out


def plain(path: Path, prompts: list[Any], limit: int, adapter: Path | None = None) -> list[str]:
    """The reference: one prompt at a time through transformers' `generate`."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    if adapter is not None:
        model = peft.PeftModel.from_pretrained(model, adapter)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    answers = []
    for prompt in prompts:
        text = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        ends = [end, tokenizer.eos_token_id]
        with torch.inference_mode():
            out = model.eval().generate(
                input_ids=ids, max_new_tokens=limit, do_sample=False, eos_token_id=ends
            )
        answers.append(tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))
    return answers


def test_equals_plain_greedy(tiny: Path) -> None:
    seen: dict[int, str] = {}
    generator = Generator(tiny, compute_dtype="float32")
    answers = generator.generate(PROMPTS, max_new_tokens=24, on_done=seen.__setitem__)
    assert [a.text for a in answers] == plain(tiny, PROMPTS, 24)
    assert seen == {i: a.text for i, a in enumerate(answers)}
    assert all(a.completion_tokens <= 24 and a.seconds > 0 for a in answers)
    assert all(a.finish_reason == "stop" or a.completion_tokens == 24 for a in answers)


def test_rows_without_a_shared_beginning(tiny: Path) -> None:
    prompts = [*PROMPTS, chat("no system turn here", system=False)]
    answers = Generator(tiny, compute_dtype="float32").generate(prompts, max_new_tokens=8)
    assert [a.text for a in answers] == plain(tiny, prompts, 8)


def test_adapter_is_merged_and_changes_nothing_else(tiny: Path, adapter: Path) -> None:
    generator = Generator(tiny, adapter, compute_dtype="float32")
    answers = [a.text for a in generator.generate(PROMPTS, max_new_tokens=16)]
    assert generator.merged
    assert answers == plain(tiny, PROMPTS, 16, adapter)
    assert answers != plain(tiny, PROMPTS, 16)


def test_adapter_stays_beside_a_bf16_base(tiny: Path, adapter: Path) -> None:
    generator = Generator(tiny, adapter, compute_dtype="bfloat16")
    answers = generator.generate(PROMPTS, max_new_tokens=4)
    assert not generator.merged
    assert len(answers) == len(PROMPTS)


@pytest.mark.parametrize("compute_dtype", ["float32", "bfloat16"])
def test_quantised_base_keeps_the_adapter_beside_it(
    tiny: Path, adapter: Path, compute_dtype: str
) -> None:
    pytest.importorskip("bitsandbytes")
    generator = Generator(tiny, adapter, compute_dtype=compute_dtype, quantize=True)
    kinds = {type(module).__name__ for module in generator._model.modules()}
    assert not generator.merged
    assert "Linear4bit" in kinds
    assert len(generator.generate(PROMPTS, max_new_tokens=4)) == len(PROMPTS)


def test_stops_at_the_template_end_of_turn(tiny: Path) -> None:
    """The end-of-turn token of the template is an end although the model's eos is another."""
    generator = Generator(tiny, compute_dtype="float32")
    names = generator._tokenizer.convert_ids_to_tokens(sorted(generator._ends))
    assert set(names) == {"<|im_end|>", "<|end|>"}
    first = generator.generate([PROMPTS[0]], max_new_tokens=4)[0]
    assert first.finish_reason == "length"
    ids = generator._encode(PROMPTS[0], None, 0)
    token = int(generator._forward([ids], None).logits[0, -1].argmax())
    generator._ends = frozenset({token})
    stopped = generator.generate([PROMPTS[0]], max_new_tokens=4)[0]
    assert (stopped.text, stopped.finish_reason, stopped.completion_tokens) == ("", "stop", 1)


def test_stream_joins_to_the_same_answer(tiny: Path) -> None:
    generator = Generator(tiny, compute_dtype="float32")
    pieces = list(generator.chat_stream(PROMPTS[3], 24))
    assert len(pieces) > 2
    assert "".join(pieces) == generator.generate([PROMPTS[3]], max_new_tokens=24)[0].text


def test_sampling_depends_on_the_seed_not_on_the_batch(tiny: Path) -> None:
    generator = Generator(tiny, compute_dtype="float32")

    def texts(seed: int, count: int) -> list[str]:
        found = generator.generate(PROMPTS[:count], max_new_tokens=8, temperature=1.0, seed=seed)
        return [a.text for a in found]

    assert texts(3, 6) == texts(3, 6)
    assert texts(3, 6)[:2] == texts(3, 2)
    assert texts(3, 6) != texts(4, 6)


def test_limits_and_errors(tiny: Path, tmp_path: Path) -> None:
    generator = Generator(tiny, compute_dtype="float32")
    assert generator.generate([], max_new_tokens=4) == []
    with pytest.raises(TrainerError, match="prompt 1 has"):
        generator.generate([chat("a"), chat("b" * 300)], max_new_tokens=4)
    near = generator.generate([chat("b" * 100)], max_new_tokens=500)[0]
    assert near.prompt_tokens + near.completion_tokens <= 256
    generator._tokenizer.chat_template = None
    with pytest.raises(TrainerError, match="no chat template"):
        generator.generate([chat("a")], max_new_tokens=4)
    with pytest.raises(TrainerError, match="no compute type"):
        Generator(tiny, compute_dtype="int3")


def test_prefix_and_batches() -> None:
    shared = list(range(20))
    assert _common_prefix([[*shared, 1], [*shared, 2, 3]]) == shared
    assert _common_prefix([shared, shared]) == shared[:-1]
    assert _common_prefix([[1, 2, 3], [1, 2, 4]]) == []
    rows = [[0] * n for n in [5] * 40 + [3]]
    batches = list(_batches(rows))
    assert sorted(i for batch in batches for i in batch) == list(range(41))
    assert [len(batch) for batch in batches] == [1, 16, 16, 8]


@pytest.mark.skipif("FTBRIDGE_TEST_MODEL" not in os.environ, reason="names a SmolLM2 directory")
@pytest.mark.timeout(300)
def test_equals_plain_greedy_on_smollm2() -> None:
    path = Path(os.environ["FTBRIDGE_TEST_MODEL"])
    folder = ROOT / "examples" / "customer_support"

    def turns(name: str) -> list[list[dict[str, Any]]]:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["messages"] for line in lines]

    shots = [turn for row in turns("fewshot.jsonl") for turn in row[1:]]
    prompts = [[row[0], *shots, row[1]] for row in turns("heldout.jsonl")[:10]]
    answers = Generator(path, compute_dtype="float32").generate(prompts, max_new_tokens=10)
    assert [a.text for a in answers] == plain(path, prompts, 10)


def test_prompts_reach_the_template_as_in_training(tiny: Path) -> None:
    """Parts are joined and arguments become objects once, so both sides read the same text."""
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    plain: list[dict[str, Any]] = [{"role": "user", "content": "the card"}]
    parts: list[dict[str, Any]] = [
        {
            "role": "user",
            "content": [{"type": "text", "text": "the "}, {"type": "text", "text": "card"}],
        }
    ]
    model = Generator(tiny, compute_dtype="float32")
    first, second = model.generate([plain, parts], max_new_tokens=4)
    assert (first.text, first.prompt_tokens) == (second.text, second.prompt_tokens)
    with_call: list[dict[str, Any]] = [
        *plain,
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]
    assert model.generate([[*with_call, *plain]], max_new_tokens=2)
