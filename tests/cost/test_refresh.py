"""`prices refresh`: what is read is taken with its day; what is not, or cannot be right, stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from price_sources import Sources, bedrock_file, machine, meter

import ftbridge
from ftbridge.cli import run
from ftbridge.cost.prices import PriceRow
from ftbridge.cost.refresh import day_of
from ftbridge.testing.server import serve

GLOBAL = "gpt-4.1-ft hosting global Unit"
NOVA = "USE1-Nova2.0Lite-Customization-Training"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sources, str]]:
    sources = Sources()
    with serve(sources.app()) as url:
        yield sources, url


@pytest.fixture
def sources(served: tuple[Sources, str], monkeypatch: pytest.MonkeyPatch) -> Sources:
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-11-25")
    found = served[0]
    fresh = Sources()
    found.__dict__.update(fresh.__dict__)
    return found


@pytest.fixture
def refresh(served: tuple[Sources, str], capsys: pytest.CaptureFixture[str]) -> Any:
    def asked(provider: str, *more: str, code: int = 0) -> dict[str, Any]:
        args = ["prices", "refresh", "--provider", provider, "--base-url", served[1], "--json"]
        assert run([*args, *more]) == code
        found: dict[str, Any] = json.loads(capsys.readouterr().out)["refreshed"][0]
        return found

    return asked


def rows(provider: str, **fields: str) -> list[PriceRow]:
    return [
        row
        for row in ftbridge.Bridge().prices.rows
        if row.provider == provider and all(getattr(row, k) == v for k, v in fields.items())
    ]


# -- Azure -----------------------------------------------------------------------------------------


def test_azure_meters_by_region(sources: Sources, refresh: Any) -> None:
    before = rows("azure_openai", meter=GLOBAL)[0]
    assert before.usd == Decimal("1.7")
    regions = ["eastus", "westus", "uksouth", "southindia", "japaneast"]
    sources.meters = [meter(GLOBAL, region, 1.9, "1 Hour") for region in regions]
    sources.meters.append(meter(GLOBAL, "swedencentral", 2.1, "1 Hour"))
    sources.meters.append(meter(GLOBAL, "eastus", 0.9, "1 Hour", type="Reservation"))
    found = refresh("azure_openai")
    assert (found["read"], len(found["changed"]), found["error"]) == (2, 1, None)
    assert (found["changed"][0]["usd"], found["changed"][0]["before"]) == (2.1, 1.7)
    now = rows("azure_openai", meter=GLOBAL)
    assert [(row.usd, row.regions) for row in now] == [
        (Decimal("2.1"), ("swedencentral",)),
        (Decimal("1.9"), tuple(sorted(regions))),
    ]
    assert {row.source_date for row in now} == {date(2026, 11, 25)}
    assert {(row.origin, row.evidence) for row in now} == {("refreshed", "official")}
    assert (now[0].model, now[0].tier) == (before.model, before.tier)


def test_every_meter_is_asked_for_and_what_is_not_there_keeps_its_date(
    sources: Sources, refresh: Any
) -> None:
    known = rows("azure_openai")
    sources.meters = [meter(GLOBAL, "eastus", 1.7, "1 Hour")]
    found = refresh("azure_openai")
    asked = " ".join(sources.asked)
    assert all(row.meter and row.meter in asked for row in known)
    assert len(found["missing"]) == len(known) - 1 and found["changed"] == []
    kept = [row for row in rows("azure_openai") if row.meter != GLOBAL]
    assert kept and {row.source_date for row in kept} == {date(2026, 8, 11)}


def test_azure_prices_by_the_thousand_tokens(sources: Sources, refresh: Any) -> None:
    token = next(row for row in rows("azure_openai") if row.item == "training_tokens")
    sources.meters = [meter(str(token.meter), "eastus", float(token.usd) / 1000)]
    assert refresh("azure_openai")["changed"] == []


def test_a_next_page_elsewhere_is_not_followed(sources: Sources, refresh: Any) -> None:
    sources.meters = [meter(GLOBAL, f"region{n}", 1.7, "1 Hour") for n in range(9)]
    sources.next_host = "https://prices.example.org/"
    assert "prices.example.org" in refresh("azure_openai", code=4)["error"]["message"]


def test_azure_machines(sources: Sources, refresh: Any) -> None:
    name = "Standard_NC40ads_H100_v5"
    usual = {"productName": "Virtual Machines NCadsH100v5 Series", "armSkuName": name,
             "serviceName": "Virtual Machines"}  # fmt: skip
    sources.meters = [
        meter("NC40ads H100 v5", "eastus", 7.5, "1 Hour", **usual),
        meter("NC40ads H100 v5 Spot", "eastus", 1.5, "1 Hour", **usual),
        meter("NC40ads H100 v5", "eastus", 9.5, "1 Hour",
              **usual | {"productName": "Virtual Machines NCadsH100v5 Series Windows"}),
        meter("NC40ads H100 v5", "westeurope", 8.5, "1 Hour", **usual),
    ]  # fmt: skip
    found = refresh("azure_ml")
    assert (found["read"], found["changed"][0]["usd"]) == (1, 7.5)
    assert rows("azure_ml", model=name)[0].usd == Decimal("7.5")


# -- AWS -------------------------------------------------------------------------------------------


def test_bedrock_with_the_day_of_the_file(sources: Sources, refresh: Any) -> None:
    sources.bedrock = {
        "us-east-1": bedrock_file(
            "2026-11-20T18:00:00Z",
            {NOVA: ("1K tokens", "0.0042"), "USE1-NovaMicro-Customization-Training":
             ("1K tokens", "0.001"), "USE1-Other": ("Quantity", "3")},
        ),
        "us-west-2": bedrock_file("2026-11-20T18:00:00Z", {}),
    }  # fmt: skip
    found = refresh("bedrock")
    assert found["read"] == 2 and len(found["changed"]) == 2
    assert rows("bedrock", meter=NOVA)[0].usd == Decimal("4.2")
    assert rows("bedrock", meter=NOVA)[0].source_date == date(2026, 11, 20)
    micro = rows("bedrock", model="amazon.nova-micro-v1:0:128k")
    assert [(row.usd, row.item) for row in micro] == [(Decimal("1"), "training_tokens")]


def test_a_second_refresh_keeps_what_the_first_has_read(sources: Sources, refresh: Any) -> None:
    published = "2026-11-20T18:00:00Z"
    west = {"us-west-2": bedrock_file(published, {})}
    micro = "USE1-NovaMicro-Customization-Training"
    sources.bedrock = west | {"us-east-1": bedrock_file(published, {micro: ("1K tokens", "0.001")})}
    refresh("bedrock")
    sources.bedrock = west | {"us-east-1": bedrock_file(published, {NOVA: ("1K tokens", "0.004")})}
    refresh("bedrock")
    assert rows("bedrock", meter=micro)[0].usd == 1
    assert rows("bedrock", meter=NOVA)[0].usd == 4


# -- Hugging Face ----------------------------------------------------------------------------------


def test_hugging_face_minutes(sources: Sources, refresh: Any) -> None:
    sources.machines = [
        machine("t4-small", "Nvidia T4 - small", 6667),
        machine("t4-medium", "Nvidia T4 - medium", 20000),
        machine("new", "Nvidia Something", 1),
    ]
    found = refresh("huggingface")
    assert (found["read"], len(found["changed"])) == (2, 1)
    small, medium = (rows("huggingface", model=f"Nvidia T4 - {size}")[0] for size in
                     ("small", "medium"))  # fmt: skip
    assert (small.usd, small.source_date) == (Decimal("0.4"), date(2026, 11, 25))
    assert medium.usd == Decimal("1.2")
    assert len(found["missing"]) == len(rows("huggingface")) - 2


# -- never to a fresh-looking date -----------------------------------------------------------------


def broken(sources: Sources, fault: str) -> None:
    sources.machines = [machine("t4-small", "Nvidia T4 - small", 6667)]
    match fault:
        case "status":
            sources.status = 503
        case "no JSON":
            sources.body = b"<html>"
        case "empty":
            sources.machines = []
        case "unknown machines":
            sources.machines = [machine("x", "Something", 1)]
        case "another unit":
            sources.machines[0]["unitLabel"] = "fortnight"
        case "another shape":
            sources.machines[0].pop("unitCostMicroUSD")
        case "free":
            sources.machines[0]["unitCostMicroUSD"] = 0
        case "a list no more":
            sources.body = b'{"error": "moved"}'


@pytest.mark.parametrize(
    "fault",
    ["status", "no JSON", "empty", "unknown machines", "another unit", "another shape", "free",
     "a list no more"],
)  # fmt: skip
def test_a_bad_answer_changes_nothing(
    fault: str, sources: Sources, refresh: Any, closed_world: Path
) -> None:
    before = rows("huggingface")
    broken(sources, fault)
    found = refresh("huggingface", code=4)
    assert found["error"]["message"] and found["error"]["hint"] and found["read"] == 0
    assert rows("huggingface") == before
    assert not list(closed_world.glob("prices/*"))


def test_no_answer_changes_nothing(sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    before = rows("bedrock")
    args = ["prices", "refresh", "--provider", "bedrock", "--base-url", "http://127.0.0.1:9"]
    assert run(args) == 4
    assert "did not answer" in capsys.readouterr().out
    assert rows("bedrock") == before


def test_another_currency_is_refused(sources: Sources, refresh: Any) -> None:
    sources.meters = [meter(GLOBAL, "eastus", 1.7, "1 Hour", currencyCode="EUR")]
    assert "EUR" in refresh("azure_openai", code=4)["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "day"),
    [
        ({"date": "Tue, 24 Nov 2026 23:30:00 GMT"}, 24),
        ({"date": "Tue, 24 Nov 2026 23:30:00 GMT", "age": str(3 * 86400)}, 21),
        ({"date": "Fri, 01 Jan 2027 08:00:00 GMT"}, 25),
        ({"date": "yesterday"}, 25),
        ({}, 25),
    ],
)
def test_an_old_answer_keeps_its_age(
    headers: dict[str, str], day: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache on the way hands out what was true days ago."""
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-11-25")
    assert day_of(headers) == date(2026, 11, day)


def test_an_older_file_does_not_replace_a_newer_price(sources: Sources, refresh: Any) -> None:
    west = {"us-west-2": bedrock_file("2026-07-01T00:00:00Z", {})}
    sources.bedrock = west | {
        "us-east-1": bedrock_file("2026-07-01T00:00:00Z", {NOVA: ("1K tokens", "0.003")})
    }
    refresh("bedrock")
    assert rows("bedrock", meter=NOVA)[0].usd == Decimal("3.78")


def test_a_jump_is_shown_and_not_taken(sources: Sources, refresh: Any) -> None:
    sources.machines = [machine("t4-small", "Nvidia T4 - small", 666_700)]
    found = refresh("huggingface")
    assert (found["changed"], found["jumped"][0]["before"]) == ([], 0.4)
    assert rows("huggingface", model="Nvidia T4 - small")[0].origin == "shipped"
    assert len(refresh("huggingface", "--allow-jumps")["changed"]) == 1


def test_own_prices_stay_on_top(
    sources: Sources, refresh: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ["huggingface", "Nvidia T4 - small", "gpu_hour", "0.35"]
    assert run(["prices", "set", *own]) == 0
    capsys.readouterr()
    sources.machines = [machine("t4-small", "Nvidia T4 - small", 8000)]
    refresh("huggingface")
    found = ftbridge.Bridge().prices.find(
        "huggingface", "Nvidia T4 - small", "gpu_hour", method="sft"
    )
    assert found and found.usd == Decimal("0.35")


def test_a_vendor_without_a_source_is_said(sources: Sources) -> None:
    assert run(["prices", "refresh", "--provider", "openai"]) == 2
