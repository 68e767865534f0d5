"""Mistral's emulator on tape behind a socket, and specs to try it with."""

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
from ftbridge_mistral import Provider
from ftbridge_mistral.emulator import Store, create_app

KEY = "mistral-very-secret"
MODEL, CLASSIFIER = "open-mistral-nemo", "ministral-3b-latest"


@dataclass
class Vendor:
    """One emulated account. ``ahead`` seconds are what its clock is in front of ours."""

    switch: Switch
    url: str
    home: Path
    ahead: float = 0.0

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

    def upload(self, provider: Provider, content: bytes) -> str:
        """Send a file."""
        return provider.upload(self.checked(provider, content)).id

    def checked(self, provider: Provider, content: bytes) -> CheckedUpload:
        path = self.home / "train.jsonl"
        path.write_bytes(content)
        place = provider.destination
        return check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, place)


def spec(**changes: Any) -> JobSpec:
    """A job with nothing set."""
    data = DataRef(path="t.jsonl", sha256="0" * 64, kind=Kind.CHAT, examples=12, bytes=10)
    base = {"provider": "mistral", "model": MODEL, "training": data}
    return JobSpec.model_validate(base | changes)
