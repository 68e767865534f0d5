"""The bucket that tuning reads from: Google's storage client against the emulator."""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.auth.transport.requests import Request
from google.cloud import storage
from google.oauth2.credentials import Credentials
from vertex_world import World

from ftbridge.testing.faults import DropAfter
from ftbridge.testing.proxy import Injector
from ftbridge_vertex.emulator import BUCKET, PROJECT, TOKEN


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_what_is_uploaded_comes_back_checked(world: World, size: int) -> None:
    content = os.urandom(size)
    blob = world.bucket().blob("a folder/ü.jsonl", chunk_size=1 << 20 if size > 10 else None)
    blob.metadata = {"ftb": "key"}
    blob.upload_from_string(content)
    again = world.bucket().get_blob("a folder/ü.jsonl")
    assert again.metadata == {"ftb": "key"} and again.size == size
    assert again.download_as_bytes() == content
    if size == 10:
        assert again.download_as_bytes(start=2, end=5) == content[2:6]


def test_a_resumable_upload_goes_in_parts(world: World) -> None:
    content = os.urandom(700_000)
    blob = world.bucket().blob("big")
    with blob.open("wb", chunk_size=256 * 1024) as stream:
        stream.write(content)
    assert blob.download_as_bytes() == content
    parts = [each for each in world.store.requests if each.method == "PUT"]
    assert [each.status for each in parts] == [308, 308, 200]


def test_lists_have_prefixes_delimiters_and_pages(world: World) -> None:
    bucket = world.bucket()
    for name in ("jobs/1/train", "jobs/1/valid", "jobs/2/train", "other"):
        bucket.blob(name).upload_from_string("x")
    assert [each.name for each in bucket.list_blobs(prefix="jobs/1/")] == [
        "jobs/1/train", "jobs/1/valid",
    ]  # fmt: skip
    assert len(list(bucket.list_blobs(page_size=1))) == 4
    folders: Any = bucket.list_blobs(prefix="jobs/", delimiter="/")
    assert list(folders) == [] and folders.prefixes == {"jobs/1/", "jobs/2/"}


def test_preconditions_and_absence(world: World) -> None:
    bucket = world.bucket()
    bucket.blob("once").upload_from_string("x", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("once").upload_from_string("y", if_generation_match=0)
    bucket.blob("once").delete()
    for act in ("reload", "delete", "download_as_bytes"):
        with pytest.raises(exceptions.NotFound, match="No such object"):
            getattr(bucket.blob("once"), act)()
    assert bucket.get_blob("once") is None
    with pytest.raises(exceptions.NotFound, match="bucket"):
        bucket.client.get_bucket("nobody-has-this")
    assert bucket.client.get_bucket(BUCKET).location == "US-CENTRAL1"
    assert bucket.test_iam_permissions(["storage.objects.create"]) == ["storage.objects.create"]


def test_the_emulator_host_variable_and_a_token_do_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", world.url)
    for credentials in (None, Credentials(TOKEN)):
        client = storage.Client(project=PROJECT, credentials=credentials)
        client.bucket(BUCKET).blob("x").upload_from_string("x")
        client.close()
    other = {"authorization": "Bearer other"}
    refused = httpx.get(f"{world.url}/storage/v1/b/{BUCKET}", headers=other)
    assert (refused.status_code, refused.json()["error"]["errors"][0]["reason"]) == (
        401,
        "authError",
    )


def test_the_token_endpoint_refreshes_credentials(world: World) -> None:
    person = Credentials(
        None, refresh_token="r", token_uri=f"{world.url}/token", client_id="c", client_secret="s"
    )
    person.refresh(Request())
    assert person.token == TOKEN
    assert httpx.post(f"{world.url}/token", data={"grant_type": "password"}).status_code == 400


def test_the_fault_injector_stands_before_it(world: World) -> None:
    injector = Injector(world.url)
    with injector.serve() as url:
        injector.on("POST", r"/upload/", DropAfter())
        lost = f"{url}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=lost"
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(lost, content=b"x")
        assert httpx.get(f"{url}/storage/v1/b/{BUCKET}/o/lost?alt=media").content == b"x"
