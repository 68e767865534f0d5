"""What an evaluation's calls cost, and that none is made that could pass the budget."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.evaluate.pricing import OURS, UNKNOWN, price_of
from ftbridge.job import Model

N = 30


def _calls(vendor: Account) -> int:
    return sum(r.path == "/v1/chat/completions" for r in vendor.store.requests)


def test_a_base_is_priced_by_the_library_and_a_tuned_model_by_the_book(
    bridge: ftbridge.Bridge, job: ftbridge.Job
) -> None:
    """OpenAI bills tuned models more than their base: 0.80/3.20 against 0.40/1.60 (mini)."""
    base = price_of(job.base(), None, bridge.prices)
    tuned = price_of(job.tuned(), job.row, bridge.prices)
    assert base.known and tuned.known and "genai-prices" in base.source
    assert base.input and tuned.input and tuned.input > base.input
    assert price_of(Model(job.base().provider, "no-such"), None, bridge.prices) == UNKNOWN
    assert price_of(Model(bridge.provider("local"), "smollm2-135m"), None, bridge.prices) == OURS


def test_each_side_says_what_it_cost_and_how_long_it_took(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path
) -> None:
    result = bridge.evaluate(held, model=job.id)
    for asked, model, row in (
        (result.baseline, job.base(), None),
        (result.tuned, job.tuned(), job.row),
    ):
        price = price_of(model, row, bridge.prices)
        assert asked.usd == price.of(asked.prompt_tokens, asked.completion_tokens)
        assert asked.usd_paid == asked.usd and asked.calls == N
        assert 0 < asked.seconds <= asked.seconds_p95
    told = result.to_dict()
    assert told["usd"]["paid"] == pytest.approx(told["baseline"]["usd"] + told["tuned"]["usd"])
    assert told["tuned"]["usd_per_call"] == pytest.approx(told["tuned"]["usd"] / N)
    again = bridge.evaluate(held, model=job.id).to_dict()
    assert again["usd"]["paid"] == 0 and again["tuned"]["usd"] == told["tuned"]["usd"]


def test_an_unknown_price_is_said_and_is_no_zero(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = bridge.evaluate(held, model=job.id, baseline=f"openai:{job.model}").to_dict()
    assert told["baseline"]["usd"] is None and told["baseline"]["usd_per_call"] is None
    assert told["usd"]["paid"] is None and told["usd"]["unknown"] == [job.model]
    assert run(["eval", str(held), "--model", job.id, "--baseline", f"openai:{job.model}"]) == 0
    assert "unknown\tunknown\tunknown\tno price is known" in capsys.readouterr().out


def test_no_call_is_made_that_could_pass_the_budget(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, vendor: Account
) -> None:
    with pytest.raises(ftbridge.BudgetRefused, match="may cost up to"):
        bridge.evaluate(held, model=job.id, max_usd="0.0001")
    assert _calls(vendor) == 0
    enough = bridge.evaluate(held, model=job.id, max_usd="0.05")
    assert _calls(vendor) == 2 * N and enough.to_dict()["usd"]["paid"] < 0.05
    assert bridge.evaluate(held, model=job.id, max_usd=0).to_dict()["usd"]["paid"] == 0


def test_a_budget_with_an_unknown_price_is_refused_unless_told(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, vendor: Account
) -> None:
    unknown = f"openai:{job.model}"
    with pytest.raises(ftbridge.BudgetRefused) as caught:
        bridge.evaluate(held, model=job.id, baseline=unknown, max_usd=1)
    assert caught.value.code == "unknown_cost" and _calls(vendor) == 0
    bridge.evaluate(held, model=job.id, baseline=unknown, max_usd=1, allow_unknown_cost=True)
    assert _calls(vendor) == N  # the same model twice


def test_the_users_own_price_wins(
    job: ftbridge.Job, held: Path, closed_world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(
        f'[[price]]\nprovider = "openai"\nmodel = "{job.row.model}"\nitem = "inference_{side}"\n'
        f'unit = "usd_per_1m_tokens"\nusd = {usd}\n'
        for side, usd in (("input", 1000), ("output", 0))
    )
    (closed_world / "config.toml").write_text(rows)
    with_own = ftbridge.Bridge()
    result = with_own.evaluate(held, model=job.id)
    assert result.baseline.usd == Decimal(result.baseline.prompt_tokens) / 1000
    with_own.ledger.close()


def test_examples_from_the_training_file(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    result = bridge.evaluate(held, model=job.id, limit=2, few_shot=3)
    assert result.few_shot == 3
    asked = [r for r in vendor.store.requests if r.path == "/v1/chat/completions"]
    shown = [m["content"] for m in asked[0].body["messages"]]
    assert [text for text in shown if text.startswith("colour")] == [
        "colour 0", "colour 4", "colour 8",
    ]  # fmt: skip
    assert run(["eval", str(held), "--model", job.id, "--limit", "2", "--few-shot", "3"]) == 0
    assert _calls(vendor) == 4
    (tmp_path / "train.jsonl").write_text("{}\n")
    with pytest.raises(ftbridge.UsageError, match="has changed since"):
        bridge.evaluate(held, model=job.id, few_shot=3)
    with pytest.raises(ftbridge.UsageError, match="show nothing"):
        bridge.evaluate(held, model=job.id, few_shot=0)


def test_the_label_of_the_examples_counts(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path, tmp_path: Path, vendor: Account
) -> None:
    shots = write_chats(tmp_path / "shots.jsonl", "shot", count=2)
    shots.with_name("shots.jsonl.ftbridge.toml").write_text('privacy = "restricted"\n')
    with pytest.raises(ftbridge.PolicyRefused):
        bridge.evaluate(held, model=job.id, few_shot=shots)
    assert _calls(vendor) == 0


def test_what_a_call_cost_is_in_the_ledger(
    bridge: ftbridge.Bridge, job: ftbridge.Job, held: Path
) -> None:
    bridge.evaluate(held, model=job.id, limit=3)
    from sqlalchemy import select

    from ftbridge.jobs.ledger.schema import eval_calls

    with bridge.ledger.database.read() as connection:
        costs = list(connection.execute(select(eval_calls.c.micro_usd)).scalars())
    assert len(costs) == 6 and all(cost and cost > 0 for cost in costs)
