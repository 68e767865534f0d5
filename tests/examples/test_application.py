"""The example service, over HTTP, from several threads, against the OpenAI emulator."""

from __future__ import annotations

import importlib.util
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import ftbridge
from ftbridge.testing.server import serve
from ftbridge_openai.emulator import create_app

ROOT = Path(__file__).parents[2]


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "service", ROOT / "examples" / "application" / "service.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sandbox")
    with serve(create_app(speed=100)) as url, _module().Service(0, str(tmp_path / "home")) as made:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        made.bridge.ledger.close()


def _call(url: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def _data(folder: Path, name: str = "train") -> str:
    path = folder / f"{name}.jsonl"
    rows = (
        {"messages": [{"role": "user", "content": f"{name} {i}"},
                      {"role": "assistant", "content": "yes"}]}
        for i in range(12)
    )  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_every_documented_error_has_a_status() -> None:
    kinds = {
        getattr(ftbridge, name)
        for name in ftbridge.__all__
        if isinstance(getattr(ftbridge, name), type)
        and issubclass(getattr(ftbridge, name), ftbridge.FtbridgeError)
    }
    listed = {kind for kind, _ in _module().STATUS}
    assert kinds - {ftbridge.FtbridgeError} == listed


def test_jobs_from_threads(service: str, tmp_path: Path) -> None:
    files = [_data(tmp_path, f"f{i}") for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda f: _call(f"{service}/jobs", {"data": f, "provider": "openai"}), files)
        )
    assert [status for status, _ in answers] == [200] * 4
    assert len({body["remote_id"] for _, body in answers}) == 4
    status, body = _call(f"{service}/jobs/{answers[0][1]['job']}")
    assert (status, body["provider"]) == (200, "openai")
    assert len(_call(f"{service}/jobs")[1]["jobs"]) == 4


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"data": "nowhere.jsonl", "provider": "openai"}, 422, "missing_file"),
        ({"data": "DATA", "provider": "nobody"}, 400, "unknown_provider"),
        ({"data": "DATA", "provider": "openai", "privacy": "restricted"}, 403, "policy"),
        ({"data": "DATA", "provider": "openai", "max_usd": "0.0000001"}, 402, "budget"),
    ],
)
def test_errors(
    service: str, tmp_path: Path, wanted: dict[str, Any], status: int, code: str
) -> None:
    data = wanted["data"].replace("DATA", _data(tmp_path))
    answer, body = _call(f"{service}/jobs", wanted | {"data": data})
    assert (answer, body["error"]["code"]) == (status, code)
