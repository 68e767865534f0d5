"""The numbers: label shift, accumulation, packing, order, schedule, merge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ftbridge_trainer import batches, model, recipe
from ftbridge_trainer.batches import collate
from ftbridge_trainer.facts import DataFacts, Facts
from ftbridge_trainer.items import Example
from ftbridge_trainer.loop import accumulate, evaluate, learning_rate
from ftbridge_trainer.loss import token_nll

torch = pytest.importorskip("torch")
Load = Callable[[], Any]


def example(length: int, trained: range, seed: int) -> Example:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 290, (length,), generator=generator).tolist()
    return Example(f"t:{seed}", ids, [t in trained for t in range(length)])


EXAMPLES = [
    example(20, range(12, 20), 1),
    example(33, range(30, 33), 2),
    example(9, range(4, 9), 3),
    example(27, range(10, 14), 4),
    example(14, range(13, 14), 5),
]


def resolved(**keys: Any) -> recipe.Resolved:
    base = {"schema": 1, "model": "m", "train": "t", "adapter": "full", "max_length": 64}
    base |= {"compute_dtype": "fp32", "device": "cpu"}
    facts = Facts(data=DataFacts(33, 20, 5))
    return recipe.resolve(base | keys, len(EXAMPLES), 10**5, facts)


def gradients(load: Load, examples: list[Example], **keys: Any) -> tuple[float, list[Any]]:
    net = load()
    loss, _, _ = accumulate(net, resolved(**keys), examples)
    return loss, [p.grad.clone() for p in net.parameters()]


def test_the_loss_is_that_of_transformers(load: Load) -> None:
    net = load()
    ids = torch.zeros(len(EXAMPLES), 33, dtype=torch.long)
    labels = torch.full_like(ids, -100)
    mask = torch.zeros_like(ids)
    for r, e in enumerate(EXAMPLES):
        ids[r, : len(e.ids)] = torch.tensor(e.ids)
        mask[r, : len(e.ids)] = 1
        for t, trained in enumerate(e.trained):
            if trained:
                labels[r, t] = e.ids[t]
    theirs = net(input_ids=ids, attention_mask=mask, labels=labels).loss
    ours = token_nll(net, collate([[e] for e in EXAMPLES])).mean()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_first_trained_token_is_predicted_from_the_last_of_the_prompt() -> None:
    batch = collate([[EXAMPLES[0]]])
    assert batch.rows.tolist() == list(range(11, 19))
    assert batch.targets.tolist() == EXAMPLES[0].ids[12:20]


@pytest.mark.parametrize("count", [5, 3])  # a full window, and an epoch's partial last one
@pytest.mark.parametrize(
    "keys",
    [{"micro_batch_size": 1}, {"micro_batch_size": 2}, {"packing": True, "micro_batch_size": 1}],
)
def test_accumulated_gradients_equal_those_of_one_batch(
    load: Load, count: int, keys: dict[str, Any]
) -> None:
    examples = EXAMPLES[:count]
    loss, whole = gradients(load, examples, micro_batch_size=8)
    split_loss, split = gradients(load, examples, **keys)
    assert split_loss == pytest.approx(loss, rel=1e-5)
    torch.testing.assert_close(split, whole, rtol=1e-4, atol=1e-6)


def test_recomputed_activations_change_nothing(load: Load) -> None:
    _, plain = gradients(load, EXAMPLES)
    net = load()
    net.activation_checkpointing_enable({"use_reentrant": False})
    net.train()
    accumulate(net, resolved(), EXAMPLES)
    torch.testing.assert_close([p.grad for p in net.parameters()], plain)


def test_packed_examples_do_not_see_each_other(load: Load) -> None:
    net = load()
    with torch.no_grad():
        packed = token_nll(net, collate([EXAMPLES]))
        apart = torch.cat([token_nll(net, collate([[e]])) for e in EXAMPLES])
        padded = token_nll(net, collate([[e] for e in EXAMPLES]))
    torch.testing.assert_close(packed, apart, rtol=0, atol=1e-4)
    torch.testing.assert_close(padded, apart, rtol=0, atol=1e-4)
    assert model.packing_is_clean(net, "cpu")


def test_the_packing_check_notices_a_leak(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    net = load()
    honest = net.forward

    def leaky(**inputs: Any) -> Any:
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        return honest(**inputs)

    monkeypatch.setattr(net, "forward", leaky)
    assert not model.packing_is_clean(net, "cpu")


def test_packing_fills_rows_and_loses_nothing() -> None:
    lengths = [20, 33, 9, 27, 14]
    groups = batches.split_packed(lengths, 40)
    assert sorted(i for group in groups for row in group for i in row) == [0, 1, 2, 3, 4]
    assert all(sum(lengths[i] for i in group[0]) <= 40 for group in groups)
    assert len(groups) == 3


def test_every_epoch_holds_every_example_once_in_its_own_order() -> None:
    epochs = [
        [i for step in range(3 * e, 3 * e + 3) for i in batches.window(11, 4, 5, step)]
        for e in (0, 1)
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(11))
    assert epochs[0] != epochs[1]
    assert batches.window(11, 4, 5, 4) == batches.window(11, 4, 5, 4)
    assert len(batches.window(11, 4, 5, 2)) == 3


def test_the_learning_rate_warms_up_and_ends_near_zero() -> None:
    r = replace(resolved(learning_rate=1.0), total_steps=100, warmup_ratio=0.05)
    rates = [learning_rate(r, step) for step in range(100)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert 0 < rates[-1] < 1e-3
    assert learning_rate(replace(r, lr_scheduler="linear"), 52) == pytest.approx(48 / 95)
    assert learning_rate(replace(r, lr_scheduler="constant"), 99) == 1.0


def test_the_guard_lets_only_loopback_pass() -> None:
    import socket

    from ftbridge_trainer import guard

    guard.install()
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=2).close()
    for host in ("192.0.2.1", "example.invalid"):
        with pytest.raises(guard.NetworkRefused):
            socket.create_connection((host, 443), timeout=2)


def test_nf4_layers_keep_their_gradient_after_an_evaluation(model_dir: Path) -> None:
    pytest.importorskip("bitsandbytes")
    r = replace(resolved(adapter="qlora", lora_r=4), micro_batch_size=5)
    net = model.build(model_dir, r)
    accumulate(net, r, EXAMPLES)
    before = [p.grad.clone() for _, p in model.trainable(net)]
    evaluate(net, r, EXAMPLES)
    net.zero_grad()
    accumulate(net, r, EXAMPLES)
    torch.testing.assert_close([p.grad for _, p in model.trainable(net)], before, rtol=0, atol=0)
