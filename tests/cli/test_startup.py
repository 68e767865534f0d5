"""What help may import, and that every command is there."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import click
import pytest

from ftbridge.cli import COMMANDS, cli

from .conftest import Ask

HEAVY = ["pydantic", "sqlalchemy", "alembic", "httpx", "httpx2", "openai", "torch",
         "transformers", "boto3", "importlib.metadata", "msgspec", "rich", "numpy"]  # fmt: skip
LIST = (
    "import sys, runpy\n"
    "sys.argv = ['ftbridge', *{args!r}]\n"
    "try:\n    runpy.run_module('ftbridge', run_name='__main__')\n"
    "except SystemExit as end:\n    assert not end.code, end.code\n"
    "print('\\n'.join(sys.modules), file=sys.stderr)\n"
)


def _modules(*args: str) -> set[str]:
    code = LIST.format(args=list(args))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout
    return set(done.stderr.split())


def test_help_imports_nothing_heavy() -> None:
    assert not _modules("--help") & set(HEAVY)


def test_the_installed_command_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom ftbridge.cli import run\n"
        "assert run(['--help']) == 0\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not set(done.stderr.split()) & set(HEAVY)


def test_providers_imports_no_sdk() -> None:
    found = _modules("providers", "--json")
    assert not found & {"openai", "torch", "transformers", "peft", "boto3", "httpx", "rich"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_the_common_options(name: str, ask: Ask) -> None:
    answer = ask(name, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"Usage: ftbridge {name}")
    command = import_module(f"ftbridge.cli.{'eval_' if name == 'eval' else name}").command
    assert isinstance(command, click.Command)
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--home"} <= options


def test_help_of_the_whole(ask: Ask) -> None:
    answer = ask("--help")
    assert answer.code == 0
    assert all(f"  {name} " in answer.out for name in cli.list_commands(click.Context(cli)))
    assert ask("--version").out.startswith("ftbridge, version ")


def test_no_command_shows_help_and_is_wrong_usage(ask: Ask) -> None:
    answer = ask()
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("Usage: ftbridge")


def test_the_page_of_commands_is_up_to_date() -> None:
    from .commands_page import PAGE, page

    assert PAGE.read_text("utf-8") == page(), "run: python tests/cli/commands_page.py"
