"""compare: every place by the same measure, use over months, a base model, files and a page."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from emulated import write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.compare import Offer
from ftbridge.cost.against import Against
from ftbridge.cost.horizon import Wanted
from ftbridge.cost.table import COLUMNS, ordered

Ask = Callable[..., dict[str, Any]]
MINI = "gpt-4.1-mini-2025-04-14"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_chats(tmp_path / "train.jsonl")


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-11-25")

    def asked(*args: object, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert run(["compare", *map(str, args), "--json"]) == code
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return asked


def of(found: dict[str, Any], provider: str, model: str = MINI) -> dict[str, Any]:
    offers: list[dict[str, Any]] = found["offers"]
    return next(o for o in offers if (o["provider"], o["model"]) == (provider, model))


def prefer(home: Path, *rows: tuple[str, str, str, str]) -> None:
    """Own prices: provider, model, item, USD."""
    for provider, model, item, usd in rows:
        assert run(["prices", "set", provider, model, item, usd, "--home", str(home)]) == 0


# -- what is compared ------------------------------------------------------------------------------


def test_all_are_told_by_the_same_measure(ask: Ask, data: Path) -> None:
    """Where no use is asked for, hosting is no part of anybody's sum, and is said beside it."""
    found = ask(data)
    for offer in found["offers"]:
        assert all(line["training"] for line in offer["usd"]["lines"])
    azure = of(found, "azure_openai")
    assert any(note.startswith("not in the sum: hosting, 1.70 USD") for note in azure["notes"])
    highs = [offer["usd"]["high"] for offer in found["offers"]]
    known = [high for high in highs if high is not None]
    assert known == sorted(known) and highs[: len(known)] == known


def test_price_lists_without_an_adapter_are_shown_and_not_allowed(ask: Ask, data: Path) -> None:
    found = ask(data, "--n-epochs", 2)
    shown = [offer for offer in found["offers"] if not offer["allowed"]]
    left = {item["provider"]: item["reason"] for item in found["excluded"]}
    assert all("no adapter" in " ".join(offer["notes"]) for offer in shown)
    assert "by the hour" in left["runpod"] and "by the hour" in left["modal"]
    registered = set(ftbridge.registry.names()) if hasattr(ftbridge, "registry") else set()
    assert not registered & {offer["provider"] for offer in shown}


def test_region(ask: Ask, data: Path) -> None:
    found = ask(data, "--region", "eastus2")
    there = {offer["provider"] for offer in found["offers"] if offer["allowed"]}
    assert there <= {"azure_openai", "azure_ml", "local"}
    assert of(found, "azure_openai")["usd"]["lines"][0]["unit_price"] == 5.5
    left = {item["provider"]: item["reason"] for item in found["excluded"]}
    assert left["openai"] == "runs in no region that is known, not in eastus2"


def test_one_vendor_s_rule_leaves_out_that_vendor(ask: Ask, tmp_path: Path) -> None:
    """OpenAI wants ten examples; others take three."""
    found = ask(write_chats(tmp_path / "few.jsonl", count=3))
    assert "openai" not in {offer["provider"] for offer in found["offers"]} and found["offers"]
    left = [item for item in found["excluded"] if item["provider"] == "openai"]
    assert any("10" in item["reason"] for item in left)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": []}\n')
    assert ask(bad, code=3)["error"]["code"]


def test_budget_leaves_out_what_is_dearer_or_not_known(ask: Ask, data: Path) -> None:
    whole = ask(data)
    limit = of(whole, "openai")["usd"]["high"]
    found = ask(data, "--budget", limit)
    assert found["offers"] and all(o["usd"]["high"] <= limit for o in found["offers"])
    reasons = " ".join(item["reason"] for item in found["excluded"])
    assert "over the budget" in reasons and "training is not known" in reasons


def test_a_budget_over_months_needs_every_part(ask: Ask, data: Path) -> None:
    found = ask(data, "--budget", 10**9, "--months", 1, "--calls-per-month", 10)
    assert all(not offer["usd"]["unknown"] for offer in found["offers"])


@pytest.mark.parametrize("column", [*COLUMNS, "-usd_high", "-provider"])
def test_any_column(column: str, data: Path) -> None:
    offers = ftbridge.Bridge().compare(data, sort=column).offers
    name, down = column.removeprefix("-"), column.startswith("-")
    values: list[Any] = [COLUMNS[name](offer) for offer in offers]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=down)
    assert values == known + [None] * (len(values) - len(known))


def test_an_unknown_column_is_said(ask: Ask, data: Path) -> None:
    error = ask(data, "--sort", "beauty", code=2)["error"]
    assert "usd_high" in error["hint"]


# -- use -------------------------------------------------------------------------------------------


def test_use_adds_up(ask: Ask, data: Path) -> None:
    use = ("--months", 6, "--calls-per-month", 1000, "--input-tokens", 200, "--output-tokens", 50)
    offer = of(ask(data, *use), "openai")
    lines = {line["name"]: line["high"] for line in offer["usd"]["lines"]}
    assert lines["inference_input"] == pytest.approx(6000 * 200 * 0.80 / 1e6)
    assert lines["inference_output"] == pytest.approx(6000 * 50 * 3.20 / 1e6)
    assert offer["usd"]["high"] == pytest.approx(sum(lines.values()))
    assert offer["monthly"]["high"] == pytest.approx(
        (lines["inference_input"] + lines["inference_output"]) / 6
    )
    assert offer["upfront"]["high"] == pytest.approx(lines["training"])
    assert offer["use"]["measured"] == "given"


def test_an_end_within_the_months_is_said(ask: Ask, data: Path) -> None:
    """OpenAI's tuned models stop answering on 2027-01-14; today is 2026-11-25."""
    for months, ends in ((1, False), (2, True)):
        notes = of(ask(data, "--months", months, "--calls-per-month", 1), "openai")["notes"]
        assert any("before these months are over" in note for note in notes) is ends


def test_an_idle_deployment_bills_all_hours(ask: Ask, data: Path) -> None:
    offer = of(ask(data, "--months", 2), "azure_openai")
    hosting = next(line for line in offer["usd"]["lines"] if line["name"] == "hosting")
    assert hosting["high"] == pytest.approx(2 * 720 * 1.70)
    assert not any("not in the sum" in note for note in offer["notes"])


def test_sizes_of_calls_are_read_off_the_data(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "sizes.jsonl"
    rows = [
        {"messages": [{"role": "user", "content": "word " * n},
                      {"role": "assistant", "content": "yes " * (n // 2)}]}
        for n in (10, 20, 30)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows * 4))
    use = of(ask(path, "--calls-per-month", 1), "openai")["use"]
    assert (use["months"], "mean of 12 examples" in use["measured"]) == (12, True)
    assert 20 < use["input_tokens"] < 40 and 8 < use["output_tokens"] < 20
    given = of(ask(path, "--calls-per-month", 1, "--input-tokens", 7), "openai")["use"]
    assert (given["input_tokens"], given["output_tokens"]) == (7, use["output_tokens"])


@pytest.mark.parametrize(
    ("args", "where"),
    [
        (["--months", 0], "months"),
        (["--months", 1000], "months"),
        (["--input-tokens", 5], "calls_per_month"),
        (["--against", "openai:gpt-4.1"], "calls_per_month"),
        (["--calls-per-month", 5, "--against", "gpt-4.1"], "against"),
        (["--calls-per-month", 5, "--against", "nobody:nothing"], "against"),
    ],
)
def test_what_is_missing_is_said(args: list[object], where: str, ask: Ask, data: Path) -> None:
    error = ask(data, *args, code=2)["error"]
    assert error["where"] == where and error["message"]


def test_text_shows_no_calls(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "text.jsonl"
    path.write_text('{"text": "once upon a time"}\n' * 12)
    error = ask(path, "--calls-per-month", 5, code=2)["error"]
    assert "--input-tokens" in error["hint"]


# -- a base model ----------------------------------------------------------------------------------

AGAINST = ("--months", 12, "--calls-per-month", 100_000, "--input-tokens", 400,
           "--output-tokens", 100, "--against", "openai:gpt-4.1")  # fmt: skip


def test_saving_and_break_even_by_hand(ask: Ask, data: Path) -> None:
    """gpt-4.1: 100,000 x (400 x 2 + 100 x 8) / 1M = 160 a month; the tuned mini 64."""
    found = ask(data, *AGAINST)
    offer = of(found, "openai")
    roi = offer["roi"]
    assert found["baseline"]["monthly"] == roi["base_monthly"] == 160
    assert roi["tuned_monthly"] == {"low": 64, "high": 64}
    assert roi["saving_monthly"] == {"low": 96, "high": 96}
    assert roi["saving_share"] == pytest.approx(0.6)
    days = offer["upfront"]["high"] / 96 * 30
    assert days <= roi["break_even_days"]["high"] <= days + 0.01
    assert roi["pays_from_calls"] == 0 and roi["why"] == ""


def test_hosting_needs_calls_to_pay(ask: Ask, data: Path) -> None:
    """Azure: 1.70 x 720 = 1,224 idle; at 100,000 calls it never pays."""
    roi = of(ask(data, *AGAINST), "azure_openai")["roi"]
    assert roi["break_even_days"] is None and roi["why"].startswith("never")
    saved = (160 - 100_000 * (400 * 0.528 + 100 * 2.112) / 1e6) / 100_000
    assert roi["pays_from_calls"] == pytest.approx(1224 / saved, rel=1e-4)


def test_what_is_not_known_has_no_break_even(ask: Ask, data: Path) -> None:
    found = ask(data, *AGAINST)
    open_ = [offer for offer in found["offers"] if offer["usd"]["unknown"]]
    assert open_
    for offer in open_:
        assert offer["roi"]["saving_monthly"] is None and "not known" in offer["roi"]["why"]


def test_a_longer_prompt_of_the_base_model(ask: Ask, data: Path, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("rule " * 500)
    without = of(ask(data, *AGAINST), "openai")["roi"]
    roi = of(ask(data, *AGAINST, "--base-prompt", prompt), "openai")["roi"]
    more = roi["prompt_saving_monthly"]
    assert 500 * 0.2 <= more <= 520 * 0.2
    assert roi["base_monthly"] == pytest.approx(160 + more)
    assert roi["saving_monthly"]["low"] == pytest.approx(without["saving_monthly"]["low"] + more)


def test_own_price_of_the_base_model(ask: Ask, data: Path, closed_world: Path) -> None:
    prefer(
        closed_world,
        ("house", "big", "inference_input", "1"),
        ("house", "big", "inference_output", "1"),
    )
    args = [*AGAINST[:-1], "house:big"]
    assert ask(data, *args)["baseline"]["monthly"] == 50


def test_a_long_prompt_is_priced_in_its_tier(data: Path) -> None:
    """Claude's price doubles above 200,000 tokens, so a price for a size is asked."""
    bridge = ftbridge.Bridge()
    for tokens, price in ((1000, Decimal(3)), (300_000, Decimal(6))):
        use = Wanted(1, 10, Decimal(tokens), Decimal(10))
        found = bridge.compare(data, use=use, against=Against("anthropic:claude-sonnet-4-5"))
        assert found.baseline and found.baseline.price.input == price


def test_the_library_takes_plain_words(data: Path) -> None:
    use = {"months": 12, "calls_per_month": 100_000, "input_tokens": 400, "output_tokens": 100}
    found = ftbridge.Bridge().compare(data, use=use, against="openai:gpt-4.1")
    assert found.baseline and found.baseline.monthly == 160
    for wrong in ({"years": 3}, {"months": 0, "calls_per_month": 1}):
        with pytest.raises(ftbridge.UsageError):
            ftbridge.Bridge().compare(data, use=wrong)
    with pytest.raises(ftbridge.UsageError):
        ftbridge.Bridge().compare(data, against="openai:gpt-4.1")


def test_flags_of_the_base_model_need_one(data: Path, tmp_path: Path) -> None:
    assert run(["compare", str(data), "--base-prompt", str(tmp_path / "x")]) == 2
    assert run(["compare", str(data), "--evaluation", "job_1"]) == 2


# -- age in every form -----------------------------------------------------------------------------


def test_old_and_undated_prices_say_so_in_every_form(
    ask: Ask, data: Path, tmp_path: Path, closed_world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed_world.mkdir()
    (closed_world / "config.toml").write_text(
        f"[[price]]\nprovider='openai'\nmodel='{MINI}'\nitem='training_tokens'\n"
        "unit='usd_per_1m_tokens'\nusd=1.5\n"
    )
    page, table = tmp_path / "c.html", tmp_path / "c.csv"
    found = ask(data, "--html", page, "--csv", table)
    mini, large = of(found, "openai"), of(found, "openai", "gpt-4.1-2025-04-14")
    assert mini["stale"] and large["stale"]
    assert "date unknown" in " ".join(mini["basis"])
    assert "over 90 days old" in " ".join(large["basis"])
    capsys.readouterr()
    assert run(["compare", str(data)]) == 0
    for text in (capsys.readouterr().out, page.read_text(), table.read_text()):
        assert "date unknown" in text and "over 90 days old" in text
    for provider, said in (("openai", "date unknown"), ("azure_openai", "over 90 days old")):
        assert run(["plan", str(data), "--provider", provider]) == 0
        assert said in capsys.readouterr().out


# -- files -----------------------------------------------------------------------------------------


def test_csv_has_every_offer(ask: Ask, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.csv"
    found = ask(data, *AGAINST, "--csv", out)
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert len(rows) == len(found["offers"]) and list(rows[0]) == list(COLUMNS)
    for row, offer in zip(rows, found["offers"], strict=True):
        high = offer["usd"]["high"]
        assert row["usd_high"] == "unknown" if high is None else float(row["usd_high"]) == high
        assert row["unknown"].split() == offer["usd"]["unknown"]


def test_the_page_stands_alone_and_marks_the_break_even(
    ask: Ask, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "c.html"
    found = ask(data, *AGAINST, "--html", out)
    text = out.read_text()
    assert not re.search(r"<script|<link|src=|@import|url\(", text)
    svg = re.search(r"<svg.*?</svg>", text, re.DOTALL)
    assert svg
    drawn = ElementTree.fromstring(svg.group())
    space = "{http://www.w3.org/2000/svg}"
    names = "|".join(text for node in drawn.iter(f"{space}text") for text in node.itertext())
    assert "openai:gpt-4.1" in names and len(list(drawn.iter(f"{space}circle"))) >= 1
    assert all(offer["model"] in text for offer in found["offers"])
    assert all(item["provider"] in text for item in found["excluded"])
    assert "unknown" in text


def test_the_page_without_use_has_no_chart(ask: Ask, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.html"
    ask(data, "--html", out)
    assert "<svg" not in out.read_text() and "No chart" in out.read_text()


def test_names_are_escaped(data: Path, tmp_path: Path) -> None:
    odd = tmp_path / "<b>&.jsonl"
    odd.write_text(data.read_text())
    assert run(["compare", str(odd), "--html", str(tmp_path / "c.html")]) == 0
    text = (tmp_path / "c.html").read_text()
    assert "<b>&.jsonl" not in text and "&lt;b&gt;&amp;.jsonl" in text


def test_order_without_a_column_puts_the_unknown_last(data: Path) -> None:
    use = Wanted(1, 1000, Decimal(10), Decimal(10))
    offers: list[Offer] = list(ftbridge.Bridge().compare(data, use=use).offers)
    ranks = [2 if offer.usd.high is None else int(bool(offer.usd.unknown)) for offer in offers]
    assert ranks == sorted(ranks) and len(set(ranks)) == 3
    backwards = ordered(reversed(offers), None)
    assert [offer.usd.high for offer in backwards] == [offer.usd.high for offer in offers]
