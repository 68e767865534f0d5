"""A real Ray head on this machine, and a stand-in for the trainer that a test tells when to end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ftbridge import clock

TOKEN = "ray-sandbox-0123456789abcdef0123456789abcdef"
PATIENCE = 180.0
STUB = """#!/bin/sh
# In place of python: waits for OUT/finish, copies what a run leaves, and ends as it says.
while [ "$1" != "--out" ]; do shift; done
mkdir -p "$2"
echo $$ > "$2/pid"
while [ ! -e "$2/finish" ]; do sleep 0.1; done
cp -r "{finished}/." "$2/"
"""


@dataclass
class Head:
    """A head, and the folder that it shares with us."""

    url: str
    storage: Path
    python: Path

    def env(self, home: Path, **more: str) -> dict[str, str]:
        """What points ftbridge at it, with little patience."""
        return {
            "FTBRIDGE_HOME": str(home),
            "RAY_API_SERVER_ADDRESS": self.url,
            "RAY_AUTH_TOKEN": TOKEN,
            "FTBRIDGE_RAY_STORAGE": str(self.storage),
            "FTBRIDGE_RAY_SETTLE_SECONDS": "0.1",
            "FTBRIDGE_RAY_POLL_SECONDS": "0.2",
            "FTBRIDGE_RAY_PATIENCE_SECONDS": "5",
        } | more


def until(reached: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait; fails when it takes too long."""
    deadline = clock.monotonic() + seconds
    while not reached():
        assert clock.monotonic() < deadline
        clock.sleep(0.1)


def _ports(count: int) -> list[int]:
    with suppress(OSError):
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        found = [listener.getsockname()[1] for listener in listeners]
        for listener in listeners:
            listener.close()
        return found
    raise AssertionError("no free port")


@contextmanager
def head() -> Iterator[Head]:
    """Start one, of our own ports and folder, and end it with all that it started."""
    with tempfile.TemporaryDirectory(
        prefix="ftray-", dir="/tmp", ignore_cleanup_errors=True
    ) as made:  # short: sockets lie in it
        folder = Path(made)
        process = _start(folder, dashboard := _ports(1)[0])
        try:
            until(lambda: _answers(f"http://127.0.0.1:{dashboard}", process))
            yield Head(f"http://127.0.0.1:{dashboard}", _shared(folder), folder / "python")
        finally:
            _end(process, folder)


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """End the head and all that it started: what Ray starts leaves the process group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(20)
    for survivor in (process.pid, *_survivors(folder)):
        with suppress(ProcessLookupError):
            os.kill(survivor, signal.SIGKILL)
    process.wait()


def _start(folder: Path, dashboard: int) -> subprocess.Popen[bytes]:
    gcs, client, http = _ports(3)
    command = [
        str(Path(sys.executable).parent / "ray"), "start", "--head", "--block", f"--port={gcs}",
        "--node-ip-address=127.0.0.1", f"--dashboard-port={dashboard}", "--num-cpus=4",
        f"--ray-client-server-port={client}", f"--dashboard-agent-listen-port={http}",
        "--min-worker-port=0", "--max-worker-port=0", "--disable-usage-stats",
        f"--temp-dir={folder / 'r'}",
    ]  # fmt: skip
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
    return subprocess.Popen(
        command, env={**os.environ, **quiet, "OMP_NUM_THREADS": "1"}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether it takes jobs: its agent comes after its list. The job is deleted by the first test
    that looks at all."""
    assert process.poll() is None, "the head has ended"
    body = json.dumps({"entrypoint": "true", "submission_id": "ready"}).encode()
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    request = urllib.request.Request(f"{url}/api/jobs/", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _shared(folder: Path) -> Path:
    """The shared folder, and the stand-in beside it."""
    from pretended import leave

    leave(folder / "finished")
    stub = folder / "python"
    stub.write_text(STUB.format(finished=folder / "finished"))
    stub.chmod(0o755)
    (folder / "shared").mkdir()
    return folder / "shared"


def _survivors(folder: Path) -> list[int]:
    """Processes that name the head's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if str(folder / "r").encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found
