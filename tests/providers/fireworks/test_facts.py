"""What a job costs, where it goes, and what is said where something is missing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fireworks_spec import spec
from recording import Recorder

from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.types import TokenCount, Usd
from ftbridge.cost.use import Use
from ftbridge.errors import CredentialsError, Unsupported, UsageError
from ftbridge.jobs.spec import Method
from ftbridge.provider import Context
from ftbridge_fireworks import Provider
from ftbridge_fireworks.emulator.models import BASES

MODELS = "accounts/fireworks/models/"


def connect(**options: str) -> Provider:
    return Provider(Context(Path(), options))


def price(provider: Provider, **changes: Any) -> Usd:
    asked = spec(**changes)
    count = TokenCount(low=1_000_000, high=1_000_000, n_epochs=2, grade="exact", counter="c")
    return estimate(
        PriceBook.load([provider.folder]), provider.name, asked.model, asked.method,
        provider.billing(asked, count), adapter="lora",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "method", "unit"),
    [
        ("llama-v3p1-8b-instruct", "sft", "0.5"), ("llama-v3p1-8b-instruct", "dpo", "1.0"),
        ("llama-v3p1-8b-instruct", "rl", "0.0"), ("qwen3-32b", "sft", "3.0"),
        ("qwen3-235b-a22b-instruct-2507", "dpo", "12.0"), ("kimi-k3", "sft", "10.0"),
    ],
)  # fmt: skip
def test_training_is_priced_by_the_models_bracket(model: str, method: str, unit: str) -> None:
    """Figures: fireworks.ai/pricing of 2026-10-07, and the free tier of managed-finetuning-intro"""
    usd = price(connect(), model=MODELS + model, method=method)
    line = next(line for line in usd.lines if line.name == "training")
    assert line.unit_price == Decimal(unit) and line.low == 2 * Decimal(unit)


def test_what_no_page_prices_is_unknown() -> None:
    for model, method in (("kimi-k3", "dpo"), ("qwen3-32b", "rl")):
        usd = price(connect(), model=MODELS + model, method=method)
        assert usd.high is None and "training" in usd.unknown


def test_every_estimate_has_the_deployment() -> None:
    usd = price(connect())
    assert {line.name for line in usd.lines} == {"training", "hosting"}
    assert next(line.high for line in usd.lines if line.name == "hosting") == Decimal(8)
    usd = price(connect(hosting_hours="10", gpu="b200", gpus="2"), model=MODELS + "qwen3-32b")
    assert next(line.high for line in usd.lines if line.name == "hosting") == Decimal(260)
    usd = price(connect(), model=MODELS + "qwen3-32b")  # nobody knows how many GPUs
    assert usd.unknown == ("hosting",) and usd.high is not None
    shared = connect(deployment="mine")
    assert [line.name for line in price(shared).lines] == ["training"]
    assert shared.hosting(spec().model) == []
    hour = connect().hosting(spec().model)[0]
    assert (hour.low, hour.training) == (Decimal(1), False)


def test_use_is_billed_by_the_hour_alone() -> None:
    use = Use(months=2, calls_per_month=1000, input_tokens=Decimal(100), output_tokens=Decimal(9))
    (line,) = connect().serving(spec(), use)
    assert (line.name, line.low, line.monthly) == ("hosting", Decimal(1440), True)


@pytest.mark.parametrize("options", [{"gpu": "tpu"}, {"gpus": "0"}, {"hosting_hours": "x"}])
def test_wrong_settings_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        price(connect(**options))


def test_people_are_told_of_the_meter_and_of_the_rows_kept_back() -> None:
    said = " ".join(connect().explain(spec()))
    assert "dedicated deployment" in said and "eval_auto_carveout" in said
    said = " ".join(connect().explain(spec(options={"eval_auto_carveout": "false"})))
    assert "eval_auto_carveout" not in said
    asked = spec(method="rl", options={"evaluator": "e"})
    assert "free" in " ".join(connect().explain(asked))


def test_the_catalogue_is_usable_and_the_emulator_knows_it() -> None:
    catalogue = Provider.catalogue()
    assert set(catalogue.methods) == set(Method) and len(catalogue.models) > 30
    assert {row.model for row in catalogue.models} <= set(BASES)
    families = [row.family for row in catalogue.models]
    assert len(set(families)) == len(families) and all(families)
    assert connect().epochs(spec())[0] == 1


def test_where_data_goes(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connect().at_vendor and connect().account == "acme"
    assert connect(account_id="other").account == "other"
    monkeypatch.setenv("FIREWORKS_BASE_URL", "http://127.0.0.1:9")
    away = connect()
    assert not away.at_vendor and away.account == "acme@http://127.0.0.1:9"
    for host in ("https://fireworks.ai.evil.example", "https://evilfireworks.ai"):
        assert not connect(base_url=host).at_vendor


def test_what_is_missing_is_said(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIREWORKS_ACCOUNT_ID")
    with pytest.raises(CredentialsError) as caught:
        connect().get("accounts/acme/dpoJobs/x")
    assert caught.value.where == "FIREWORKS_ACCOUNT_ID"
    monkeypatch.delenv("FIREWORKS_API_KEY")
    with pytest.raises(CredentialsError) as caught:
        connect().require_ready()
    assert caught.value.where == "FIREWORKS_API_KEY"
    assert [check.ok for check in connect().doctor()] == [True, False, False]


def test_doctor_asks_the_vendor(provider: Provider, recorder: Recorder) -> None:
    assert [check.ok for check in provider.doctor()] == [True] * 4
    recorder.plan.append((403, {"code": 7, "message": "no"}))
    last = provider.doctor()[-1]
    assert last.ok is False and "FIREWORKS" not in last.message and last.hint


def test_a_remote_id_says_its_kind(provider: Provider) -> None:
    with pytest.raises(UsageError):
        provider.get("ftb-1")


def test_the_vendor_is_asked_whether_it_tunes_the_model(
    provider: Provider, recorder: Recorder
) -> None:
    name = spec().model
    recorder.plan += [(200, {"name": name, "tunable": True})] * 2
    provider.preflight(spec())
    provider.preflight(spec(method="rl"))  # nothing is said about reinforcement
    assert recorder.seen[0].path == f"/v1/{name}"
    for method, said in (("sft", {"tunable": False}), ("rl", {"rlTunable": False})):
        recorder.plan.append((200, {"name": name, **said}))
        with pytest.raises(Unsupported):
            provider.preflight(spec(method=method))
    with pytest.raises(UsageError):
        provider.preflight(spec(model="qwen"))
    recorder.clear()
    provider.preflight(spec(options={"warm_start_from": "accounts/acme/models/x"}))
    assert not recorder.seen
