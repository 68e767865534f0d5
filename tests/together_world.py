"""Together's emulator on tape behind a socket, its clock in the test's hand."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulated import Switch
from tape import Tape

from ftbridge.dataset.types import Kind
from ftbridge.files import sha256_of
from ftbridge.jobs.spec import DataRef, JobSpec
from ftbridge.policy import CheckedUpload, Privacy, check_upload
from ftbridge.provider import Context
from ftbridge_together import Provider
from ftbridge_together.emulator import Store, create_app

KEY = "together-very-secret"
MODEL = "Qwen/Qwen3.5-9B"


@dataclass
class Vendor:
    """One emulated account. ``ahead`` seconds are what its clock is in front of ours."""

    switch: Switch
    url: str
    home: Path
    ahead: float = 0.0
    speed: float = 1.0

    def reset(self, home: Path, speed: float = 1.0) -> None:
        """An empty account and an empty tape."""
        self.home, self.ahead = home, 0.0
        app = create_app(api_key=KEY, clock=lambda: time.time() + self.ahead, speed=speed)
        self.switch.app = self.tape = Tape(app)
        self.store: Store = app.state.store

    def connect(self, **options: str) -> Provider:
        """The provider, pointed at it."""
        quick = {"base_url": self.url, "settle_seconds": "0.1", "patience_seconds": "1",
                 "poll_seconds": "0.05"}  # fmt: skip
        return Provider(Context(self.home, quick | options))

    def upload(self, provider: Provider, content: bytes, name: str = "train.jsonl") -> str:
        """Send a file and let its validation pass."""
        made = provider.upload(self.checked(provider, content, name)).id
        self.ahead += 5
        return made

    def checked(
        self, provider: Provider, content: bytes, name: str = "train.jsonl"
    ) -> CheckedUpload:
        path = self.home / name
        path.write_bytes(content)
        place = provider.destination
        return check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, place)


def spec(**changes: Any) -> JobSpec:
    """A LoRA job with nothing set."""
    data = DataRef(path="t.jsonl", sha256="0" * 64, kind=Kind.CHAT, examples=12, bytes=10)
    base = {"provider": "together", "model": MODEL, "adapter": "lora", "training": data}
    return JobSpec.model_validate(base | changes)
