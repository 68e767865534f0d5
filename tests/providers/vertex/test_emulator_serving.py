"""Tuned models, endpoints, operations and generateContent: Google's SDKs against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.aiplatform_v1 import EndpointServiceClient, ModelServiceClient
from google.cloud.aiplatform_v1.services.endpoint_service.transports.rest import (
    EndpointServiceRestTransport,
)
from google.cloud.aiplatform_v1.services.model_service.transports.rest import (
    ModelServiceRestTransport,
)
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from vertex_world import BASE, World, chat_row, status

from ftbridge_vertex.emulator import TOKEN


def _services(world: World) -> tuple[Any, Any]:
    host = world.url.removeprefix("http://")
    shared: dict[str, Any] = {
        "host": host, "url_scheme": "http", "credentials": Credentials(TOKEN),
    }  # fmt: skip
    ends = EndpointServiceClient(transport=EndpointServiceRestTransport(**shared))
    models = ModelServiceClient(transport=ModelServiceRestTransport(**shared))
    world.clients += [ends.transport, models.transport]
    return ends, models


def _done(world: World, **config: Any) -> Any:
    job = world.tune(**config)
    world.now += 20
    return world.get(job)


def test_the_endpoint_answers_and_the_base_says_its_sentence(world: World) -> None:
    job = world.tune()
    endpoint = world.store.jobs[job.name.rpartition("/")[2]].endpoint_ids[-1]
    client = world.client()
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(
            model=f"projects/ftbridge-sandbox/locations/us-central1/endpoints/{endpoint}",
            contents="is row 7 here?",
        )
    assert status(caught) == (404, "NOT_FOUND")
    world.now += 20
    done = world.get(job)
    said = client.models.generate_content(
        model=done.tuned_model.endpoint,
        contents="is row 7 here?",
        config=types.GenerateContentConfig(system_instruction="short", temperature=0.0),
    )
    assert said.text == "yes 7"
    assert said.candidates[0].finish_reason == "STOP"
    assert said.usage_metadata.total_token_count > said.usage_metadata.candidates_token_count > 0
    assert "sandbox" in client.models.generate_content(model=BASE, contents="hi").text
    cut = client.models.generate_content(
        model=BASE, contents="hi", config=types.GenerateContentConfig(max_output_tokens=2)
    )
    assert cut.candidates[0].finish_reason == "MAX_TOKENS" and len(cut.text) == 8
    assert client.models.count_tokens(model=BASE, contents="hi there").total_tokens == 2
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="gemini-0.1", contents="hi")
    assert caught.value.code == 404


def test_a_stream_ends_with_the_usage(world: World) -> None:
    done = _done(world)
    chunks = list(
        world.client().models.generate_content_stream(
            model=done.tuned_model.endpoint, contents="is row 3 here?"
        )
    )
    assert "".join(chunk.text or "" for chunk in chunks) == "yes 3"
    assert chunks[0].usage_metadata is None and chunks[-1].usage_metadata.total_token_count > 0


@pytest.mark.parametrize("body", [{}, {"contents": []}, {"contents": [{"parts": [{}]}], "n": 1}])
def test_a_bad_chat_is_refused(world: World, body: dict[str, Any]) -> None:
    path = f"publishers/google/models/{BASE}:generateContent"
    assert world.post(path, body)["error"]["status"] == "INVALID_ARGUMENT"


def test_a_model_is_deleted_once_nothing_serves_it(world: World) -> None:
    done = _done(world, epoch_count=2)
    ends, registry = _services(world)
    shown = registry.get_model(name=done.tuned_model.model)
    assert shown.version_id == "1" and len(shown.deployed_models) == 2
    assert [each.checkpoint_id for each in shown.checkpoints] == ["1", "2"]
    with pytest.raises(exceptions.BadRequest):
        registry.delete_model(name=shown.name)
    for each in shown.deployed_models:
        with pytest.raises(exceptions.BadRequest):
            ends.delete_endpoint(name=each.endpoint)
        waiting = ends.undeploy_model(
            endpoint=each.endpoint, deployed_model_id=each.deployed_model_id
        )
        assert not waiting.operation.done
        world.now += 1
        waiting.result(timeout=60)
        ends.delete_endpoint(name=each.endpoint)
    with pytest.raises(exceptions.NotFound):
        ends.get_endpoint(name=done.tuned_model.endpoint)
    registry.delete_model(name=shown.name)
    with pytest.raises(exceptions.NotFound):
        registry.get_model(name=shown.name)
    assert world.get(done).state == "JOB_STATE_SUCCEEDED"


def test_an_undeployed_model_is_deployed_again(world: World) -> None:
    done = _done(world)
    ends, _ = _services(world)
    first = ends.get_endpoint(name=done.tuned_model.endpoint)
    ends.undeploy_model(endpoint=first.name, deployed_model_id=first.deployed_models[0].id)
    client = world.client()
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model=first.name, contents="hi")
    assert status(caught) == (400, "FAILED_PRECONDITION")
    parent = first.name.rpartition("/endpoints/")[0]
    creating = ends.create_endpoint(parent=parent, endpoint={"display_name": "again"})
    world.now += 1
    made = creating.result(timeout=60)
    deployed = {"model": done.tuned_model.model, "checkpoint_id": "1"}
    ends.deploy_model(endpoint=made.name, deployed_model=deployed)
    assert (
        client.models.generate_content(model=made.name, contents="is row 1 here?").text == "yes 1"
    )
    assert made.name in [each.name for each in ends.list_endpoints(parent=parent)]


def test_tuning_goes_on_from_a_checkpoint_as_the_next_version(world: World) -> None:
    done = _done(world, epoch_count=2)
    more = world.tune(base=done.tuned_model.model, pre_tuned_model_checkpoint_id=None)
    world.now += 20
    assert world.get(more).tuned_model.model == done.tuned_model.model.replace("@1", "@2")
    listed = list(world.client().models.list(config={"query_base": False}))
    assert [each.version for each in listed] == ["2"]
    uri = world.data([chat_row(1)])
    before = {"tuned_model_name": done.tuned_model.model, "checkpoint_id": "9"}
    body = {"preTunedModel": before, "supervisedTuningSpec": {"trainingDatasetUri": uri}}
    assert world.post("tuningJobs", body)["error"]["status"] == "INVALID_ARGUMENT"
