"""Stands in for the trainer: the same contract with its folder, no torch, a third of a second."""

import fcntl
import json
import os
import sys
import time
from pathlib import Path

run = Path(sys.argv[1])
handle = os.open(run / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
try:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(1)


def status(state: str, **more: object) -> None:
    content = {"state": state, "pid": os.getpid(), "step": 1, "total_steps": 2} | more
    (run / "status.tmp").write_text(json.dumps(content))
    (run / "status.tmp").replace(run / "status.json")


if (run / "result.json").exists():
    sys.exit(0)
status("running")
time.sleep(0.3)
(run / "adapter").mkdir(exist_ok=True)
(run / "result.json").write_text(json.dumps({"adapter": "lora", "output": "adapter"}))
with (run / "trained.txt").open("a") as stream:
    stream.write("once\n")
status("succeeded", step=2, trained_tokens=10)
