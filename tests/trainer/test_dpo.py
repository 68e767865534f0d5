"""Preferences and plain texts: the loss, its reference, whole runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ftbridge_trainer import recipe
from ftbridge_trainer.__main__ import main
from ftbridge_trainer.control import Control
from ftbridge_trainer.data import read_rows
from ftbridge_trainer.errors import TrainerError
from ftbridge_trainer.facts import DataFacts, Facts
from ftbridge_trainer.items import Example, Pair, cut
from ftbridge_trainer.loop import accumulate, evaluate, with_reference
from ftbridge_trainer.methods import Dpo, method_of
from ftbridge_trainer.render import Renderer

from .conftest import chat, read, read_lines, write_rows

torch = pytest.importorskip("torch")
Load = Callable[[], Any]
Run = Callable[..., Path]
BETA = 0.3


def answer(length: int, trained: int, seed: int) -> Example:
    ids = [(seed * 31 + i * 7) % 250 + 3 for i in range(length)]
    return Example(f"t:{seed}", ids, [i >= length - trained for i in range(length)])


PAIRS = [
    Pair(answer(20, 8, 1), answer(12, 4, 2)),
    Pair(answer(9, 2, 3), answer(31, 20, 4)),
    Pair(answer(15, 5, 5), answer(16, 6, 6)),
]


def resolved(**keys: Any) -> recipe.Resolved:
    base = {"schema": 1, "model": "m", "train": "t", "adapter": "full", "max_length": 64}
    base |= {"compute_dtype": "fp32", "device": "cpu", "method": "dpo", "beta": BETA}
    facts = Facts(data=DataFacts(31, 17, 7, parts=2))
    return recipe.resolve(base | keys, len(PAIRS), 10**5, facts)


def log_p(net: Any, example: Example) -> float:
    """By hand: one sequence, all logits, a loop over the trained tokens."""
    with torch.no_grad():
        logits = net(torch.tensor([example.ids])).logits[0].double().log_softmax(-1)
    marked = [t for t, trained in enumerate(example.trained) if trained]
    return float(sum(logits[t - 1, example.ids[t]] for t in marked))


def preference(question: str, chosen: str, rejected: str, **more: Any) -> dict[str, Any]:
    turns = {"chosen": chosen, "rejected": rejected}
    return {
        "prompt": [{"role": "user", "content": question}],
        **{key: [{"role": "assistant", "content": text}] for key, text in turns.items()},
        **more,
    }


def test_the_loss_is_the_papers(load: Load) -> None:
    net, tuned = load(), load()
    with torch.no_grad():
        for parameter in tuned.parameters():
            noise = torch.Generator().manual_seed(1)
            parameter.add_(torch.randn(parameter.shape, generator=noise), alpha=0.02)
    pairs = with_reference(net, resolved(), PAIRS)
    wanted, margins = 0.0, []
    for pair in pairs:
        now = log_p(tuned, pair.chosen) - log_p(tuned, pair.rejected)
        before = log_p(net, pair.chosen) - log_p(net, pair.rejected)
        assert isinstance(pair, Pair) and pair.reference == pytest.approx(before, abs=1e-4)
        margins.append(BETA * (now - before))
        wanted += math.log1p(math.exp(-margins[-1]))
    loss, measures, tokens = accumulate(tuned, resolved(), pairs)
    assert loss == pytest.approx(wanted / 3, abs=1e-4)
    assert measures["reward_margin"] == pytest.approx(sum(margins) / 3, abs=1e-4)
    assert measures["reward_accuracy"] == pytest.approx(sum(m > 0 for m in margins) / 3)
    assert tokens == sum(len(part.ids) for pair in pairs for part in pair.parts)
    assert evaluate(tuned, resolved(), pairs)[0] == pytest.approx(loss, abs=1e-5)


def test_before_the_first_step_nothing_is_preferred(load: Load) -> None:
    net = load()
    loss, measures, _ = accumulate(net, resolved(), with_reference(net, resolved(), PAIRS))
    assert loss == pytest.approx(math.log(2), abs=1e-5)
    assert measures["reward_margin"] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("layout", [{"packing": True}, {"micro_batch_size": 1}])
def test_layout_changes_nothing(load: Load, layout: dict[str, Any]) -> None:
    def gradients(**keys: Any) -> tuple[float, list[Any]]:
        net = load()
        made = resolved(micro_batch_size=3, packing=False)
        loss, _, _ = accumulate(net, replace(made, **keys), with_reference(net, made, PAIRS))
        return loss, [p.grad for p in net.parameters()]

    loss, want = gradients()
    other, got = gradients(**layout)
    assert other == pytest.approx(loss, abs=1e-5)
    for mine, theirs in zip(got, want, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


def test_a_long_pair_is_cut_in_both_answers() -> None:
    pair = cut(PAIRS[1], 12)
    assert isinstance(pair, Pair)
    assert (len(pair.chosen.ids), len(pair.rejected.ids)) == (9, 12)
    assert cut(PAIRS[1], 31) is PAIRS[1]
    with pytest.raises(TrainerError, match="none of them would be trained"):
        cut(PAIRS[1], 7)


def test_only_the_answers_are_trained(tokenizer: Any, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "p.jsonl", [preference("Is it?", "Yes indeed.", "No.")])
    (row,) = read_rows(file)
    pair = Dpo(0.1).item(Renderer(tokenizer), row)
    assert isinstance(pair, Pair)
    for part, said in ((pair.chosen, "Yes indeed."), (pair.rejected, "No.")):
        learnt = [i for i, trained in zip(part.ids, part.trained, strict=True) if trained]
        text = tokenizer.decode(learnt)
        assert text.startswith(said) and text != said  # and the end of the turn
    assert pair.chosen.ids[: part.trained.index(True)] == part.ids[: part.trained.index(True)]


def test_all_of_a_text_is_trained(tokenizer: Any, tmp_path: Path) -> None:
    (row,) = read_rows(write_rows(tmp_path / "t.jsonl", [{"text": "Once upon a time."}]))
    example = method_of("sft", None).item(Renderer(tokenizer), row)
    assert isinstance(example, Example)
    assert example.trained == [False] + [True] * (len(example.ids) - 1)
    assert example.ids[-1] == tokenizer.eos_token_id
    assert "Once upon a time." in tokenizer.decode(example.ids)


def test_data_of_another_kind_is_refused(new_run: Run) -> None:
    for name, method, row, said in (
        ("a", "sft", preference("a", "b", "c"), "train.jsonl:1: a preference"),
        ("b", "dpo", chat("a", "b"), "train.jsonl:1: no preference"),
        ("c", "dpo", {"chosen": [], "rejected": [], "prompt": []}, "no list of prompt"),
    ):
        run = new_run(name, method=method)
        write_rows(run / "train.jsonl", [row])
        assert main([str(run)]) == 1
        assert said in read(run / "status.json")["error"]["message"]


def test_beta_is_dpos_alone() -> None:
    with pytest.raises(TrainerError, match="beta is dpo's and rl's"):
        resolved(method="sft")
    assert resolved(beta=None).beta == 0.1
    assert resolved().learning_rate < resolved(method="sft", beta=None).learning_rate


def yes_rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        preference(f"Is card {i} here?", "Yes, it is.", "No, it is not.")
        for i in range(first, first + count)
    ]


@pytest.mark.parametrize("adapter", ["lora", "qlora", "full"])
def test_the_margin_rises_on_held_out_pairs(new_run: Run, adapter: str) -> None:
    rate = 0.002 if adapter == "full" else 0.02
    run = new_run(adapter, method="dpo", adapter=adapter, n_epochs=4, learning_rate=rate,
                  validation="valid.jsonl", eval_steps=1, lora_dropout=0.0)  # fmt: skip
    write_rows(run / "train.jsonl", yes_rows(12))
    write_rows(run / "valid.jsonl", yes_rows(4, 50))
    assert main([str(run)]) == 0
    rows = read_lines(run / "metrics.jsonl")
    assert rows[0]["loss"] == pytest.approx(math.log(2), abs=2e-3)
    assert rows[-1]["valid_reward_margin"] > max(0.5, 3 * rows[0]["valid_reward_margin"])
    assert rows[-1]["valid_reward_accuracy"] == 1.0
    assert read(run / "result.json")["valid_loss"] < 0.6


def test_paused_and_resumed_ends_bit_identical(
    new_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"method": "dpo", "n_epochs": 3, "checkpoint_steps": 2}
    runs = [new_run(name, **keys) for name in ("straight", "stopped")]
    for run in runs:
        write_rows(run / "train.jsonl", yes_rows(12))
    assert main([str(runs[0])]) == 0
    honest = Control.wanted
    with monkeypatch.context() as patch:
        patch.setattr(Control, "wanted", lambda self: "paused")
        main([str(runs[1])])
    assert read(runs[1] / "status.json")["state"] == "paused"
    assert Control.wanted is honest
    assert main([str(runs[1])]) == 0
    one, two = ((run / "adapter" / "adapter_model.safetensors").read_bytes() for run in runs)
    assert one == two
    losses = [[row["loss"] for row in read_lines(run / "metrics.jsonl")] for run in runs]
    assert losses[0] == losses[1]


def test_texts_are_learnt(new_run: Run) -> None:
    run = new_run(n_epochs=8, learning_rate=0.02, lora_dropout=0.0)
    write_rows(run / "train.jsonl", [{"text": f"The card {i} is here today."} for i in range(12)])
    assert main([str(run)]) == 0
    losses = [row["loss"] for row in read_lines(run / "metrics.jsonl")]
    assert losses[-1] < 0.6 * losses[0]
