"""A ``python`` grader: the person's own program, in a process of its own that reaches no network.

It is no sandbox: the program runs as the person who started the training, like any script of
theirs. It sees neither the environment nor the trainer's memory, and a hook of the interpreter
refuses sockets.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from .errors import TrainerError

SECONDS = 60.0
"""What one answer's grading may take."""

_RUNNER = """
import json, sys
def refuse(event, args):
    if event.startswith("socket."):
        raise OSError("a grader may not open sockets")
sys.addaudithook(refuse)
out, sys.stdout = sys.stdout, sys.stderr
names = {"__name__": "grader"}
exec(compile(json.loads(sys.stdin.readline()), "grader", "exec"), names)
for line in sys.stdin:
    asked = json.loads(line)
    try:
        told = {"score": float(names["grade"](asked["sample"], asked["item"]))}
    except Exception as error:
        told = {"error": type(error).__name__}
    out.write(json.dumps(told) + "\\n")
    out.flush()
"""


class Program:
    """One grader's process, kept until :meth:`close`."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _RUNNER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may print the answers that it grades
            env={"PATH": os.environ.get("PATH", "")},
        )
        self._send(source)

    def score(self, spaces: Mapping[str, Any]) -> float:
        """What ``grade(sample, item)`` returns.

        Raises:
            TrainerError: where it raises, ends, takes longer than ``SECONDS``, or gives no number.
        """
        self._send(dict(spaces))
        told = self._answer()
        if "error" in told:
            raise self._failed(f"raises {told['error']}")
        value = float(told["score"])
        if not math.isfinite(value):
            raise self._failed("gives no finite number")
        return value

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _send(self, content: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(content).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed("cannot be loaded, or has ended by itself") from None

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            if not waiting.select(SECONDS):
                self.close()
                raise self._failed(f"takes longer than {SECONDS:.0f} seconds for one answer")
        line = self._process.stdout.readline()
        if not line:
            raise self._failed("cannot be loaded, or has ended by itself")
        told: dict[str, Any] = json.loads(line)
        return told

    def _failed(self, why: str) -> TrainerError:
        return TrainerError(
            "grader_failed",
            f"the grader `{self.name}` {why}",
            "call its grade(sample, item) by hand with one of the data's lines",
        )
