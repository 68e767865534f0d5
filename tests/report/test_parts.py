"""What a report says: rows only by the label's consent, unknown costs in words, plots as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.evaluate.sample import MOST_OF_A_KIND
from ftbridge.policy import Privacy
from ftbridge.report import evaluations, terminal
from ftbridge.report.consent import refusal
from ftbridge.report.parts import Bars, Chart, Table, document
from ftbridge.report.rows import Showing

SCALE = [(step, 3.0 / step) for step in range(1, 61)]


@pytest.fixture
def bridge(vendor: Account) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def evaluated(bridge: ftbridge.Bridge, folder: Path, privacy: str) -> ftbridge.Job:
    data = write_chats(folder / "train.jsonl", "canary", count=20)
    job = bridge.submit(bridge.plan(data, provider="openai", privacy=privacy)).wait(0.05)
    bridge.evaluate(write_chats(folder / "held.jsonl", "number", count=30), model=job.id)
    return job


def part(report: Any, title: str) -> dict[str, Any]:
    found = [each for each in document(report)["sections"] if each["title"] == title]
    assert len(found) == 1, [each["title"] for each in document(report)["sections"]]
    return dict(found[0])


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "asked", "shown"),
    [
        ("public", None, True), ("public", True, True), ("public", False, False),
        ("internal", None, False), ("internal", True, True), ("internal", False, False),
        ("confidential", None, False), ("confidential", True, False),
        ("restricted", None, False), ("restricted", True, False),
    ],
)  # fmt: skip
def test_the_label_consents(label: str, asked: bool | None, shown: bool) -> None:
    why = refusal(Privacy(label), asked)
    assert (why is None) is shown
    assert shown or asked is False or label in str(why)


def test_rows_of_public_data_stand_side_by_side(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    job = evaluated(bridge, tmp_path, "public")
    (tmp_path / "held.jsonl.ftbridge.toml").write_text('privacy = "public"\n')
    table = part(bridge.job_report(job.id), "Examples side by side")["parts"][0]
    # The rows were asked under no label of their own, which is internal: the strictest holds.
    assert table["type"] == "text" and "internal" in table["text"]
    bridge.evaluate(tmp_path / "held.jsonl", model=job.id, privacy="public")
    table = part(bridge.job_report(job.id), "Examples side by side")["parts"][0]
    assert table["heads"] == ["line", "asked", "wanted", "baseline said", "tuned model said"]
    assert len(table["rows"]) == MOST_OF_A_KIND
    assert table["rows"][0][:3] == ["1", "number 0", "yes"] and table["rows"][0][4] == "yes"
    page = bridge.report(job.id)
    assert "number 0" in page and "canary" not in page
    assert "number 0" not in bridge.report(job.id, examples=False)


def test_internal_rows_are_shown_if_asked_for_and_no_others(
    bridge: ftbridge.Bridge, tmp_path: Path
) -> None:
    job = evaluated(bridge, tmp_path, "internal")
    assert "number 0" not in bridge.report(job.id)
    assert "number 0" in bridge.report(job.id, examples=True)
    (tmp_path / "held.jsonl.ftbridge.toml").write_text('privacy = "confidential"\n')
    page = bridge.report(job.id, examples=True)
    assert "number 0" not in page and "their label is confidential" in page


def test_rows_and_replies_that_have_gone_are_said(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    job = evaluated(bridge, tmp_path, "internal")
    bridge.ledger.evaluations.forget(job.id)
    assert "(not kept any more)" in bridge.report(job.id, examples=True)
    (tmp_path / "held.jsonl").write_text("{}\n")
    assert "has gone or changed" in bridge.report(job.id, examples=True)


def test_an_evaluation_of_before_rows_were_kept() -> None:
    side = {"model": "m", "value": 0.5, "ci": [0.4, 0.6]}
    each = {"metric": "perplexity", "unit": "nats a token", "baseline": side, "tuned": side,
            "difference": {"value": -0.25, "ci": [-0.5, 0.0], "p": 0.04},
            "verdict": "better"}  # fmt: skip
    result = {"evaluation": "eval_1", "verdict": "better", "metric": "perplexity", "n": 9,
              "metrics": [each], "baseline": side, "tuned": side,
              "minimum_detectable": 0.125}  # fmt: skip
    showing = Showing(None, Privacy.PUBLIC, None)  # type: ignore[arg-type]
    found, rows = evaluations.sections([result], showing)
    assert "remembered none" in str(rows.parts)
    table = found.parts[1]
    assert isinstance(table, Table)
    assert table.rows[0][0] == "perplexity, nats a token"
    assert table.rows[0][3] == "-0.25 (-0.5 to 0)"
    assert not any("interval" in type(each).__name__.lower() for each in found.parts)


# -- what tuning has cost, and time ----------------------------------------------------------------


def test_forgetting_is_shown_or_said_to_be_unmeasured(
    bridge: ftbridge.Bridge, tmp_path: Path
) -> None:
    job = evaluated(bridge, tmp_path, "internal")
    said = part(bridge.job_report(job.id), "Forgetting")["parts"]
    assert said[0]["text"].startswith("Not measured") and "--forgetting" in said[0]["text"]
    found = bridge.evaluate(tmp_path / "held.jsonl", model=job.id, forgetting=True).forgetting
    assert found is not None
    verdict, drawn, table, note = part(bridge.job_report(job.id), "Forgetting")["parts"]
    assert verdict["text"].startswith(found.verdict)
    assert [row[0] for row in drawn["rows"]] == ["before tuning", "after tuning"]
    assert [row[0] for row in table["rows"]] == [each.category for each in found.categories]
    assert "general" in note["text"]


def test_drift_stands_with_the_evaluation_that_found_it(
    bridge: ftbridge.Bridge, tmp_path: Path
) -> None:
    job = evaluated(bridge, tmp_path, "internal")
    fresh = write_chats(tmp_path / "fresh.jsonl", "fresh", count=30)
    assert run(["eval", str(fresh), "--again", job.id]) == 0
    report = document(bridge.job_report(job.id))
    newest = next(each for each in report["sections"] if each["title"].startswith("Evaluation "))
    captions = [each.get("caption") for each in newest["parts"]]
    assert "Drift, by exact_match" in captions


# -- money -----------------------------------------------------------------------------------------


def test_plan_and_price_against_the_bill(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    job = evaluated(bridge, tmp_path, "public")
    report = bridge.job_report(job.id)
    rows = dict(part(report, "Cost")["parts"][1]["rows"])
    assert set(rows) >= {"estimate", "limit that was set", "billed"}
    assert "tokens" in str(sorted(rows))


def test_cost_over_months_is_the_plans_arithmetic(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    job = evaluated(bridge, tmp_path, "public")
    chart, *_ = part(bridge.job_report(job.id, months=6, calls_per_month=50_000),
                     "Cost over months")["parts"]  # fmt: skip
    assert chart["heads"] == ["month", "50,000 calls a month"] and len(chart["rows"]) == 7
    spent = [float(usd) for _, usd in chart["rows"]]
    assert spent[0] < spent[1] and spent[6] - spent[0] == pytest.approx(6 * (spent[1] - spent[0]))
    with pytest.raises(ftbridge.UsageError):
        bridge.job_report(job.id, months=0)
    (tmp_path / "train.jsonl").unlink()
    gone = part(bridge.job_report(job.id), "Cost over months")["parts"][0]
    assert gone["text"].startswith("Not known: ")


# -- jobs ------------------------------------------------------------------------------------------


def test_the_overview(
    bridge: ftbridge.Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = bridge.overview([])
    assert "None." in empty
    job = evaluated(bridge, tmp_path, "public")
    other = bridge.submit(bridge.plan(write_chats(tmp_path / "<b>.jsonl", "b"), provider="openai"))
    out = tmp_path / "jobs.html"
    assert run(["jobs", "--html", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"jobs": 2, "html": str(out)}
    page = out.read_text()
    for text in (job.id, other.id, "better: 0% to 100%", "Money by month", "Not ended"):
        assert text in page, text
    assert "canary" not in page and "number 0" not in page
    assert run(["jobs", "--html", str(out), "--state", "failed"]) == 0
    assert job.id not in out.read_text()


# -- a terminal ------------------------------------------------------------------------------------


def test_a_plot_is_text_with_its_names() -> None:
    drawn = terminal.plot(Chart("Loss over steps", {"loss": SCALE, "valid_loss": [(60, 0.5)]}))
    assert drawn.startswith("Loss over steps\n") and "\x1b" not in drawn
    assert "loss" in drawn and "valid_loss" in drawn and "step" in drawn
    assert max(map(len, terminal.plot(Chart("a", {"b": SCALE}), columns=60).split("\n"))) <= 60
    terminal.plot(Chart("flat", {"lr": [(1, 0.0)]}))


def test_the_report_and_the_status_on_a_terminal(
    bridge: ftbridge.Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = evaluated(bridge, tmp_path, "internal")
    assert run(["report", job.id]) == 0
    said = capsys.readouterr().out
    for text in (f"Job {job.id}", "== Cost", "Loss over steps", "train_loss", "better, by exact"):
        assert text in said, text
    assert "number 0" not in said
    assert run(["report", job.id, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["job"] == job.id
    kinds = {each["type"] for section in found["sections"] for each in section["parts"]}
    assert {"chart", "intervals", "table", "text"} <= kinds
    assert run(["status", job.id, "--plot"]) == 0
    assert "Loss over steps" in capsys.readouterr().out
    assert run(["status", job.id, "--plot", "--json"]) == 0
    curves = json.loads(capsys.readouterr().out)["curves"]
    assert curves[0]["title"] == "Loss over steps" and curves[0]["series"]["train_loss"]


def test_without_plotille_the_rest_is_shown(
    bridge: ftbridge.Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(terminal, "find_spec", lambda name: None)
    job = evaluated(bridge, tmp_path, "internal")
    assert run(["report", job.id]) == 0
    assert "pip install 'ftbridge[plots]'" in capsys.readouterr().out


def test_every_drawing_has_its_table() -> None:
    chart = Chart("many", {"loss": [(x, 1.0) for x in range(5000)]}).table()
    assert len(chart.rows) <= 202 and "every 25th step" in chart.caption
    assert chart.rows[-1][0] == 4999
    bars = Bars("USD", ("estimated", "billed"), [("2026-11", (1.0, None))]).table()
    assert bars.rows == [("2026-11", "1", "unknown")]
