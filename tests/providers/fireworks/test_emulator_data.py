"""Datasets and what is wrong with them: the real SDK against the emulator."""

from __future__ import annotations

from typing import Any

import fireworks
import httpx
import pytest
from fireworks_world import BASE, EMPTY, World, chat_row, code, preference_row


def test_a_dataset_is_ready_a_while_after_its_upload(world: World) -> None:
    settings: Any = {"user_uploaded": {}, "example_count": "1"}
    world.client.datasets.create(dataset_id="data", dataset=settings)
    world.client.datasets.upload("data", file=("a.jsonl", b"x" * 41))
    assert world.client.datasets.get("data").state == "UPLOADING"
    world.now += 1
    ready = world.client.datasets.get("data")
    assert (ready.state, ready.estimated_token_count, ready.example_count) == ("READY", "11", "1")
    with pytest.raises(fireworks.ConflictError) as caught:
        world.client.datasets.create(dataset_id="data", dataset=settings)
    assert code(caught) == 6
    world.client.datasets.delete("data")
    with pytest.raises(fireworks.NotFoundError):
        world.client.datasets.get("data")


def test_signed_urls_carry_shards_and_want_the_size_that_was_signed(world: World) -> None:
    settings: Any = {"user_uploaded": {}}
    world.client.datasets.create(dataset_id="data", dataset=settings)
    shards = {f"{name}.jsonl": f'{{"{name}": 1}}'.encode() for name in "ab"}
    sizes = {name: str(len(content)) for name, content in shards.items()}
    answer = world.client.datasets.get_upload_endpoint("data", filename_to_size=sizes)
    urls = answer.filename_to_signed_urls or {}
    assert httpx.put(urls["a.jsonl"], content=b"too short").status_code == 400
    with pytest.raises(fireworks.BadRequestError) as caught:
        world.client.datasets.validate_upload("data", body=EMPTY)
    assert code(caught) == 9
    for name, content in shards.items():
        assert httpx.put(urls[name], content=content).status_code == 200
    world.client.datasets.validate_upload("data", body=EMPTY)
    world.now += 1
    assert world.client.datasets.get("data").state == "READY"
    down = world.client.datasets.get_download_endpoint("data").filename_to_signed_urls or {}
    assert httpx.get(down["b.jsonl"]).content == shards["b.jsonl"]


SYSTEM = {"role": "system", "content": "x"}
BAD_DATA: dict[str, list[Any] | bytes] = {
    "not json": b"{\n{\n{",
    "two examples": [chat_row(0), chat_row(1)],
    "unknown key": [{**chat_row(0), "label": 1}] * 3,
    "no assistant": [{"messages": [SYSTEM, {"role": "user", "content": "x"}]}] * 3,
    "late system": [{"messages": [*chat_row(0)["messages"], SYSTEM]}] * 3,
    "role": [{"messages": [{"role": "bot", "content": "x"}]}] * 3,
    "weight": [{"messages": [{"role": "assistant", "content": "x", "weight": 2}]}] * 3,
    "preference data": [preference_row(n) for n in range(3)],
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_fails_while_the_job_validates(world: World, case: str) -> None:
    world.sft(dataset=world.dataset(BAD_DATA[case]))
    assert world.get().state == "JOB_STATE_CREATING"
    world.now += 3
    failed = world.get()
    assert (failed.state, failed.status.code) == ("JOB_STATE_FAILED", "INVALID_ARGUMENT")
    assert failed.completed_time.timestamp() == failed.create_time.timestamp() + 3


def test_a_preference_needs_one_answer_a_side(world: World) -> None:
    row = preference_row(0)
    row["preferred_output"] = row["preferred_output"] * 2
    data = world.dataset([row] * 3)
    world.client.dpo_jobs.create(dataset=data, dpo_job_id="p", training_config={"base_model": BASE})
    world.now += 3
    assert world.client.dpo_jobs.get("p").state == "JOB_STATE_FAILED"


def test_a_dataset_that_is_missing_or_not_ready_is_refused(world: World) -> None:
    with pytest.raises(fireworks.NotFoundError):
        world.sft(dataset="accounts/sandbox/datasets/none")
    settings: Any = {"user_uploaded": {}}
    world.client.datasets.create(dataset_id="late", dataset=settings)
    with pytest.raises(fireworks.BadRequestError) as caught:
        world.sft(dataset="accounts/sandbox/datasets/late")
    assert code(caught) == 9
