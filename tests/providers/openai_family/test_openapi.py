"""Requests and the emulators' answers against the vendors' published documents.

What is compared with lies in each provider's ``openapi.toml``, trimmed, with source and day.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_wires import KEY, KINDS, Place, opened

from ftbridge import registry
from ftbridge.dialects import openai as dialect
from ftbridge.jobs.spec import Hyperparameters, Method
from ftbridge.provider import ChatRequest

WHERE = {"openai": "openai", "azure_openai": "azure_openai", "openai_compatible": "openai",
         "nebius": "openai_compatible"}  # fmt: skip
"""Whose document a place is held against: the plain profile is OpenAI's own wire."""
VALUES = {"n_epochs": 2, "batch_size": 2, "learning_rate": 1e-4, "learning_rate_multiplier": 0.5,
          "lora_r": 8, "lora_alpha": 16.0, "lora_dropout": 0.1, "warmup_ratio": 0.1,
          "weight_decay": 0.01, "beta": 0.2}  # fmt: skip
TITLES = {Method.SFT: "Supervised", Method.DPO: "DPO", Method.RL: "Reinforcement"}
GRADERS = {"string_check": "StringCheck", "text_similarity": "TextSimilarity", "python": "Python",
           "score_model": "ScoreModel", "multi": "Multi"}  # fmt: skip


@pytest.fixture(params=list(KINDS))
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def document(name: str) -> dict[str, Any]:
    path = registry.load(WHERE[name]).folder / "openapi.toml"
    return tomllib.loads(path.read_text("utf-8"))


@pytest.fixture
def place(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with opened(name, tmp_path, monkeypatch.setenv) as made:
        yield made


def fits(document: dict[str, Any], schema: str, content: dict[str, Any]) -> None:
    """No unknown field, and every required one, where the document has the object."""
    wanted = document["requests"].get(schema)
    if wanted is None:
        return
    known = {*wanted["known"], *wanted.get("beside_the_document", ())}
    assert set(content) <= known, schema
    assert set(wanted["required"]) - set(wanted.get("unsent", ())) <= set(content), schema


def create_fits(document: dict[str, Any], method: Method, body: dict[str, Any]) -> None:
    """A create body and everything in it."""
    fits(document, "CreateFineTuningJobRequest", body)
    for integration in body.get("integrations", ()):
        fits(document, "FineTuningIntegration", integration)
        fits(document, "FineTuningIntegrationWandb", integration["wandb"])
    settings = f"FineTune{TITLES[method]}Hyperparameters"
    if "method" not in body:
        fits(document, settings, body["hyperparameters"])
        return
    fits(document, "FineTuneMethod", body["method"])
    inside = body["method"][dialect.METHODS[method]]
    fits(document, f"FineTune{TITLES[method]}Method", inside)
    fits(document, settings, inside.get("hyperparameters", {}))
    if "grader" in inside:
        fits(document, f"Grader{GRADERS[inside['grader']['type']]}", inside["grader"])


def everything(place: Place, method: Method) -> dict[str, Any]:
    """Changes to a spec that set all that the place takes."""
    table = place.provider.catalogue().hyperparameters[method]
    wanted = {name: value for name, value in VALUES.items() if name in table}
    options = dict(place.kind.options)
    if "packing" in getattr(getattr(place.provider, "profile", None), "options", {}):
        options |= {"packing": "true", "context_length": "8192", "max_grad_norm": "1"}
    else:
        options |= {"wandb_project": "p", "wandb_name": "n", "wandb_entity": "e", "wandb_tags": "t"}
    if method is Method.RL:
        options |= {"compute_multiplier": "1", "eval_interval": "2", "eval_samples": "2",
                    "reasoning_effort": "low"}  # fmt: skip
    return {"hyperparameters": Hyperparameters.model_validate(wanted), "options": options,
            "suffix": "sfx", "seed": 7, "tags": {"team": "blue"}}  # fmt: skip


def test_the_list_has_its_source(document: dict[str, Any]) -> None:
    assert "commit" in document["source"] and document["as_of"] >= "2026-11-25"


def test_no_request_has_an_unknown_field(place: Place, document: dict[str, Any]) -> None:
    for method in place.kind.models:
        for changes in ({}, everything(place, method)):
            place.provider.create(place.request(method, **changes), KEY)
            create_fits(document, method, place.tape.sent[-1].body)
    upload = next(sent for sent in place.tape.sent if sent.path.endswith("/files"))
    parts = [line for line in upload.body if line.startswith("Content-Disposition")]
    names = [line.split('name="')[1].split('"')[0] for line in parts]
    fits(document, "CreateFileRequest", dict.fromkeys(names))


def test_no_chat_has_an_unknown_field(place: Place, document: dict[str, Any]) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    asked = ChatRequest([{"role": "user", "content": "hello"}], tools=[tool], seed=1)
    if place.kind.provider == "azure_openai":
        place.store.deployments.clear()  # nothing is deployed; the request is what counts
    try:
        place.provider.chat(place.kind.models[Method.SFT], asked)
    except Exception as error:
        assert place.kind.provider == "azure_openai", error
    fits(document, "CreateChatCompletionRequest", place.tape.sent[-1].body)


def holds(document: dict[str, Any], schema: str, content: dict[str, Any]) -> None:
    """Every field that the document requires is in the answer."""
    wanted = document["answers"].get(schema)
    if wanted is not None:
        assert set(wanted["required"]) <= set(content), (schema, sorted(content))


def test_every_required_field_is_answered(place: Place, document: dict[str, Any]) -> None:
    def get(path: str) -> Any:
        return place.provider._client.get(path, cast_to=object)  # type: ignore[attr-defined]

    for method in place.kind.models:
        job = place.provider.create(place.request(method), KEY)
        for later in (0, 4, 3, 100):  # validating, queued, running, succeeded
            place.ahead += later
            holds(document, "FineTuningJob", get(f"/fine_tuning/jobs/{job.id}"))
        for path, listed, item in (
            ("", "ListPaginatedFineTuningJobsResponse", "FineTuningJob"),
            (f"/{job.id}/events", "ListFineTuningJobEventsResponse", "FineTuningJobEvent"),
            (f"/{job.id}/checkpoints", "ListFineTuningJobCheckpointsResponse",
             "FineTuningJobCheckpoint"),
        ):  # fmt: skip
            page = get(f"/fine_tuning/jobs{path}")
            holds(document, listed, page)
            assert page["data"]
            for row in page["data"]:
                holds(document, item, row)
    files = get("/files")
    holds(document, "ListFilesResponse", files)
    for row in files["data"]:
        holds(document, "OpenAIFile", row)


def test_what_is_asked_or_deleted(place: Place, document: dict[str, Any]) -> None:
    client = place.provider._client  # type: ignore[attr-defined]
    file = place.upload(Method.SFT)
    holds(document, "DeleteFileResponse", client.delete(f"/files/{file}", cast_to=object))
    if place.kind.provider == "azure_openai":
        return
    model = place.kind.models[Method.SFT]
    holds(document, "Model", client.get(f"/models/{model}", cast_to=object))
    body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
    answer = client.post("/chat/completions", body=body, cast_to=object)
    holds(document, "CreateChatCompletionResponse", answer)
    holds(document, "CompletionUsage", answer["usage"])
    holds(document, "ChatCompletionChoice", answer["choices"][0])
    holds(document, "ChatCompletionResponseMessage", answer["choices"][0]["message"])
    if place.provider.supports("delete_model"):
        job = place.provider.create(place.request(Method.SFT), KEY)
        place.ahead += 100
        tuned = place.provider.get(job.id).model
        holds(document, "DeleteModelResponse", client.delete(f"/models/{tuned}", cast_to=object))
