"""Real processes without the cost of starting Python: this one imports everything once and forks
a child for each command line that it is given. The child is killed by a real SIGKILL."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import openai  # noqa: F401 - imported once, for all children

import ftbridge_local.adapter
import ftbridge_openai.adapter  # noqa: F401
import ftbridge_trainer.recipe  # noqa: F401
from ftbridge import cli, files
from ftbridge.bridge import Bridge  # noqa: F401
from ftbridge.cli import jobs, resume, status, submit, watch  # noqa: F401
from ftbridge.jobs.ledger.history import History
from ftbridge.jobs.ledger.jobs import Jobs
from ftbridge.jobs.ledger.steps import Steps
from ftbridge.jobs.ledger.uploads import Uploads
from ftbridge_local.runs import Run

with suppress(ImportError):  # where the extra is not installed its cases are not run
    import together  # noqa: F401

    import ftbridge_together.adapter  # noqa: F401

BOUNDARIES: list[tuple[Any, str, Callable[..., str]]] = [
    (Jobs, "intend", lambda *_: "intend"),
    (Jobs, "adopt", lambda *_: "adopt"),
    (Steps, "start", lambda _s, _j, name: f"start.{name}"),
    (Steps, "finish", lambda _s, _j, name, _r: f"finish.{name}"),
    (History, "add_training_rows", lambda *_: "rows"),
    (Uploads, "add", lambda _s, _j, upload, *_: f"record.{upload.purpose}"),
    (Run, "prepare", lambda *_: "run.recipe"),
    (Run, "start", lambda *_: "run.start"),
    (ftbridge_local.adapter.LocalProvider, "upload", lambda _s, u: f"copy.{u.purpose}"),
]
"""What is committed during a submit, and what the local provider does: all may be crashed at."""


def _wrap(owner: Any, name: str, label: Callable[..., str], act: Callable[[str], None]) -> None:
    real = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        what = label(*args, **kwargs)
        act(f"{what}:before")
        result = real(*args, **kwargs)
        act(f"{what}:after")
        return result

    wrapped.__name__ = name
    setattr(owner, name, wrapped)


def _child(order: dict[str, Any]) -> int:
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.dup2(os.open(order["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    os.environ.update(order["env"])
    sys.path[:0] = order["path"]

    def act(point: str) -> None:
        os.write(log, (point + "\n").encode())
        if point == order["crash"]:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name, label in BOUNDARIES:
        _wrap(owner, name, label, act)
    # the pid file is the last thing that a local create writes
    import ftbridge_local.runs as runs

    real = files.atomic_write

    def atomic_write(path: Any) -> Any:
        if path.name == "worker.pid":
            act("run.pid:before")
        return real(path)

    runs.atomic_write = atomic_write
    return cli.run(order["args"])


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = _child(order)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, ended = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(ended)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
