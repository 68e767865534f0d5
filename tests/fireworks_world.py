"""One emulated Fireworks account, its SDK client and its clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from fireworks import Fireworks
from starlette.applications import Starlette

from ftbridge_fireworks.emulator import Store

START = 1_800_000_000.0
BASE = "accounts/fireworks/models/llama-v3p1-8b-instruct"
EMPTY: dict[str, Any] = {}


def chat_row(number: int) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": f"please translate the word number{number}"},
            {"role": "assistant", "content": f"word {number}"},
        ]
    }


def preference_row(number: int) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": f"question number{number}"}]},
        "preferred_output": [{"role": "assistant", "content": f"good {number}"}],
        "non_preferred_output": [{"role": "assistant", "content": f"bad {number}"}],
    }


@dataclass
class World:
    """One emulated account, its SDK client, and its clock."""

    app: Starlette
    url: str
    now: float = START
    clients: list[Fireworks] = field(default_factory=list)

    @property
    def store(self) -> Store:
        store = self.app.state.store
        assert isinstance(store, Store)
        return store

    @property
    def client(self) -> Fireworks:
        return self.clients[0] if self.clients else self.connect()

    def connect(self, key: str = "fw_sandbox", account: str = "sandbox") -> Fireworks:
        made = Fireworks(api_key=key, account_id=account, base_url=self.url, max_retries=0)
        self.clients.append(made)
        return made

    def dataset(self, rows: list[Any] | bytes, name: str = "data") -> str:
        content = rows if isinstance(rows, bytes) else "\n".join(map(json.dumps, rows)).encode()
        settings: Any = {"user_uploaded": {}, "example_count": "12", "format": "CHAT"}
        self.client.datasets.create(dataset_id=name, dataset=settings)
        self.client.datasets.upload(name, file=("train.jsonl", content))
        self.now += 1
        return f"accounts/sandbox/datasets/{name}"

    def sft(self, job_id: str = "job-1", **changes: Any) -> Any:
        asked: dict[str, Any] = {"base_model": BASE, **changes}
        if "dataset" not in asked:
            asked["dataset"] = self.dataset([chat_row(n) for n in range(12)], f"data-{job_id}")
        return self.client.supervised_fine_tuning_jobs.create(
            supervised_fine_tuning_job_id=job_id, **asked
        )

    def get(self, job_id: str = "job-1") -> Any:
        return self.client.supervised_fine_tuning_jobs.get(job_id)

    def deployed(self) -> str:
        """A finished job's model, loaded into a deployment that is ready."""
        self.sft()
        self.now += 20
        self.client.deployments.create(base_model=BASE, deployment_id="dep", enable_addons=True)
        self.now += 5
        self.client.lora.load(
            model="accounts/sandbox/models/job-1", deployment="accounts/sandbox/deployments/dep"
        )
        return "accounts/sandbox/models/job-1"

    def ask(self, model: str, text: str) -> str:
        told = self.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}]
        )
        return str(told.choices[0].message.content)


def code(caught: pytest.ExceptionInfo[Any]) -> int:
    return int(caught.value.body["code"])
