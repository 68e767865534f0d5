"""The price book: rows with source and age, the user's on top, in and out of files."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ftbridge
from ftbridge.cli import run
from ftbridge.cost import book
from ftbridge.cost.prices import UNITS, PriceBook, PriceRow
from ftbridge.cost.sources import price_files, price_lists


def row(**changes: object) -> PriceRow:
    content = {"provider": "p", "model": "m", "item": "training_tokens",
               "unit": "usd_per_1m_tokens", "usd": "0.1", "source": "s", "evidence": "e",
               "source_date": date(2026, 8, 1), "seen": date(2026, 8, 1)}  # fmt: skip
    return PriceRow.model_validate(content | changes)


def usd(rows: list[PriceRow], **wanted: Any) -> Decimal | None:
    question = {"method": "sft"} | wanted
    found = PriceBook(rows).find("p", "m", "training_tokens", **question)
    return found and found.usd


def listed(capsys: pytest.CaptureFixture[str], *args: str) -> list[dict[str, Any]]:
    assert run(["prices", *args, "--json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["prices"]
    return rows


def test_every_shipped_row_is_sourced_and_dated() -> None:
    rows = ftbridge.Bridge().prices.rows
    assert len(rows) > 390
    for price in rows:
        assert price.source and price.evidence and price.source_date and price.origin == "shipped"
        assert price.source_date <= price.seen
        assert price.unit in UNITS[price.item]


def test_price_lists_of_vendors_without_an_adapter_are_in_the_book() -> None:
    vendors = {price.provider for price in ftbridge.Bridge().prices.rows}
    assert {"bedrock", "vertex", "sagemaker_compute", "azure_ml", "huggingface", "modal",
            "replicate", "runpod"} <= vendors  # fmt: skip
    assert "openai" not in price_lists()
    assert len(price_files()) == len(set(price_files()))


@pytest.mark.parametrize(
    ("wanted", "price"),
    [
        ({}, "1"),
        ({"method": "dpo"}, "2"),
        ({"adapter": "full"}, "3"),
        ({"adapter": "qlora"}, "1"),
        ({"adapter": "managed"}, "1"),
        ({"region": "west", "adapter": "lora"}, "4"),
        ({"tier": "cheap"}, "5"),
        ({"priced_as": "bracket", "method": "rl"}, "6"),
        ({"method": "rl"}, None),
    ],
)
def test_the_row_that_fits(wanted: dict[str, str], price: str | None) -> None:
    rows = [
        row(usd=1, method="sft", training_type="lora", region="east", tier="standard"),
        row(usd=2, method="dpo", tier="standard"),
        row(usd=3, method="sft", training_type="full", tier="standard"),
        row(usd=4, method="sft", regions=("west", "south"), tier="standard"),
        row(usd=5, method="sft", tier="cheap"),
        row(usd=6, method="rft", model="bracket"),
    ]
    assert usd(rows, **wanted) == (price and Decimal(price))


def test_ids_of_a_product_and_prices_by_the_second() -> None:
    assert usd([row(model="Product", models=("m",))]) == Decimal("0.1")
    assert row(item="gpu_hour", unit="usd_per_second", usd="0.001097").per_amount == Decimal(
        "3.9492"
    )


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity"])
def test_a_price_is_a_finite_amount(price: str) -> None:
    with pytest.raises(ValueError):
        row(usd=price)


# -- the command -----------------------------------------------------------------------------------


def test_listing_shows_age_and_filters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-11-25")
    found = listed(
        capsys, "--provider", "fireworks", "--item", "training_tokens", "--method", "dpo"
    )
    assert found and {p["method"] for p in found} <= {"dpo", None}
    assert {"provider", "model", "item", "unit", "usd", "source", "source_date", "evidence",
            "stale"} <= found[0].keys()  # fmt: skip
    assert [p["age_days"] for p in found] == [49] * len(found)
    stale = listed(capsys, "--provider", "vertex", "--stale")
    assert stale and all(p["stale"] for p in stale)
    assert not listed(capsys, "--provider", "fireworks", "--stale")
    assert run(["prices", "--provider", "vertex"]) == 0
    assert "261 days (stale)" in capsys.readouterr().out
    over = listed(capsys, "--provider", "openai", "--model", "gpt-4.1-nano")
    assert over and all(p["ended"] for p in over)
    west = listed(capsys, "--provider", "azure_openai", "--region", "westus3")
    assert west and all(not p["regions"] or "westus3" in p["regions"] for p in west)


def test_an_own_price_wins_and_is_replaced(
    closed_world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed_world.mkdir()
    settings = closed_world / "config.toml"
    settings.write_text("[budget]\nmonthly_usd = 5  # little\n")
    for amount in ("3.50", "4.25"):
        command = ["prices", "set", "openai", "gpt-4.1-2025-04-14", "training_tokens", amount]
        assert run([*command, "--source", "contract 7"]) == 0
    text = settings.read_text()
    assert "# little" in text and text.count("[[price]]") == 1
    capsys.readouterr()
    first = listed(capsys, "--provider", "openai")[0]
    assert (first["usd"], first["origin"], first["source"]) == (4.25, "yours", "contract 7")
    found = ftbridge.Bridge().prices.find(
        "openai", "gpt-4.1-2025-04-14", "training_tokens", method="sft"
    )
    assert found and found.usd == Decimal("4.25") and not found.stale


@pytest.mark.parametrize(
    "args",
    [
        ["openai", "m", "training_tokens", "much"],
        ["openai", "m", "training_tokens", "1", "--unit", "usd_per_hour"],
        ["openai", "m", "a_thing", "1"],
    ],
)
def test_a_bad_price_is_refused_and_nothing_written(args: list[str], closed_world: Path) -> None:
    assert run(["prices", "set", *args]) == 2
    assert not (closed_world / "config.toml").exists()


def test_export_comes_back_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ftbridge.Bridge().prices.rows
    for form in ("toml", "csv", "json"):
        assert run(["prices", "export", "--to", form, "-o", str(tmp_path / f"p.{form}")]) == 0
    again = tomllib.loads((tmp_path / "p.toml").read_text(), parse_float=Decimal)["price"]
    assert [PriceRow.model_validate(item) for item in again] == rows
    table = list(csv.DictReader(io.StringIO((tmp_path / "p.csv").read_text())))
    assert [Decimal(line["usd"]) for line in table] == [price.usd for price in rows]
    assert {line["stale"] for line in table} <= {"True", "False"}
    data = json.loads((tmp_path / "p.json").read_text())["prices"]
    assert [Decimal(item["usd"]) for item in data] == [price.usd for price in rows]


# -- what a refresh has read -----------------------------------------------------------------------


def test_a_refreshed_row_wins_only_if_it_is_newer(tmp_path: Path) -> None:
    shipped = tmp_path / "prices.toml"
    shipped.write_text(
        "[[price]]\nprovider='p'\nmodel='m'\nitem='training_tokens'\nunit='usd_per_1m_tokens'\n"
        "usd=1.0\nmeter='X'\nsource='s'\nevidence='e'\nsource_date='2026-08-01'\n"
        "seen='2026-08-02'\n"
    )
    for day, price in (("2026-08-02", "9"), ("2026-07-31", "1")):
        fresh = row(usd=9, meter="X", source_date=date.fromisoformat(day), origin="refreshed")
        found = PriceBook.load([shipped], refreshed=[fresh]).find(
            "p", "m", "training_tokens", method="sft"
        )
        assert found and found.usd == Decimal(price)


def test_a_broken_refresh_file_is_said(closed_world: Path) -> None:
    book.keep_refreshed(closed_world, "p", [row(usd=9)])
    assert [price.usd for price in book.read_refreshed(closed_world)] == [Decimal(9)]
    book.refreshed_file(closed_world, "p").write_text("{")
    assert run(["prices"]) == 1


def test_undated_prices_say_so(closed_world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed_world.mkdir()
    (closed_world / "config.toml").write_text(
        "[[price]]\nprovider='openai'\nmodel='m'\nitem='training_tokens'\n"
        "unit='usd_per_1m_tokens'\nusd=1.5\n"
    )
    found = listed(capsys, "--provider", "openai")[0]
    assert (found["source_date"], found["age_days"], found["stale"]) == (None, None, True)
    assert run(["prices", "--provider", "openai"]) == 0
    assert "date unknown" in capsys.readouterr().out
