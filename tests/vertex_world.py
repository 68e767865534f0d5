"""An emulated Vertex AI project and bucket behind one socket, seen through Google's own SDKs."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from typing import Any

import httpx
from google import genai
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from ftbridge_vertex.emulator import BUCKET, LOCATION, PROJECT, TOKEN, Store

START = 1_764_000_000.0
BASE = "gemini-2.5-flash"
OPEN = "meta/llama3_1@llama-3.1-8b-instruct"


def content(role: str, text: str) -> dict[str, Any]:
    """One turn."""
    return {"role": role, "parts": [{"text": text}]}


def chat_row(number: int) -> dict[str, Any]:
    """A supervised example."""
    return {
        "contents": [content("user", f"is row {number} here?"), content("model", f"yes {number}")]
    }


def pair_row(number: int) -> dict[str, Any]:
    """A preference example."""
    sides = [
        {"score": score, "completion": content("model", said)}
        for score, said in ((1, f"good {number}"), (0, "bad"))
    ]
    return {"contents": [content("user", f"which {number}?")], "completions": sides}


def reward_row(number: int) -> dict[str, Any]:
    """A reinforcement example."""
    return {"contents": [content("user", f"sum {number}?")], "references": {"answer": str(number)}}


def lines(rows: list[Any]) -> str:
    """Rows as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


@dataclass
class World:
    """One emulated project."""

    app: Any
    url: str
    now: float = START
    location: str = LOCATION
    clients: list[Any] = field(default_factory=list)
    made: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(verify=False))

    @property
    def store(self) -> Store:
        """What the vendor knows."""
        return self.app.state.store

    def client(self, location: str = "", token: str = TOKEN, project: str = PROJECT) -> Any:
        """Google's client for the project, made once: a client costs a tenth of a second."""
        where = (location or self.location, token, project)
        if where in self.made:
            return self.made[where]
        made = genai.Client(
            vertexai=True,
            project=project,
            location=where[0],
            credentials=Credentials(token),
            http_options=types.HttpOptions(base_url=self.url),
        )
        self.clients.append(made)
        self.made[where] = made
        return made

    def bucket(self) -> Any:
        """The sandbox's bucket, through Google's storage client."""
        made = storage.Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": self.url},
        )
        self.clients.append(made)
        return made.bucket(BUCKET)

    def data(self, rows: list[Any], name: str = "data.jsonl") -> str:
        """Put rows into the bucket; their address."""
        self.bucket().blob(name).upload_from_string(lines(rows))
        return f"gs://{BUCKET}/{name}"

    def tune(self, uri: str = "", base: str = BASE, location: str = "", **config: Any) -> Any:
        """Create a job, a supervised one unless said otherwise."""
        where = uri or self.data([chat_row(number) for number in range(40)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.client(location).tunings.tune(
                base_model=base,
                training_dataset=types.TuningDataset(gcs_uri=where),
                config=types.CreateTuningJobConfig(**config),
            )

    def get(self, job: Any) -> Any:
        """The job as it is now."""
        return self.client().tunings.get(name=job.name)

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """POST something that no SDK would send; the answer."""
        return self.raw("POST", path, body)

    def raw(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A request without an SDK, under the project and location."""
        address = f"{self.url}/v1beta1/projects/{PROJECT}/locations/{self.location}/{path}"
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = self.http.request(method, address, json=body, headers=headers)
        read: dict[str, Any] = answer.json()
        return read


def status(caught: Any) -> tuple[int, str]:
    """HTTP status and google.rpc name of an SDK error."""
    error: errors.APIError = caught.value
    assert error.status is not None
    return error.code, error.status
