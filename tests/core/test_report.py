"""The page of a job: whole, well formed, nothing fetched, nothing of the data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.pages import Markup, html, table
from ftbridge.report.curve import MOST, chart
from ftbridge.report.parts import Chart

VOID = {"meta", "br"}


class Tags(HTMLParser):
    """Checks that every element is closed, and collects addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [str(v) for k, v in attrs if k in ("src", "href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


def well_formed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.open == [] and tags.addresses == []
    assert not tags.seen & {"script", "link", "img", "iframe"} and "url(" not in page
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(drawing)
    return tags


@pytest.fixture
def bridge(vendor: Account) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def test_a_page_with_all_parts(bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    data = write_chats(tmp_path / "<train>.jsonl", "canary")
    job = bridge.submit(
        bridge.plan(data, provider="openai", validation=write_chats(tmp_path / "v.jsonl", "valid"))
    ).wait(0.05)
    bridge.evaluate(write_chats(tmp_path / "held.jsonl", "number", count=30), model=job.id)
    page = bridge.report(job.id)
    tags = well_formed(page)
    assert "svg" in tags.seen and "&lt;train&gt;" in page and "<train>" not in page
    for part in (job.id, "better, by exact_match on 30 rows", "Loss", "the values", "Settings",
                 "Training data", "Validation data", "developers.openai.com"):  # fmt: skip
        assert part in page, part
    assert "canary 3" not in page and "number 3" not in page
    data.write_text(data.read_text() * 2)
    assert "has changed since" in bridge.report(job.id)
    data.unlink()
    assert "cannot be read any more" in bridge.report(job.id)


def test_a_job_that_has_nothing_yet(
    bridge: ftbridge.Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = bridge.submit(bridge.plan(write_chats(tmp_path / "t.jsonl", "a"), provider="openai"))
    out = tmp_path / "out" / "report.html"
    assert run(["report", job.id, "-o", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"job": job.id, "out": str(out)}
    page = out.read_text()
    well_formed(page)
    assert "None yet" in page and "no measured values" in page
    assert run(["report", "job_none", "-o", str(out)]) == 2


def test_curves() -> None:
    many = [(step, 1 / (step + 1)) for step in range(5000)]
    drawing = chart(Chart("Loss <&>", {"loss": many, "valid_loss": [(4999, 0.5)], "none": []}))
    root = ElementTree.fromstring(drawing)
    lines = [each for each in root.iter() if each.tag.endswith("polyline")]
    points = lines[0].attrib["points"].split()
    assert len(lines) == 2 and len(points) <= MOST + 1
    heights = [float(point.split(",")[1]) for point in points]
    assert heights == sorted(heights), "a falling loss falls on the page"
    ElementTree.fromstring(chart(Chart("flat", {"lr": [(0, 0.0), (1, 0.0)]})))


def test_what_is_text_is_escaped() -> None:
    assert html("<b>") == "&lt;b&gt;" and html(Markup("<b>")) == "<b>" and html(None) == "-"
    assert "<script>" not in table(("<script>",), [("<script>",)], caption="<script>")
