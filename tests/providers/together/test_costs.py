"""What a job is estimated at: by training type, with evaluations, packed or not.

Prices: together.ai/blog of 2026-09-11 (Qwen3.5-9B, LoRA: SFT 0.34, DPO 0.84 USD per million).
Rules: docs.together.ai/docs/fine-tuning/pricing (read 2026-11-24).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from together_world import Vendor, spec

import ftbridge
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.jobs.plan import Plan

TOKENS = TokenCount(low=1_000_000, high=2_000_000, n_epochs=3, grade="estimated", counter="c")


def lines(together: Vendor, **changes: Any) -> dict[str, Quantity]:
    made = together.connect().billing(spec(**changes), TOKENS)
    return {line.name: line for line in made}


def test_training_is_billed_by_its_type_and_hosting_is_named(together: Vendor) -> None:
    for adapter in ("lora", "full"):
        made = lines(together, adapter=adapter)
        assert set(made) == {"training", "hosting"}
        assert (made["training"].low, made["training"].high) == (3, 6)
        assert made["training"].tier == adapter
        assert made["hosting"].low is None and not made["hosting"].training


def test_evaluations_are_bounded_by_the_bytes_of_the_file(together: Vendor) -> None:
    held_out = spec().training.model_copy(update={"bytes": 500_000})
    made = lines(together, validation=held_out, options={"n_evals": "4"})["evaluation"]
    assert (made.low, made.high) == (0, 2)
    assert "evaluation" not in lines(together, validation=held_out)


def test_without_packing_each_row_is_as_long_as_the_longest(together: Vendor) -> None:
    unpacked = {"packing": "false"}
    made = lines(together, options=unpacked | {"max_seq_length": "1000"})["training"]
    assert made.low == made.high == Decimal(12 * 3 * 1000) / 1_000_000
    assert lines(together, options=unpacked)["training"].low == Decimal(12 * 3 * 65536) / 1_000_000
    assert lines(together, model="acme/none", options=unpacked)["training"].low is None


def plan(together: Vendor, rows: list[Any], **wishes: Any) -> Plan:
    data = together.home / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bridge = ftbridge.Bridge(together.home / "home")
    return bridge.plan(data, provider="together", base_url=together.url, **wishes)


@pytest.mark.parametrize(("method", "price"), [("sft", "0.34"), ("dpo", "0.84")])
def test_the_published_prices(together: Vendor, method: str, price: str) -> None:
    say = {"user": {"role": "user", "content": "a"}, "yes": {"role": "assistant", "content": "b"}}
    row: dict[str, Any] = {"messages": list(say.values())}
    if method == "dpo":
        row = {"prompt": [say["user"]], "chosen": [say["yes"]],
               "rejected": [say["yes"] | {"content": "c"}]}  # fmt: skip
    made = plan(together, [row] * 10, method=method)
    (training,) = made.usd.lines
    assert training.unit_price == Decimal(price) and made.usd.unknown == ("hosting",)
    assert made.tokens.n_epochs == 1 and made.refusal is None
    unknown = plan(together, [row] * 10, method=method, adapter="full")
    assert unknown.usd.low is None and unknown.refusal is not None
    assert unknown.refusal.code == "unknown_cost"
    assert together.tape.exchanges == []  # a plan asks nobody


def test_the_vendor_s_price_is_asked_before_the_job_and_holds_the_limit(together: Vendor) -> None:
    """The emulator has a price of its own; over ``max_usd`` no job is made."""
    bridge = ftbridge.Bridge(together.home / "home")
    made = plan(together, [_chat("a")] * 12)
    job = bridge.submit(made)
    spec = made.spec
    kept = bridge.ledger.quotes.of("together", made.account, spec.model, spec.training.sha256)
    assert len(kept) == 1 and job.row.remote_id
    other = plan(together, [_chat("b")] * 12)
    tight = other.model_copy(update={"max_usd": str(kept[0].usd / 2)})
    with pytest.raises(ftbridge.BudgetRefused, match="asks"):
        bridge.submit(tight)
    last = bridge.jobs()[0]
    assert (last.state, last.row.remote_id, last.row.error["code"]) == (
        "cancelled", None, "over_budget",
    )  # fmt: skip
    bridge.ledger.close()


def _chat(text: str) -> dict[str, Any]:
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": "yes"}]
    return {"messages": turns}


def test_validation_data_that_nothing_uses_is_warned_of(together: Vendor) -> None:
    held_out = spec().training
    provider = together.connect()
    assert "n_evals" in provider.explain(spec(validation=held_out))[0]
    assert provider.explain(spec(validation=held_out, options={"n_evals": "2"})) == []
