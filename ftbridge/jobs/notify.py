"""Telling somebody that a job has ended: a command, or a webhook."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from ftbridge.errors import OperationFailed, UsageError
from ftbridge.jobs import leases
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.policy.transport import in_the_clear

COMMAND_SECONDS = 60.0
WEBHOOK_SECONDS = 10.0


def check_target(target: str) -> None:
    """Raise UsageError where the target is neither a command nor a web address, or one that
    would be spoken to in the clear."""
    try:
        words = shlex.split(target)
    except ValueError:
        words = []
    if not words:
        raise UsageError(
            f"`{target}` is no command",
            hint="give a command, or an http(s) address that takes a POST",
            where="--notify",
        )
    if in_the_clear(target):
        raise UsageError(
            f"{words[0]}: not encrypted; what a job is about could be read on the way",
            hint="use an https:// address; plain http is for this machine alone",
            where="--notify",
        )


def tell_once(target: str, row: JobRow, document: Mapping[str, Any], ledger: Ledger) -> bool:
    """Tell the target of a final state unless somebody was told before.

    Kept in the ledger after it was delivered: a crash in between tells twice rather than never.

    Raises:
        OperationFailed: where the target could not be reached, or refused.
    """
    with leases.held(ledger.steps, row.id):
        if ledger.jobs.was_notified(row.id):
            return False
        body = json.dumps(document, default=float, ensure_ascii=False)
        if target.startswith(("http://", "https://")):
            _post(target, body)
        else:
            _run(target, row, body)
        ledger.jobs.mark_notified(row.id)
    return True


def _post(url: str, body: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - http(s) only, see tell_once
        url, body.encode(), {"content-type": "application/json", "user-agent": "ftbridge"}
    )
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        with error:
            raise _failed(f"the webhook answered {error.code}") from None
    except (OSError, ValueError) as error:
        raise _failed(f"the webhook cannot be reached ({type(error).__name__})") from None


def _run(command: str, row: JobRow, body: str) -> None:
    """Without a shell; the document comes on stdin, the gist in the environment."""
    gist = {
        "FTBRIDGE_JOB": row.id,
        "FTBRIDGE_STATE": str(row.state),
        "FTBRIDGE_PROVIDER": row.provider,
        "FTBRIDGE_MODEL": row.result_model or "",
    }
    try:
        subprocess.run(
            shlex.split(command),
            input=body.encode(),
            stdout=subprocess.DEVNULL,
            env=os.environ | gist,
            timeout=COMMAND_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise _failed(f"the command ended with {error.returncode}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(f"the command did not run ({type(error).__name__})") from None


def _failed(message: str) -> OperationFailed:
    return OperationFailed(
        f"nobody was notified: {message}",
        hint="correct --notify and watch again",
        where="--notify",
        code="notify",
    )
