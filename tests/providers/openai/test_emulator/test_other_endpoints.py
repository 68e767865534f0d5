"""Files, models, chat and graders: what a rehearsal needs beside the jobs."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import openai
import pytest

BASE = "gpt-4o-mini-2024-07-18"
GRADER = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.reference}}",
    "operation": "eq",
}


def test_files_live_and_die(world: Any) -> None:
    files = world.client.files
    content = "ä\n".encode()
    expiry: Any = {"anchor": "created_at", "seconds": 3600}
    kept = files.create(file=("a.jsonl", content), purpose="fine-tune")
    passing = files.create(file=("b.txt", b"x"), purpose="user_data", expires_after=expiry)
    assert (kept.bytes, kept.filename, kept.status) == (3, "a.jsonl", "processed")
    assert files.content(kept.id).read() == content
    assert passing.expires_at == passing.created_at + 3600
    assert [file.id for file in files.list()] == [passing.id, kept.id]
    assert [file.id for file in files.list(order="asc", limit=1)] == [kept.id, passing.id]
    assert [file.id for file in files.list(purpose="fine-tune")] == [kept.id]
    world.now += 3600
    assert [file.id for file in files.list()] == [kept.id]
    assert files.delete(kept.id).deleted
    assert list(files.list()) == []
    assert world.store.requests[0].body == {
        "file": {"filename": "a.jsonl", "bytes": 3},
        "purpose": "fine-tune",
    }


def test_bad_uploads(world: Any) -> None:
    files = world.client.files
    world.store.max_file_bytes = 10
    attempts: list[tuple[dict[str, Any], int]] = [
        ({"file": ("a.csv", b"x"), "purpose": "fine-tune"}, 400),
        ({"file": ("a.jsonl", b"x"), "purpose": "party"}, 400),
        ({"file": ("a.jsonl", b"x" * 11), "purpose": "fine-tune"}, 413),
        ({"file": ("a.jsonl", b"x"), "purpose": "fine-tune", "extra_body": {"tag": "x"}}, 400),
        (
            {
                "file": ("a.jsonl", b"x"),
                "purpose": "fine-tune",
                "expires_after": {"anchor": "created_at", "seconds": 3599},
            },
            400,
        ),
    ]
    for asked, status in attempts:
        with pytest.raises(openai.APIStatusError) as refusal:
            files.create(**asked)
        assert refusal.value.status_code == status
    with pytest.raises(openai.BadRequestError):
        world.client.post("/files", cast_to=object, body={"purpose": "fine-tune"})
    assert world.store.files == {}


def test_a_broken_form_gets_the_vendors_envelope(world: Any) -> None:
    headers = {"Authorization": "Bearer sk-sandbox", "Content-Type": "multipart/form-data"}
    request = urllib.request.Request(f"{world.url}/v1/files", b"no boundary", headers)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    with refusal.value as answer:
        assert (answer.code, json.load(answer)["error"]["type"]) == (400, "invalid_request_error")


def test_models_are_listed_asked_and_deleted(world: Any) -> None:
    client = world.client
    job = world.finished()
    name = job.fine_tuned_model
    assert {BASE, "gpt-4o-mini", name} <= {model.id for model in client.models.list()}
    assert client.models.retrieve(name).owned_by == job.organization_id
    assert client.models.delete(name).deleted
    assert name not in {model.id for model in client.models.list()}
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model=name, messages=[{"role": "user", "content": "x"}])


def test_chat_streams_what_it_answers(world: Any) -> None:
    name = world.finished().fine_tuned_model
    asked: dict[str, Any] = {
        "model": name,
        "messages": [{"role": "user", "content": "please translate the word number3"}],
    }
    create = world.client.chat.completions.create
    whole = create(**asked, temperature=0, n=2)
    assert [choice.message.content for choice in whole.choices] == ["word 3", "word 3"]
    assert (whole.usage.prompt_tokens, whole.usage.total_tokens) == (7, 13)
    chunks = list(create(**asked, stream=True, stream_options={"include_usage": True}))
    pieces = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(pieces) == "word 3"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert (chunks[-1].choices, chunks[-1].usage.completion_tokens) == ([], 3)
    assert all(chunk.usage is None for chunk in create(**asked, stream=True))
    base = create(**{**asked, "model": "gpt-4o-mini"})
    assert base.model == BASE
    assert "base model" in base.choices[0].message.content
    for wrong in ({"messages": []}, {"extra_body": {"top_k": 3}}, {"temperature": 3}):
        with pytest.raises(openai.BadRequestError):
            create(**{**asked, **wrong})
    with pytest.raises(openai.NotFoundError):
        create(**{**asked, "model": "davinci-002"})


def test_a_model_tuned_on_tool_calls_makes_them(world: Any) -> None:
    tool_call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "look", "arguments": '{"at": 1}'},
    }
    turn = {"role": "assistant", "content": None, "tool_calls": [tool_call]}
    row = json.dumps({"messages": [{"role": "user", "content": "look"}, turn]})
    job = world.finished(training_file=world.upload(f"{row}\n" * 10))
    asked: Any = {"model": job.fine_tuned_model, "messages": [{"role": "user", "content": "look"}]}
    choice = world.client.chat.completions.create(**asked).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls[0].function.arguments == '{"at": 1}'
    chunks = list(world.client.chat.completions.create(**asked, stream=True))
    assert chunks[1].choices[0].delta.tool_calls[0].function.name == "look"


def test_graders_validate_and_run(world: Any) -> None:
    graders = world.client.fine_tuning.alpha.graders
    assert graders.validate(grader=GRADER).grader.name == "exact"
    with pytest.raises(openai.BadRequestError):
        graders.validate(grader={"type": "string_check"})
    item = {"reference": "4"}
    for sample, reward in (("4", 1.0), ("5", 0.0)):
        run = graders.run(grader=GRADER, model_sample=sample, item=item)
        assert run.reward == reward
        required = {k for k, info in type(run).model_fields.items() if info.is_required()}
        assert required <= run.model_fields_set
    alike = {
        "type": "text_similarity",
        "name": "near",
        "input": "{{ sample.output_json.a }}",
        "reference": "{{item.reference}}",
        "evaluation_metric": "fuzzy_match",
    }
    assert graders.run(grader=alike, model_sample='{"a": "4"}', item=item).reward == 1.0
    python = {"type": "python", "name": "p", "source": "def grade(sample, item): return 1.0"}
    for grader, sample in ((python, "4"), (alike, "4")):
        with pytest.raises(openai.BadRequestError):
            graders.run(grader=grader, model_sample=sample, item=item)
