"""What the public conformance suite needs of a provider's emulator, and what its tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import pytest

from ftbridge.cost.prices import PriceBook
from ftbridge.dataset import Dataset
from ftbridge.files import sha256_of
from ftbridge.jobs.payload import payload_lines
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.planning import Limits, make_plan
from ftbridge.jobs.spec import DataRef, JobSpec, Method
from ftbridge.jobs.states import State
from ftbridge.policy import CheckedUpload, Privacy, check_upload
from ftbridge.provider import Provider, RemoteJob
from ftbridge.testing.proxy import Injector

ROWS = 12


class Rehearsal(Protocol):
    """A provider's emulator in the hands of a test."""

    secrets: tuple[str, ...]
    """Credentials that no error may show."""

    def connect(self, **options: str) -> Provider:
        """The provider, pointed at the emulator, with these options on top."""
        ...

    def advance(self, remote_id: str, state: State) -> None:
        """Let a job reach a state: validating, queued, running, succeeded or cancelled."""
        ...

    def say(self, remote_id: str, word: str) -> None:
        """Let a job show this raw state."""
        ...

    def count(self) -> tuple[int, int]:
        """How many jobs and uploaded files there are."""
        ...


class Wired(Rehearsal, Protocol):
    """The same behind the fault injector."""

    injector: Injector
    get_path: str
    """Pattern of the path that one job is read at."""


class Suite:
    """What the classes share."""

    @pytest.fixture
    def provider(self, sandbox: Rehearsal) -> Provider:
        """The provider under test."""
        return sandbox.connect()

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        """A dozen chats."""
        path = tmp_path / "train.jsonl"
        turns = (("user", "is row {} here?"), ("assistant", "yes"))
        rows = (
            {"messages": [{"role": role, "content": text.format(n)} for role, text in turns]}
            for n in range(ROWS)
        )
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def spec(self, provider: Provider, data: Path, **changes: Any) -> JobSpec:
        """A spec with nothing set."""
        method = Method.SFT
        row = provider.catalogue().require(self.model(provider), method, None)
        adapters = row.adapters if row else provider.catalogue().adapters
        dataset = Dataset(data)
        training = DataRef(
            path=str(data), sha256=dataset.sha256, kind=dataset.kind, examples=ROWS,
            bytes=data.stat().st_size,
        )  # fmt: skip
        base = {"provider": provider.name, "model": self.model(provider), "training": training}
        return JobSpec.model_validate(base | {"adapter": adapters[0]} | changes)

    def model(self, provider: Provider) -> str:
        """The base model to ask for; override where the catalogue's default is not at hand."""
        return provider.catalogue().default_model(Method.SFT)

    def checked(self, provider: Provider, data: Path) -> CheckedUpload:
        """The data in the provider's format, allowed to go there."""
        path = data.with_suffix(".sent")
        path.write_bytes(b"".join(payload_lines(provider, Dataset(data))))
        where = provider.destination
        return check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, where)

    def create(self, provider: Provider, data: Path, key: str = "ftb-conformance") -> RemoteJob:
        """Upload and create."""
        file = provider.upload(self.checked(provider, data))
        request = provider.request(self.spec(provider, data), file.id, None, key)
        return provider.create(request, key)

    def plan(self, provider: Provider, data: Path) -> Plan:
        """What a submit would do."""
        book = PriceBook.load([type(provider).folder], [])
        limits = Limits(allow_unknown_cost=True, allow_lossy=True)
        return make_plan(provider, self.spec(provider, data), (Dataset(data), None), book, limits)
