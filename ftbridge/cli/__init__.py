"""The command line: a thin shell over the library, one small module a command.

Nothing but click is imported to show help; a command's module is imported when it runs.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from ftbridge import __version__

COMMANDS = {
    "check": "Validate a data file and judge its quality.",
    "convert": "Any format to any other, naming what is lost.",
    "split": "Hold rows out for validation, leak-free, the same way every time.",
    "redact": "Replace secrets and personal data by placeholders.",
    "tokens": "Count tokens, frames and tools included.",
    "data": "Drafts by models that a person reviews; answers rated for DPO.",
    "advise": "Prompt, retrieve, classify, collect or tune, with the evidence.",
    "compare": "What would it cost, at every place that can do it.",
    "prices": "The price book: list, set, export, refresh.",
    "costs": "What jobs cost, against what was estimated.",
    "plan": "Show what submit would do; send nothing.",
    "submit": "Train: write the intent, upload, create, and optionally watch.",
    "jobs": "List jobs.",
    "status": "Look once at a job.",
    "watch": "Follow a job to its end.",
    "events": "What happened in a job.",
    "checkpoints": "The states of a job's model, and which of them answer.",
    "cancel": "Stop a job for good.",
    "pause": "Stop a job so that it can go on.",
    "resume": "Bring a job forward: unfinished submit, paused, or dead.",
    "resolve": "Settle a job whose create had no answer.",
    "purge": "Delete a job's training data at the vendor.",
    "policy": "Which data may go where, and by which rule.",
    "egress": "The account of what left this machine.",
    "rerun": "The same job on new data.",
    "move": "The same data and spec at another provider, and what changes.",
    "retirements": "What stops working when, and how to move it.",
    "sweep": "A few values of a few hyperparameters, and the best by held-out rows.",
    "track": "Tell MLflow or Weights & Biases of jobs.",
    "eval": "Tuned model against baseline, on held-out rows.",
    "report": "What became of a job, as one page.",
    "alias": "Name the model in use; moved only to a better one.",
    "chat": "Ask a model once, or talk to it.",
    "deploy": "Make a tuned model answer; shows first what an hour costs.",
    "undeploy": "Stop a deployment and its bill.",
    "delete": "Delete a tuned model at the vendor.",
    "serve": "Answer OpenAI's chat endpoint with a model.",
    "download": "Bring a tuned model's weights to a folder.",
    "export": "Config and data for a trainer that a team runs already.",
    "providers": "What can be done where.",
    "models": "Which models can be tuned; fetch one for local use.",
    "doctor": "Are packages, credentials and access in order.",
    "sandbox": "Run a vendor's emulator here, for rehearsal.",
}
"""Every command and its one-line help. The module is named after it (``eval`` -> ``eval_``)."""


class _Commands(click.Group):
    """Commands by name from the table; imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"ftbridge.cli.{'eval_' if cmd_name == 'eval' else cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"No command is called `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ftbridge")
def cli() -> None:
    """One dataset format, one job interface over every place that fine-tunes language models.

    Exit codes: 0 done; 1 the job or operation failed; 2 wrong usage; 3 bad data; 4 provider,
    credentials, network; 5 refused by policy or budget; 130 interrupted.
    """


def main() -> None:
    """Entry point: run a command and turn every error into a sentence and an exit code."""
    # a process of our own: paid calls are made by one that outlives it (evaluate/outlive.py)
    os.environ.setdefault("FTBRIDGE_OUTLIVE", "1")
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run with these arguments and return the exit code."""
    try:
        result: Any = cli.main(args=args, prog_name="ftbridge", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        asked.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        return 130
    except SystemExit:
        # click leaves with 1 where stdout was closed; a reader who has seen enough is no failure
        if type(sys.stdout).__name__ == "_PacifyFlushWrapper":
            return 0
        raise
    except Exception as error:
        from ftbridge.cli.failure import report

        return report(error, as_json="--json" in args)
