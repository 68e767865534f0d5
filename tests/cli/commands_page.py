"""Writes ``docs/commands.md`` from the commands: ``python tests/cli/commands_page.py``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli import COMMANDS, cli

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
HEAD = """# Commands

Generated from the commands by `python tests/cli/commands_page.py`; a test compares.
Every command takes `--json` (one JSON document on stdout) and `--home DIR`.
"""


def page() -> str:
    """The whole page."""
    context = click.Context(cli, info_name="ftbridge")
    parts = [HEAD]
    for name, summary in COMMANDS.items():
        found = cli.get_command(context, name)
        assert found is not None
        parts.append(_section(f"ftbridge {name}", summary, found))
        if isinstance(found, click.Group):
            parts += [
                _section(f"ftbridge {name} {sub}", "", child)
                for sub, child in found.commands.items()
            ]
    return "\n".join(parts)


def _section(path: str, summary: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"## `{path}`", "", summary, "", f"`{path} {usage}`", ""]
    lines += [" ".join(text.split()) + "\n" for text in (command.help or "").split("\n\n")]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in ("as_json", "home"):
            lines.append(f"- `{', '.join(parameter.opts)}` {parameter.help or ''}".rstrip())
    return "\n".join(lines).replace("\n\n\n", "\n\n").rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
