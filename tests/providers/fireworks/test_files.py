"""Data on its way in, weights and metrics on their way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from fireworks_spec import ACCOUNT, SFT
from recording import Recorder

from ftbridge.errors import NetworkError, PolicyRefused, UsageError, VendorError
from ftbridge.files import sha256_of
from ftbridge.policy import CheckedUpload, Privacy, check_upload
from ftbridge_fireworks import Provider, datasets

MISSING = (404, {"code": 5, "message": "not found"})
TAKEN = (409, {"code": 6, "message": "already exists"})


@pytest.fixture
def upload(provider: Provider, tmp_path: Path) -> CheckedUpload:
    path = tmp_path / "train.jsonl"
    path.write_bytes(b'{"messages": []}\n' * 5)
    return check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, provider.destination)


def named(state: str, **more: object) -> dict[str, object]:
    return {"name": f"{ACCOUNT}/datasets/d", "state": state, **more}


def test_a_record_first_then_its_bytes(
    provider: Provider, recorder: Recorder, upload: CheckedUpload
) -> None:
    made = provider.upload(upload)
    wanted = upload.name.removesuffix(".jsonl")
    assert made.id == f"{ACCOUNT}/datasets/{wanted}" and made.bytes == upload.bytes
    record, content = recorder.seen
    assert record.path == "/v1/accounts/acme/datasets"
    assert record.body == {
        "datasetId": wanted, "dataset": {"userUploaded": {}, "exampleCount": "5"},
    }  # fmt: skip
    assert content.path == f"/v1/accounts/acme/datasets/{wanted}:upload"
    assert '{"messages": []}' in content.body and upload.name in content.body


def test_a_large_file_goes_by_signed_url_without_the_key(
    provider: Provider, recorder: Recorder, upload: CheckedUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "LARGEST_REQUEST", 10)
    signed = {"filenameToSignedUrls": {upload.name: f"{recorder.url}/bucket/x?signature=s"}}
    recorder.plan += [(200, named("UPLOADING")), (200, signed), (200, ""), (200, {})]
    provider.upload(upload)
    assert [sent.path.rpartition(":")[2] for sent in recorder.seen[1::2]] == [
        "getUploadEndpoint", "validateUpload",
    ]  # fmt: skip
    put = recorder.seen[2]
    size = str(upload.bytes)
    assert (put.method, put.path, put.query) == ("PUT", "/bucket/x", {"signature": "s"})
    assert put.headers["x-goog-content-length-range"] == f"{size},{size}"
    assert put.headers["content-length"] == size and "authorization" not in put.headers
    recorder.plan += [(200, named("UPLOADING")), (200, signed), (403, "SignatureDoesNotMatch")]
    with pytest.raises(VendorError) as caught:
        provider.upload(upload)
    assert "signature" not in str(caught.value.to_dict()).replace("signed", "").lower()


def test_no_data_goes_to_a_signed_url_in_the_clear(
    provider: Provider, recorder: Recorder, upload: CheckedUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "LARGEST_REQUEST", 10)
    signed = {"filenameToSignedUrls": {upload.name: "http://bucket.example/x?signature=s"}}
    recorder.plan += [(200, named("UPLOADING")), (200, signed)]
    with pytest.raises(PolicyRefused):
        provider.upload(upload)
    assert len(recorder.seen) == 2


def test_an_earlier_try_is_taken_up(
    provider: Provider, recorder: Recorder, upload: CheckedUpload
) -> None:
    recorder.plan += [TAKEN, (200, named("READY"))]
    provider.upload(upload)
    assert [sent.method for sent in recorder.seen] == ["POST", "GET"]
    recorder.clear()
    recorder.plan += [TAKEN, (200, named("UPLOADING"))]
    provider.upload(upload)  # a record without bytes: they are sent
    assert recorder.seen[-1].path.endswith(":upload")


def test_an_upload_is_found_once_it_is_whole(
    provider: Provider, recorder: Recorder, upload: CheckedUpload
) -> None:
    recorder.plan += [(200, named("READY")), (200, named("UPLOADING")), MISSING]
    found = provider.find_upload(upload)
    assert found and found.id.endswith(upload.name.removesuffix(".jsonl"))
    assert provider.find_upload(upload) is None and provider.find_upload(upload) is None


def test_file_states(provider: Provider, recorder: Recorder) -> None:
    bad = {"status": {"code": "INVALID_ARGUMENT", "message": "line 3"}}
    recorder.plan += [
        (200, named("READY", status={"code": "OK"})), (200, named("UPLOADING")),
        (200, named("UPLOADING", **bad)), MISSING,
    ]  # fmt: skip
    seen = [provider.file_state(f"{ACCOUNT}/datasets/d") for _ in range(4)]
    assert [(state.ready, state.missing) for state in seen] == [
        (True, False), (False, False), (False, False), (False, True),
    ]  # fmt: skip
    assert seen[2].error == "line 3"


def test_gone_is_what_was_asked_for(provider: Provider, recorder: Recorder) -> None:
    recorder.plan += [MISSING] * 3
    provider.purge(f"{ACCOUNT}/datasets/d")
    provider.delete(SFT)
    provider.delete_model(f"{ACCOUNT}/models/m")
    assert [(sent.method, sent.path.rpartition("acme/")[2]) for sent in recorder.seen] == [
        ("DELETE", "datasets/d"), ("DELETE", "supervisedFineTuningJobs/ftb-1"),
        ("DELETE", "models/m"),
    ]  # fmt: skip


def test_weights_come_by_signed_url(provider: Provider, recorder: Recorder, tmp_path: Path) -> None:
    done = {"name": SFT, "state": "JOB_STATE_COMPLETED", "dataset": "d",
            "outputModel": f"{ACCOUNT}/models/m"}  # fmt: skip
    urls = {"adapter_config.json": f"{recorder.url}/a?s=1"}
    recorder.plan += [(200, done), (200, {"filenameToSignedUrls": urls}), (200, {"r": 8})]
    out = provider.download(SFT, tmp_path / "out")
    assert (out / "adapter_config.json").read_bytes() == b'{"r":8}'
    assert "authorization" not in recorder.seen[-1].headers
    with pytest.raises(UsageError):  # not empty
        recorder.plan += [(200, done), (200, {"filenameToSignedUrls": urls})]
        provider.download(SFT, out)
    recorder.clear()
    recorder.plan += [(200, done), (200, {"filenameToSignedUrls": {"../x": urls.popitem()[1]}})]
    with pytest.raises(VendorError):
        provider.download(SFT, tmp_path / "other")
    assert not (tmp_path / "x").exists()


def test_metrics_of_each_kind(provider: Provider, recorder: Recorder) -> None:
    lines = '{"step": 2, "loss": 0.5, "done": true}\n\n{"loss": 0.25, "epoch": 1}\n'
    url = f"{recorder.url}/m?s=1"
    running = {"name": SFT, "state": "JOB_STATE_RUNNING", "dataset": "d"}
    recorder.plan += [(200, running), (200, {**running, "metricsFileSignedUrl": url}), (200, lines)]
    assert provider.metrics(SFT) == []
    found = [(metric.step, metric.name, metric.value) for metric in provider.metrics(SFT)]
    assert found == [(2, "loss", 0.5), (2, "loss", 0.25), (2, "epoch", 1.0)]
    dpo = f"{ACCOUNT}/dpoJobs/ftb-1"
    done = {"name": dpo, "state": "JOB_STATE_COMPLETED", "dataset": "d"}
    recorder.plan += [(200, done), (200, {"signedUrl": url}), (200, lines)]
    assert len(provider.metrics(dpo)) == 3


@pytest.mark.parametrize("said", ["<html>proxy</html>", '{"loss": ', "[1, 2]"])
def test_a_metrics_file_that_cannot_be_read(
    provider: Provider, recorder: Recorder, said: str
) -> None:
    url = f"{recorder.url}/m?s=secret"
    shown = {"name": SFT, "state": "JOB_STATE_RUNNING", "dataset": "d", "metricsFileSignedUrl": url}
    recorder.plan += [(200, shown), (200, said)]
    with pytest.raises(NetworkError):
        provider.metrics(SFT)
    recorder.plan += [(200, shown), (403, "expired")]
    with pytest.raises(VendorError) as caught:
        provider.metrics(SFT)
    assert "secret" not in str(caught.value.to_dict())
