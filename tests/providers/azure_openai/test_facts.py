"""What a job costs, where data goes, and what is refused before anything is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from azure_recorder import connect, spec
from recording import Recorder

from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.types import TokenCount, Usd
from ftbridge.errors import CredentialsError, UsageError
from ftbridge.jobs.spec import Hyperparameters, Method
from ftbridge_azure_openai import Provider


def quote(provider: Provider, **changes: Any) -> Usd:
    asked = spec(**changes)
    count = TokenCount(low=1_000_000, high=1_000_000, n_epochs=2, grade="exact", counter="c")
    book = PriceBook.load([provider.folder])
    lines = provider.billing(asked, count)
    return estimate(book, provider.name, asked.model, asked.method, lines)


def test_every_estimate_has_training_and_an_hour_of_hosting() -> None:
    """Figures: gpt-4.1-mini, Azure Retail Prices API of 2026-08-11."""
    cases = {
        ("global", ""): ("5.0", "1.7"),
        ("developer", ""): ("2.5", "1.7"),
        ("standard", "swedencentral"): (None, "1.7"),
    }
    for (tier, region), (training, hosting) in cases.items():
        options = {"training_type": tier, **({"region": region} if region else {})}
        usd = quote(connect(**options))
        unit = {line.name: line.unit_price for line in usd.lines}
        assert set(unit) == {"training", "hosting"} and not usd.unknown
        if training:
            assert unit["training"] == Decimal(training)
        assert unit["hosting"] == Decimal(hosting)
        assert usd.high == unit["training"] * 2 + unit["hosting"]


def test_prices_follow_the_region_and_the_dearest_is_taken_without_one() -> None:
    def training(**options: str) -> Decimal:
        return next(x.unit_price for x in quote(connect(**options)).lines if x.name == "training")

    book = PriceBook.load([Provider.folder])
    mine = [
        row
        for row in book.rows
        if (row.model, row.item, row.tier)
        == ("gpt-4.1-mini-2025-04-14", "training_tokens", "regional")
    ]
    assert training() == max(row.usd for row in mine)
    for row in mine:
        assert row.regions and training(region=row.regions[0]) == row.usd
    assert quote(connect(region="atlantis")).low is None


def test_dpo_costs_what_sft_costs_and_a_developer_deployment_has_no_hour() -> None:
    assert quote(connect(training_type="global"), method="dpo") == quote(
        connect(training_type="global")
    )
    lines = quote(connect(training_type="global", deployment_type="developer")).lines
    assert [line.name for line in lines] == ["training"]
    usd = quote(connect(training_type="global", hosting_hours="10"))
    assert next(x.low for x in usd.lines if x.name == "hosting") == Decimal("17")


def test_the_policy_sees_where_data_goes(azure: Recorder) -> None:
    assert connect(region="swedencentral").destination.region == "swedencentral"
    assert connect(region="x", training_type="global").destination.region == "global"
    assert not connect().at_vendor
    real = connect(base_url="https://mine.openai.azure.com")
    assert real.at_vendor and real.account == "mine.openai.azure.com"
    for host in ("https://openai.azure.com.evil.example", "https://evil.example/.openai.azure.com"):
        assert not connect(base_url=host).at_vendor


def test_wrong_wishes_are_refused() -> None:
    provider = connect()
    for wish in (
        {"suffix": "x" * 19},
        {"suffix": "a.b"},
        {"options": {"training_type": "cheap"}},
        {"options": {"colour": "red"}},
    ):
        with pytest.raises(UsageError):
            provider.request(spec(**wish), "file-1", None, "ftb-key")


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialsError) as caught:
        connect().get("x")
    assert caught.value.where == "AZURE_OPENAI_ENDPOINT"
    with pytest.raises(CredentialsError) as caught:
        connect(base_url="http://127.0.0.1:9/v1").get("x")
    assert caught.value.where == "AZURE_OPENAI_API_KEY"
    assert [check.ok for check in connect().doctor()] == [True, False, False]


VALUES: dict[str, float] = {
    "n_epochs": 2, "batch_size": 4, "learning_rate": 1e-4, "learning_rate_multiplier": 0.1,
    "lora_r": 8, "lora_alpha": 16.0, "lora_dropout": 0.1, "warmup_ratio": 0.1,
    "weight_decay": 0.01, "beta": 0.2,
}  # fmt: skip


@pytest.mark.parametrize("method", [Method.SFT, Method.DPO])
def test_what_the_catalogue_takes_is_what_reaches_the_wire(azure: Recorder, method: Method) -> None:
    """Both ways: a name that is taken is sent under ``method``, any other is refused."""
    provider = connect()
    assert set(VALUES) == set(Hyperparameters.model_fields)
    sent = set()
    for name, value in VALUES.items():
        asked = spec(method=method, hyperparameters={name: value})
        try:
            provider.catalogue().check_hyperparameters(method, asked.hyperparameters)
        except UsageError as error:
            assert error.where == name
            continue
        azure.seen.clear()
        provider.create(provider.request(asked, "file-1", None, "ftb-1"), "ftb-1")
        kind = azure.seen[0][4]["method"]
        assert kind[kind["type"]]["hyperparameters"] == {name: value}
        sent.add(name)
    assert sent == set(provider.catalogue().hyperparameters[method])
