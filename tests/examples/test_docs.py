"""What the documents say is there: every link, and every command line with its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ftbridge.cli import COMMANDS, cli

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "examples", "providers", "local_backend", "benchmarks")
PAGES = sorted([*ROOT.glob("*.md"), *(p for name in FOLDERS for p in (ROOT / name).rglob("*.md"))])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^```(?:console|sh|shell|bash)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(ftbridge [^`]+)`")
ENDS = {"&", "&&", "|", ";", ">"}
PLACEHOLDER = re.compile(r"[A-Z_]+|\.\.\.")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def _lines(text: str) -> Iterator[str]:
    """Every command line that begins with ``ftbridge``, in shells and in the running text."""
    for block in SHELL.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if line.removeprefix("$ ").startswith("ftbridge "):
                yield line.removeprefix("$ ")
    for said in INLINE.findall(FENCE.sub("", text)):
        yield " ".join(said.split())


def problem(line: str) -> str:
    """What is wrong with a command line; empty if it could be typed."""
    words = shlex.split(line, comments=True)[1:]
    words = words[: next((i for i, word in enumerate(words) if word in ENDS), len(words))]
    if not words or PLACEHOLDER.fullmatch(words[0]) or words[0] in ("--help", "--version", "-h"):
        return ""
    if words[0] not in COMMANDS:
        return f"no command {words[0]}"
    context = click.Context(cli)
    command = cli.get_command(context, words[0])
    known = {"--help", "-h"}
    while command is not None:
        known |= {name for p in command.params for name in [*p.opts, *p.secondary_opts]}
        inner = command.commands if isinstance(command, click.Group) else {}
        command = next((inner[word] for word in words[1:] if word in inner), None)
    options = [word.split("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)]
    unknown = [option for option in options if option not in known]
    return f"{words[0]} has no {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    lost = []
    for target in LINK.findall(FENCE.sub("", text)):
        place, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", place):
            continue
        found = (page.parent / place) if place else page
        named = found.suffix == ".md" and bool(anchor)
        if not found.exists() or (named and anchor not in _anchors(found.read_text("utf-8"))):
            lost.append(target)
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_can_be_typed(page: Path) -> None:
    wrong = {line: problem(line) for line in _lines(page.read_text("utf-8")) if problem(line)}
    assert not wrong


def test_hints_name_commands_that_exist() -> None:
    """What errors and warnings tell people to type; f-strings with values in them are left out."""
    wrong = []
    for folder in ("ftbridge", "providers", "local_backend"):
        for path in sorted(
            p for kind in ("py", "toml") for p in (ROOT / folder).rglob(f"*.{kind}")
        ):
            for said in INLINE.findall(path.read_text("utf-8")):
                line = " ".join(said.replace('"', " ").split())
                if "{" not in line and problem(line):
                    wrong.append(f"{_name(path)}: {line}: {problem(line)}")
    assert not wrong


def test_what_cannot_be_typed_is_noticed() -> None:
    assert problem("ftbridge trane DATA") == "no command trane"
    assert problem("ftbridge submit DATA --provider x --colour red") == "submit has no --colour"
    assert problem("ftbridge models fetch NAME --family x | head -3") == ""
