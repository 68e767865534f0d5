"""The places that speak OpenAI's wire, each with its emulator behind a tape that keeps requests."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ftbridge import registry
from ftbridge.files import sha256_of
from ftbridge.graders import grader_from
from ftbridge.jobs.spec import DataRef, JobSpec, Method
from ftbridge.policy import CheckedUpload, Privacy, check_upload
from ftbridge.provider import Context, Provider
from ftbridge.testing.server import serve
from ftbridge_azure_openai.emulator import create_app as azure_app
from ftbridge_openai.emulator import create_app as openai_app
from ftbridge_openai_compatible.emulator import create_app as compatible_app

KEY = "ftb-" + "0" * 32
GRADER = {
    "type": "string_check", "name": "same", "operation": "eq",
    "input": "{{sample.output_text}}", "reference": "{{item.reference}}",
}  # fmt: skip
_USER = {"role": "user", "content": "hello"}
_SAYS = {"role": "assistant", "content": "hi"}
ROWS: dict[Method, dict[str, Any]] = {
    Method.SFT: {"messages": [_USER, _SAYS]},
    Method.DPO: {"input": {"messages": [_USER]}, "preferred_output": [_SAYS],
                 "non_preferred_output": [{**_SAYS, "content": "no"}]},
    Method.RL: {"messages": [_USER], "reference": "hi"},
}  # fmt: skip
SHOWN_HEADERS = ("authorization", "api-key", "content-type")


@dataclass
class Sent:
    """A request as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The JSON body, or a form as its text with the boundary taken out."""
        if not self.raw:
            return None
        kind = self.headers.get("content-type", "")
        if kind.startswith("application/json"):
            return json.loads(self.raw)
        if found := re.search(r"boundary=(\S+)", kind):
            return self.raw.decode().replace(found[1], "BOUNDARY").split("\r\n")
        return None


@dataclass
class Tape:
    """An application that keeps what it is asked."""

    app: ASGIApp
    sent: list[Sent] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        chunks: list[Message] = []
        while not chunks or chunks[-1].get("more_body"):
            chunks.append(await receive())
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        raw = b"".join(chunk.get("body", b"") for chunk in chunks)
        query = scope["query_string"].decode()
        self.sent.append(Sent(scope["method"], scope["path"], query, headers, raw))
        waiting = iter(chunks)

        async def again() -> Message:
            return next(waiting, None) or await receive()

        await self.app(scope, again, send)


@dataclass(frozen=True)
class Kind:
    """How a place is set up."""

    provider: str
    app: Callable[..., Any]
    prefix: str
    env: Mapping[str, str]
    options: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[Method, str] = field(default_factory=dict)


_GPT = "gpt-4.1-mini-2025-04-14"
_OPENAI = {Method.SFT: _GPT, Method.DPO: _GPT, Method.RL: "o4-mini-2025-04-16"}
KINDS = {
    "openai": Kind("openai", openai_app, "/v1", {"OPENAI_API_KEY": "sk-sandbox"}, {}, _OPENAI),
    "azure_openai": Kind(
        "azure_openai", azure_app, "", {"AZURE_OPENAI_API_KEY": "azure-sandbox-key"},
        {"training_type": "global"}, _OPENAI,
    ),
    "openai_compatible": Kind(
        "openai_compatible", compatible_app, "/v1",
        {"OPENAI_COMPATIBLE_API_KEY": "compatible-sandbox-key"}, {}, _OPENAI,
    ),
    "nebius": Kind(
        "openai_compatible", compatible_app, "/nebius/v1",
        {"NEBIUS_API_KEY": "compatible-sandbox-key"}, {"profile": "nebius"},
        {Method.SFT: "meta-llama/Llama-3.1-8B-Instruct"},
    ),
}  # fmt: skip


@dataclass
class Place:
    """A place at work."""

    kind: Kind
    provider: Provider
    tape: Tape
    store: Any
    home: Path
    ahead: float = 0.0

    def spec(self, method: Method, **changes: Any) -> JobSpec:
        """A spec with nothing set but what the method demands."""
        data = DataRef(path="d", sha256="s", kind="chat", examples=10, bytes=10)
        adapter = self.provider.catalogue().adapters[0]
        grader = grader_from(GRADER) if method is Method.RL else None
        base = {
            "provider": self.kind.provider, "model": self.kind.models[method], "method": method,
            "adapter": adapter, "grader": grader, "training": data,
        }  # fmt: skip
        return JobSpec.model_validate(base | changes)

    def checked(self, method: Method) -> CheckedUpload:
        """Ten rows for the method, allowed to go there."""
        path = self.home / f"{method}.jsonl"
        path.write_text(f"{json.dumps(ROWS[method])}\n" * 10)
        where = self.provider.destination
        return check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, where)

    def upload(self, method: Method) -> str:
        """Send them; a place that imports files has done so when this returns."""
        made = self.provider.upload(self.checked(method)).id
        self.ahead += 5
        return made

    def request(self, method: Method, **changes: Any) -> dict[str, Any]:
        """The create body over a new upload, with validation data where RL needs them."""
        file = self.upload(method)
        spec = self.spec(method, **changes)
        return self.provider.request(spec, file, file if method is Method.RL else None, KEY)


@contextmanager
def opened(name: str, home: Path, set_env: Callable[[str, str], None]) -> Iterator[Place]:
    """Serve an emulator and connect to it."""
    kind = KINDS[name]
    clock: list[Place] = []
    app = kind.app(clock=lambda: time.time() + (clock[0].ahead if clock else 0))
    tape = Tape(app)
    with serve(tape) as url:
        for variable, value in kind.env.items():
            set_env(variable, value)
        options = {"base_url": url + kind.prefix, **kind.options}
        provider = registry.load(kind.provider)(Context(home, options))
        clock.append(Place(kind, provider, tape, app.state.store, home))
        yield clock[0]
