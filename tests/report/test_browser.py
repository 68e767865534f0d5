"""Every page in a real browser: nothing asked for, nothing complained of, all drawn, accessible.

Debian's Chromium through Playwright; accessibility by axe-core, which axe-playwright-python ships.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.provider import RemoteMetric

LONG = [pytest.mark.long]
INSTALL = "apt-get install -y chromium (as root), and the tests' packages: pip install --group dev"
ARTIFACTS = Path(os.environ.get("FTBRIDGE_TEST_ARTIFACTS", Path(__file__).parents[2] / "artifacts"))
PAGES = ("report", "jobs", "check", "compare")
CASES = [
    pytest.param(name, scheme, marks=[] if (name, scheme) == ("report", "dark") else LONG)
    for name in PAGES
    for scheme in ("dark", "light")
]
DRAWN = """() => [...document.querySelectorAll('svg')].map(svg => {
  const box = svg.getBoundingClientRect();
  const marks = [...svg.querySelectorAll('.line, .dot')];
  const seen = marks.filter(mark => {
    const style = getComputedStyle(mark), size = mark.getBBox();
    const paint = mark.classList.contains('dot') ? style.fill : style.stroke;
    return paint !== 'none' && paint !== 'rgb(0, 0, 0)' && size.width + size.height > 0;
  });
  const parent = svg.parentElement;
  return {name: svg.getAttribute('aria-label'), wide: box.width > 300, high: box.height > 60,
          marks: marks.length, seen: seen.length, tables: parent.querySelectorAll('table').length};
})"""
OPEN = """() => document.querySelectorAll('section').forEach(section =>
  [...section.querySelectorAll('details')].slice(0, 4).forEach(part => { part.open = true }))"""
"""Some of each section: what is alike is looked at once."""
HIDDEN = """async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  const folded = [...document.querySelectorAll('details table')];
  return folded.filter(table => !table.checkVisibility()).length;
}"""


def chromium() -> str | None:
    """Where the browser is; FTBRIDGE_TEST_CHROMIUM names another."""
    names = (os.environ.get("FTBRIDGE_TEST_CHROMIUM", ""), "chromium", "chromium-browser")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    if path is None:
        pytest.skip(f"no Chromium here: {INSTALL}")
    api = pytest.importorskip("playwright.sync_api", reason=f"no Playwright here: {INSTALL}")
    with api.sync_playwright() as playwright:
        # Root may not use the sandbox; the pages are our own.
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def pages(served: Account, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The four kinds of page, of an emulated account with jobs of every fate."""
    folder = tmp_path_factory.mktemp("pages")
    served.reset(speed=200)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in served.env(folder / "home").items():
            patch.setenv(name, value)
        made = {name: folder / f"{name}.html" for name in PAGES}
        _make(folder, made)
    return made


def _make(folder: Path, made: dict[str, Path]) -> None:
    bridge = ftbridge.Bridge()
    data = write_chats(folder / "train.jsonl", "question", count=40)
    held = write_chats(folder / "valid.jsonl", "valid")
    plan = bridge.plan(data, provider="openai", validation=held, privacy="public", n_epochs=3)
    job = bridge.submit(plan).wait(0.05)
    asked = write_chats(folder / "held.jsonl", "number", count=30)
    for file in (data, asked):
        file.with_name(f"{file.name}.ftbridge.toml").write_text('privacy = "public"\n')
    rates = [RemoteMetric(step, "learning_rate", 1e-3 * (1 - step / 90)) for step in range(1, 91)]
    bridge.ledger.history.add_metrics(job.id, rates)  # which this vendor does not tell
    metrics = ("exact_match", "chrf")
    bridge.evaluate(asked, model=job.id, metrics=metrics, privacy="public", forgetting=True)
    bridge.submit(bridge.plan(write_chats(folder / "b.jsonl", "b"), provider="openai")).cancel()
    bridge.submit(bridge.plan(write_chats(folder / "c.jsonl", "c"), provider="openai"))
    bridge.ledger.close()
    for args in (
        ["report", job.id, "-o", made["report"], "--calls-per-month", "5000"],
        ["jobs", "--html", made["jobs"]],
        ["check", data, "--html", made["check"]],
        ["compare", data, "--html", made["compare"], "--months", "12", "--calls-per-month",
         "20000", "--against", "openai:gpt-4.1"],
    ):  # fmt: skip
        assert run([str(word) for word in args]) == 0, args


def _opened(browser: Any, path: Path, scheme: str) -> tuple[Any, list[str]]:
    """The page, and what is wrong so far: complaints, errors, requests."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1100, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(f"console {said.type}: {said.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("request", lambda asked: wrong.append(f"request: {asked.url}")
            if asked.url != path.as_uri() else None)  # fmt: skip
    page.goto(path.as_uri())
    return page, wrong


@pytest.mark.parametrize(("name", "scheme"), CASES)
def test_a_page_in_the_browser(
    name: str, scheme: str, browser: Any, pages: dict[str, Path]
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page, wrong = _opened(browser, pages[name], scheme)
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}-{scheme}.png", full_page=True)
    page.evaluate(OPEN)
    assert name != "report" or "number 0" in page.content(), "public rows stand side by side"
    drawings = page.evaluate(DRAWN)
    expected = {"report": 6, "jobs": 1, "check": 0, "compare": 1}[name]
    assert len(drawings) >= expected, drawings
    for drawing in drawings:
        assert drawing["wide"] and drawing["high"], drawing
        assert drawing["seen"] == drawing["marks"] > 0, drawing
        assert drawing["tables"] > 0, f"no table behind {drawing['name']}"
    faults = Axe().run(page).response["violations"]
    assert not [f"{f['id']} ({f['impact']}): {f['nodes'][0]['html'][:200]}" for f in faults]
    assert wrong == []
    page.context.close()


@pytest.mark.long
@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_paper(name: str, browser: Any, pages: dict[str, Path]) -> None:
    page, wrong = _opened(browser, pages[name], "dark")
    page.emulate_media(media="print")
    assert page.evaluate(HIDDEN) == 0, "what is folded on a screen is shown on paper"
    colour = page.evaluate("() => getComputedStyle(document.body).color")
    assert colour == "rgb(0, 0, 0)", "dark mode does not reach the paper"
    assert page.pdf()[:5] == b"%PDF-"
    assert wrong == []
    page.context.close()
