"""The likelihood of a given answer, against plain transformers and against the training loss."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from ftbridge.testing.tiny_model import build  # noqa: E402
from ftbridge_trainer.errors import TrainerError  # noqa: E402
from ftbridge_trainer.generate import Generator  # noqa: E402
from ftbridge_trainer.likelihood import mean_log_likelihood  # noqa: E402

PROMPT = [{"role": "system", "content": "Sort."}, {"role": "user", "content": "where is the card"}]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


def plainly(folder: Path, answer: str) -> float:
    """The whole text through the model, the answer's tokens summed by hand."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    head = tokenizer.apply_chat_template(PROMPT, add_generation_prompt=True, tokenize=False)
    start = tokenizer(head, add_special_tokens=False).input_ids
    ids = tokenizer(f"{head}{answer}<|im_end|>", add_special_tokens=False).input_ids
    with torch.inference_mode():
        scores = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    found = [float(scores[i - 1, ids[i]]) for i in range(len(start), len(ids))]
    return sum(found) / len(found)


@pytest.mark.parametrize("answer", ["card_arrival", "x", "the card \n is here, \n and gone"])
def test_is_what_transformers_says(tiny: Path, answer: str) -> None:
    generator = Generator(tiny, compute_dtype="float32")
    ours = mean_log_likelihood(generator, PROMPT, answer)
    assert ours == pytest.approx(plainly(tiny, answer), abs=1e-4) and ours < 0


def test_an_earlier_answer_does_not_count(tiny: Path) -> None:
    generator = Generator(tiny, compute_dtype="float32")
    turns = [*PROMPT, {"role": "assistant", "content": "here"}, {"role": "user", "content": "and?"}]
    alone = mean_log_likelihood(generator, turns, "no")
    assert alone != mean_log_likelihood(generator, PROMPT, "no")


def test_a_row_that_is_too_long(tiny: Path) -> None:
    with pytest.raises(TrainerError, match="the model reads 256"):
        mean_log_likelihood(Generator(tiny), PROMPT, "word " * 400)
