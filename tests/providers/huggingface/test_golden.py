"""The exact HTTP requests of a whole job, from the machine asked for to the data deleted again.

``golden.json`` was reviewed on 2026-11-25 against ``hf_api.py``, ``_jobs_api.py`` and
``_buckets.py`` of huggingface_hub 2.4.0. Content itself goes through ``hf_xet`` and is not here.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from emulated import write_chats
from huggingface_place import Account
from tape import Tape, shown

import ftbridge

FILE = Path(__file__).with_name("golden.json")
NAMES = {
    r"ftb-[0-9a-f]{32}": "<key>",
    r"ftbridge-[0-9a-f]{24}": "<content>",
    r"(?<=sandbox/)[0-9a-f]{24}": "<id>",
    r'(?<="xetHash": ")[0-9a-f]{64}': "<hash>",
    r'(?<="mtime": )[0-9]+': "0",
}
"""What differs from run to run."""
POLLED = re.compile(r"GET .*(/resolve/|/api/jobs/sandbox/<id>$|xet-read-token|agent-harnesses)")


def test_every_request_of_a_job(place: Account, bridge: ftbridge.Bridge, tmp_path: Path) -> None:
    tape = Tape(place.switch.app)
    place.switch.app = tape
    tape.state = tape.app.state  # type: ignore[attr-defined]
    data = write_chats(tmp_path / "train.jsonl")
    options = {"machine": "a10g-small", "hours": "2"}
    job = bridge.submit(
        bridge.plan(data, provider="huggingface", n_epochs=1, options=options, max_usd=5)
    )
    (remote,) = place.store.jobs.values()
    place.finish(remote)
    job.wait()
    job.download(tmp_path / "weights")
    job.purge()
    seen = [line for line in shown(tape.exchanges, NAMES) if not POLLED.match(line["request"])]
    if os.environ.get("FTBRIDGE_TEST_WRITE_GOLDEN"):
        FILE.write_text(json.dumps(seen, indent=1, sort_keys=True) + "\n", "utf-8")
    assert seen == json.loads(FILE.read_text("utf-8"))
