"""The adapter's own: its tables, its bucket, its models, its refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vertex_sandbox import Project, project

from ftbridge.errors import CredentialsError, DataError, Unsupported, UsageError, VendorError
from ftbridge.files import sha256_of
from ftbridge.graders import grader_from
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.policy import CheckedUpload, Privacy, check_upload
from ftbridge.provider import ChatRequest, Context
from ftbridge.testing.faults import Answers, replaced
from ftbridge_vertex import Provider, rewards, staging, wire
from ftbridge_vertex.convert import FORMAT
from ftbridge_vertex.emulator import BUCKET

MODEL = "gemini-3.5-flash-lite"
OPEN = "meta/llama3_1@llama-3.1-8b-instruct"
FLAT = {"state": "JOB_STATE_RUNNING", "name": "projects/1/locations/l/tuningJobs/1"}
Line = dict[str, Any]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Project]:
    with project() as made:
        yield made


@pytest.fixture
def place(vendor: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provider:
    vendor.reset()
    for name, value in vendor.env(tmp_path).items():
        monkeypatch.setenv(name, value)
    return Provider(Context(tmp_path, {"bucket": BUCKET, "poll_seconds": "0.05"}))


def spec(**changes: Any) -> JobSpec:
    training = {"path": "t", "sha256": "0" * 64, "kind": "chat", "examples": 12, "bytes": 9}
    base = {"provider": "vertex", "model": MODEL, "adapter": "lora", "training": training}
    return JobSpec.model_validate(base | changes)


def checked(place: Provider, folder: Path, text: str = "", name: str = "t.sent") -> CheckedUpload:
    path = folder / name
    turns = [{"role": "user", "parts": [{"text": "row?"}]},
             {"role": "model", "parts": [{"text": "yes"}]}]  # fmt: skip
    path.write_text(text or (json.dumps({"contents": turns}) + "\n") * 12)
    where = place.destination
    return check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, where)


def finished(vendor: Project, place: Provider, folder: Path, **changes: Any) -> str:
    """A job that has ended; its id."""
    asked = spec(**changes)
    text = ""
    if wire.is_open(asked.model):
        chat = [{"role": "user", "content": "row?"}, {"role": "assistant", "content": "yes"}]
        text = (json.dumps({"messages": chat}) + "\n") * 12
    file = place.upload(checked(place, folder, text))
    job = place.create(place.request(asked, file.id, None, "ftb-1"), "ftb-1")
    vendor.pass_time(30)
    return job.id


# -- states and figures ------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "state"), sorted(wire.STATES.items()))
def test_each_state(word: str, state: State) -> None:
    seen = wire.job(FLAT | {"state": word})
    assert (seen.state, seen.raw_state) == (state, word)
    assert seen.stopping is (word == "JOB_STATE_CANCELLING")


@pytest.mark.parametrize(("word", "state"), sorted(wire.SUB_STATES.items()))
def test_each_sub_state_of_a_running_job(word: str, state: State) -> None:
    seen = wire.job(FLAT | {"tuning_job_state": word})
    assert (seen.state, seen.raw_state) == (state, word)


def test_the_tables_are_the_sdks() -> None:
    from google.genai import types

    assert {each.value for each in types.JobState} == {*wire.STATES, "JOB_STATE_UNSPECIFIED"}
    subs = {each.value for each in types.TuningJobState}
    assert subs == {*wire.SUB_STATES, "TUNING_JOB_STATE_UNSPECIFIED"}
    sizes = {each.value for each in types.AdapterSize}
    named = {f"ADAPTER_SIZE_{word}" for word in wire.ADAPTER_SIZES.values()}
    assert sizes == named | {"ADAPTER_SIZE_UNSPECIFIED"}
    assert set(wire.SPECS) <= types.TuningJob.model_fields.keys()


@pytest.mark.parametrize("word", ["JOB_STATE_UNSPECIFIED", "JOB_STATE_NEW"])
def test_words_that_say_nothing_are_unknown(word: str) -> None:
    assert wire.job(FLAT | {"state": word}).state is State.UNKNOWN
    assert wire.job(FLAT | {"tuning_job_state": "TUNING_JOB_STATE_NEW"}).state is State.UNKNOWN


@pytest.mark.parametrize("method", ["dpo", "rl", "sft"])
def test_billed_tokens_are_the_datas_times_the_epochs(method: str) -> None:
    key = {"dpo": "preference_optimization", "rl": "reinforcement_tuning",
           "sft": "supervised_tuning"}[method]  # fmt: skip
    name = "preference_optimization_spec" if method == "dpo" else f"{key}_spec"
    done = FLAT | {
        "state": "JOB_STATE_SUCCEEDED",
        name: {"hyper_parameters": {"epoch_count": 3}},
        "tuning_data_stats": {f"{key}_data_stats": {"total_billable_token_count": 700}},
    }
    seen = wire.job(done)
    assert (seen.trained_tokens, seen.n_epochs) == (2100, 3)
    assert wire.job(done | {"state": "JOB_STATE_RUNNING"}).trained_tokens is None


def test_epochs_that_nobody_asked_for_are_read_when_it_is_over() -> None:
    told = {"tuning_job_metadata": {"completed_epoch_count": 4}}
    assert wire.job(FLAT | told).n_epochs is None
    assert wire.job(FLAT | told | {"state": "JOB_STATE_SUCCEEDED"}).n_epochs == 4


def test_bad_data_fails_the_job_with_its_reason(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    file = place.upload(checked(place, tmp_path, '{"contents": []}\n'))
    job = place.create(place.request(spec(), file.id, None, "ftb-1"), "ftb-1")
    vendor.pass_time(30)
    seen = place.get(job.id)
    assert seen.state is State.FAILED and seen.error and "line 1" in seen.error["message"]


# -- data in the bucket ------------------------------------------------------------------------


def test_content_is_stored_once_and_purged(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    upload = checked(place, tmp_path)
    first, second = place.upload(upload), place.upload(upload)
    assert first.id == second.id and vendor.uploaded() == [first.id]
    assert first.id.startswith(f"gs://{BUCKET}/ftbridge/") and str(tmp_path) not in first.id
    place.purge(first.id)
    assert vendor.uploaded() == [] and place.file_state(first.id).missing


def test_a_purge_that_did_not_delete_is_an_error(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    file = place.upload(checked(place, tmp_path))
    vendor.injector.on("DELETE", "/storage/", Answers(204, body=b""))
    with pytest.raises(VendorError) as caught:
        place.purge(file.id)
    assert "still there" in caught.value.message and "retention" in caught.value.hint


def test_a_bucket_that_may_not_be_written_is_said(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    upload = checked(place, tmp_path)
    said = b'{"error": {"code": 403, "message": "no", "errors": [{"reason": "forbidden"}]}}'
    vendor.injector.on("POST", "/upload/", Answers(403, body=said))
    with pytest.raises(VendorError) as caught:
        place.upload(upload)
    assert caught.value.vendor_code == "forbidden" and "storage.objects.create" in caught.value.hint


def test_the_prefix_and_a_key_of_ones_own(vendor: Project, place: Provider, tmp_path: Path) -> None:
    options = {**place.context.options, "prefix": "/team/a/", "kms_key": "projects/p/k"}
    own = Provider(Context(tmp_path, options))
    file = own.upload(checked(own, tmp_path))
    assert file.id.startswith(f"gs://{BUCKET}/team/a/")
    (stored,) = vendor.store.objects.values()
    assert stored.kms_key == "projects/p/k"


# -- the model ---------------------------------------------------------------------------------


def test_checkpoints_answer_each_on_its_own_endpoint(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    job = finished(vendor, place, tmp_path, hyperparameters={"n_epochs": 3})
    points = place.checkpoints(job)
    assert [point.id for point in points] == ["1", "2", "3"]
    assert points[-1].model == place.get(job).model
    asked = ChatRequest([{"role": "user", "content": "row?"}])
    assert {place.chat(str(point.model), asked).text for point in points} == {"yes"}


def test_a_chat_says_what_it_used_and_why_it_stopped(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    model = str(place.get(finished(vendor, place, tmp_path)).model)
    turns = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "row?"}]
    reply = place.chat(model, ChatRequest(turns, max_tokens=8, seed=3))
    assert (reply.text, reply.finish_reason) == ("yes", "stop")
    assert reply.prompt_tokens > 0 and reply.completion_tokens > 0
    sent = vendor.store.requests[-1].body
    assert sent["systemInstruction"]["parts"] == [{"text": "be brief"}]
    assert sent["generationConfig"] == {"temperature": 0.0, "maxOutputTokens": 8, "seed": 3}
    base = place.chat(MODEL, ChatRequest([{"role": "user", "content": "a"}], max_tokens=1))
    assert base.finish_reason == "length"


def test_tool_calls_come_back_in_our_shape(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    model = str(place.get(finished(vendor, place, tmp_path)).model)
    parts = [{"functionCall": {"name": "look_up", "args": {"card": "blue"}}}]
    vendor.injector.on("POST", ":generateContent$", replaced("parts", parts))
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    reply = place.chat(model, ChatRequest([{"role": "user", "content": "row?"}], tools=[tool]))
    assert reply.finish_reason == "tool_calls"
    assert reply.tool_calls[0]["function"] == {"name": "look_up", "arguments": '{"card": "blue"}'}
    declared = vendor.store.requests[-1].body["tools"][0]["functionDeclarations"]
    assert declared[0]["name"] == "look_up"


def test_a_model_is_deleted_with_its_endpoints_after_half_a_try_too(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    job = finished(vendor, place, tmp_path, hyperparameters={"n_epochs": 2})
    model = str(place.get(job).model)
    vendor.injector.on("DELETE", r"/models/", Answers(503))
    with pytest.raises(VendorError):
        place.delete_model(model)
    place.delete_model(model)
    store = vendor.store
    assert len(store.deleted_endpoints) == 2 == len(store.endpoints)


def test_open_models_write_weights_that_can_be_brought_home(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    job = finished(vendor, place, tmp_path, model=OPEN)
    seen = place.get(job)
    assert seen.model == f"gs://{BUCKET}/ftbridge/weights/ftb-1"
    out = place.download(job, tmp_path / "weights")
    assert {path.name for path in out.iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors",
    }  # fmt: skip
    with pytest.raises(Unsupported):
        place.chat(seen.model, ChatRequest([{"role": "user", "content": "a"}]))
    place.delete_model(seen.model)
    assert all("/weights/" not in name for name in vendor.uploaded())
    with pytest.raises(DataError):
        place.download(job, tmp_path / "again")


def test_a_gemini_gives_no_weights(vendor: Project, place: Provider, tmp_path: Path) -> None:
    with pytest.raises(Unsupported):
        place.download(finished(vendor, place, tmp_path), tmp_path / "weights")


def test_a_name_that_would_leave_the_folder_is_not_written(
    vendor: Project, place: Provider, tmp_path: Path
) -> None:
    client = place._access.storage
    client.bucket(BUCKET).blob("w/../../evil").upload_from_string("x")
    with pytest.raises(DataError):
        staging.fetch(client, f"gs://{BUCKET}/w", tmp_path / "out", 5)
    assert not (tmp_path.parent / "evil").exists()


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"seed": 1}, "seed"),
        ({"hyperparameters": {"lora_r": 3}}, "lora_r"),
        ({"options": {"surprise": "1"}}, "option"),
        ({"options": {"learning_rate": "1e-4"}}, "learning_rate"),
        ({"options": {"samples_per_prompt": "4"}}, "samples_per_prompt"),
        ({"options": {"last_checkpoint_only": "yes"}}, "last_checkpoint_only"),
        ({"model": OPEN, "options": {"batch_size": "0"}}, "batch_size"),
        ({"model": OPEN, "hyperparameters": {"learning_rate_multiplier": 2}},
         "learning_rate_multiplier"),
        ({"model": OPEN, "adapter": "full", "hyperparameters": {"lora_r": 8}}, "lora_r"),
    ],
)  # fmt: skip
def test_what_vertex_does_not_take(place: Provider, changes: Line, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        place.request(spec(**changes), "gs://b/x", None, "ftb-1")
    assert caught.value.where == where


def test_a_bucket_must_be_named(place: Provider, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Provider(Context(tmp_path)).require_ready()
    assert caught.value.where == "bucket"


def test_credentials_that_are_not_there(
    place: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(CredentialsError) as caught:
        Provider(Context(tmp_path, {"bucket": BUCKET})).require_ready()
    assert "gcloud auth" in caught.value.hint and str(tmp_path) not in caught.value.message


def test_nobody_is_asked_where_there_can_be_no_credentials(
    place: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftbridge_vertex import access

    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setattr(access, "_at_google", lambda: False)
    for act in (place.require_ready, lambda: place.find("ftb-1")):
        with pytest.raises(CredentialsError) as caught:
            act()
        assert caught.value.where == "GOOGLE_OAUTH_ACCESS_TOKEN"
    check = next(each for each in place.doctor() if each.name == "credentials")
    assert check.ok is False and "gcloud auth" in check.hint


def test_a_token_that_has_ended(place: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.old")
    with pytest.raises(CredentialsError) as caught:
        place.find("ftb-1")
    assert "ya29.old" not in caught.value.message


def test_doctor_tells_of_what_a_bucket_keeps(vendor: Project, place: Provider) -> None:
    policy = {"retentionDurationSeconds": "604800"}
    kept = {"name": "b", "location": "EU", "softDeletePolicy": policy}
    shown = Answers(200, body=json.dumps(kept).encode())
    vendor.injector.on("GET", r"/storage/v1/b/[^/]+$", shown)
    check = next(each for each in place.doctor() if each.name == "bucket")
    assert check.ok is None and "7 days" in check.message and "soft-delete" in check.hint


# -- graders and references --------------------------------------------------------------------


def grader(**changes: Any) -> Any:
    return grader_from({"type": "string_check", "name": "g", "operation": "eq",
                        "input": "{{ sample.output_text }}",
                        "reference": "<{{item.reference}}>"} | changes)  # fmt: skip


def test_a_string_check_is_a_string_match() -> None:
    made = rewards.reward(grader(operation="like"))["string_match_reward_scorer"]
    assert made["string_match_expression"] == {
        "match_operation": "PARTIAL_MATCH", "expression": "<{{references.reference}}>",
    }  # fmt: skip
    assert (made["correct_answer_reward"], made["wrong_answer_reward"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"operation": "ilike"}, "operation"),
        ({"input": "{{sample.output_json}}"}, "input"),
        ({"reference": "{{sample.output_text}}"}, "reference"),
        ({"reference": "{{item.a.b}}"}, "reference"),
    ],
)
def test_what_a_string_match_cannot(change: Line, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        rewards.reward(grader(**change))
    assert caught.value.where == where


def test_a_program_is_called_as_vertex_calls() -> None:
    source = "def grade(sample, item):\n    return sample['output_text'] == item['reference']\n"
    made = rewards.reward(grader_from({"type": "python", "name": "p", "source": source}))
    space: dict[str, Any] = {}
    exec(made["code_execution_reward_scorer"]["python_code_snippet"], space)
    right = {"role": "model", "parts": [{"text": "4"}, {"text": "2"}]}
    example = {"contents": [], "references": {"reference": "42"}}
    assert space["evaluate"](example, right) == 1.0
    assert space["evaluate"](example, {"parts": [{"text": "7"}]}) == 0.0


def test_references_are_text() -> None:
    from ftbridge.dataset.formats import load

    line = b'{"messages":[{"role":"user","content":"a"}],"reference":42,"level":"hard"}'
    example = load("canonical").decode(line)
    made = FORMAT.encode(example)
    assert json.loads(made.line)["references"] == {"reference": "42", "level": "hard"}
    assert made.losses == ("reference_as_text",)
    assert FORMAT.decode(made.line).fields() == {"reference": "42", "level": "hard"}  # type: ignore[union-attr]
