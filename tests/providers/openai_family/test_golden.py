"""The exact HTTP requests of one SFT, one DPO and one RL job at each place, held against a file.

Each golden file names the documents that it was reviewed against. To write them anew, and review
the difference: ``FTBRIDGE_TEST_GOLDEN=write pytest tests/providers/openai_family/test_golden.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from openai_wires import KEY, KINDS, SHOWN_HEADERS, Place, Sent, opened

from ftbridge.graders import grader_from
from ftbridge.jobs.spec import Hyperparameters, Method
from ftbridge.provider import ChatRequest

FOLDER = Path(__file__).parent / "golden"
OPENAI = (
    "github.com/openai/openai-openapi, openapi.json, commit f85dbe2 (2026-08-21): "
    "CreateFileRequest, CreateFineTuningJobRequest, FineTuneMethod; openai 3.57.0"
)
DOCUMENTS = {
    "openai": OPENAI,
    "azure_openai": (
        "github.com/Azure/azure-rest-api-specs, OpenAI.v1/azure-v1-v1-generated.yaml, commit "
        "2d621d4; trainingType: learn.microsoft.com azure/foundry/openai/how-to/fine-tuning"
    ),
    "openai_compatible": OPENAI,
    "nebius": (
        "docs.tokenfactory.nebius.com, API reference, OpenAPI version 20260506; "
        "github.com/nebius/token-factory-cookbook, post-training/fine-tuning-1, commit 17181b2"
    ),
}
WISHES: dict[Method, dict[str, Any]] = {
    Method.SFT: {"n_epochs": 2, "batch_size": 4},
    Method.DPO: {"n_epochs": 1, "beta": 0.2},
    Method.RL: {"n_epochs": 1, "learning_rate_multiplier": 0.5},
}
GRADER = {
    "type": "multi", "name": "both", "calculate_output": "0.7 * same + 0.3 * near",
    "graders": {
        "same": {"type": "string_check", "name": "same", "operation": "eq",
                 "input": "{{sample.output_text}}", "reference": "{{item.reference}}"},
        "near": {"type": "text_similarity", "name": "near", "evaluation_metric": "fuzzy_match",
                 "input": "{{sample.output_text}}", "reference": "{{item.reference}}"},
    },
}  # fmt: skip


def run(place: Place, method: Method) -> list[dict[str, Any]]:
    """One job from the upload to a chat; its requests, with random names replaced."""
    place.tape.sent.clear()
    changes: dict[str, Any] = {
        "hyperparameters": Hyperparameters.model_validate(WISHES[method]),
        "suffix": "golden", "seed": 7, "tags": {"team": "blue"},
    }  # fmt: skip
    if method is Method.RL:
        changes["grader"] = grader_from(GRADER)
    if place.kind.options.get("profile") == "nebius":
        changes["hyperparameters"] = Hyperparameters(n_epochs=2, learning_rate=1e-4, lora_r=16)
    provider = place.provider
    request = place.request(method, options=dict(place.kind.options), **changes)
    file = request["training_file"]
    provider.file_state(file)
    job = provider.create(request, KEY)
    provider.find(KEY)
    place.ahead += 100
    model = provider.get(job.id).model
    provider.history(job.id)
    provider.checkpoints(job.id)
    assert model
    if place.kind.provider != "azure_openai":  # there a model answers by its deployment alone
        asked = ChatRequest([{"role": "user", "content": "hello"}], max_tokens=16)
        provider.chat(model, asked)
    provider.purge(file)
    names = {file: "FILE", job.id: "JOB", model: "MODEL"}
    return [shown(sent, names) for sent in place.tape.sent]


def shown(sent: Sent, names: dict[str, str]) -> dict[str, Any]:
    """A request as it stands in the file. Keys are of the emulators, and named by their kind."""
    headers = {name: value for name, value in sent.headers.items() if name in SHOWN_HEADERS}
    if "content-type" in headers:
        headers["content-type"] = headers["content-type"].partition(";")[0]
    for name in ("authorization", "api-key"):
        if name in headers:
            scheme, space, _ = headers[name].rpartition(" ")
            headers[name] = f"{scheme}{space}KEY"
    content: dict[str, Any] = {"request": f"{sent.method} {sent.path}"}
    if sent.query:
        content["query"] = sent.query
    content["headers"] = headers
    if sent.body is not None:
        content["body"] = sent.body
    text = json.dumps(content, ensure_ascii=False)
    for random, name in names.items():
        text = text.replace(random, name)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize("name", list(KINDS))
def test_the_requests_are_those_of_the_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(name, tmp_path, monkeypatch.setenv) as place:
        jobs = {str(method): run(place, method) for method in place.kind.models}
    made = {"reviewed_against": DOCUMENTS[name], "jobs": jobs}
    path = FOLDER / f"{name}.json"
    if os.environ.get("FTBRIDGE_TEST_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    assert json.loads(path.read_text()) == made
