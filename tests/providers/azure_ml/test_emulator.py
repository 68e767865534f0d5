"""The emulator of Azure ML over plain HTTP: control plane, blobs, and jobs that run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure_ml_world import IMAGE, SCOPE, VERSION, World, address, until

from ftbridge import bundle, run_records
from ftbridge.testing.faults import Answers, DropAfter
from ftbridge.testing.proxy import Injector
from ftbridge_azure_ml.emulator import SAS, STORAGE, TOKEN, Cluster, once_it_has_a_checkpoint


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["error"]["code"])


class TestControlPlane:
    def test_workspace_datastore_and_clusters(self, world: World) -> None:
        assert world.ask("GET", "").json()["properties"]["tenantId"]
        (store,) = world.ask("GET", "/datastores", isDefault="true").json()["value"]
        assert store["properties"]["containerName"] and "key" not in json.dumps(store)
        path = f"/datastores/{store['name']}"
        assert world.ask("POST", f"{path}/listSecrets", {}).json()["key"]
        world.store.credentials = "None"
        assert code(world.ask("POST", f"{path}/listSecrets"))[0] == 400
        names = [row["name"] for row in world.ask("GET", "/computes").json()["value"]]
        assert names == ["gpu", "gpu-low"]
        cluster = world.ask("GET", "/computes/gpu-low").json()["properties"]["properties"]
        assert cluster["vmPriority"] == "LowPriority"
        assert code(world.ask("GET", "/computes/none")) == (404, "ResourceNotFound")

    def test_who_may_come_in(self, world: World) -> None:
        url = f"{world.url}{SCOPE}"
        header = {"Authorization": f"Bearer {TOKEN}"}
        assert code(world.http.get(url)) == (401, "AuthenticationFailed")
        wrong = {"Authorization": "Bearer stolen"}
        assert code(world.http.get(url, headers=wrong)) == (401, "InvalidAuthenticationToken")
        assert code(world.http.get(url, headers=header)) == (400, "MissingApiVersionParameter")
        other = {"api-version": VERSION}
        for old, missing in (
            ("sandbox", "ResourceNotFound"),
            ("ftbridge", "ResourceGroupNotFound"),
        ):
            path = url.replace(f"/{old}", "/elsewhere", 1)
            assert code(world.http.get(path, headers=header, params=other)) == (404, missing)
        assert world.http.get(f"{url}/none", headers=header, params=other).status_code == 404

    def test_an_environment_stays_what_it_is(self, world: World) -> None:
        path = "/environments/torch/versions/1"
        put = {"properties": {"image": "a:1"}}
        assert world.ask("PUT", path, put).status_code == 201
        assert world.ask("PUT", path, put).status_code == 200
        assert code(world.ask("PUT", path, {"properties": {"image": "a:2"}})) == (409, "Conflict")
        assert world.ask("GET", path).json()["properties"]["image"] == "a:1"
        assert code(world.ask("PUT", path, {"properties": {"picture": "a"}}))[0] == 400
        assert code(world.ask("GET", "/environments/torch/versions/2"))[0] == 404


class TestBlobs:
    def test_a_blob_comes_and_goes(self, world: World) -> None:
        world.put_blob("files/a b.txt", b"hello world")
        assert world.blob("GET", "files/a b.txt").content == b"hello world"
        part = world.blob("GET", "files/a b.txt", x_ms_range="bytes=6-100")
        assert (part.status_code, part.content) == (206, b"world")
        assert part.headers["content-range"] == "bytes 6-10/11"
        head = world.blob("HEAD", "files/a b.txt")
        assert head.headers["content-length"] == "11" and head.content == b""
        assert world.blob("DELETE", "files/a b.txt").status_code == 202
        gone = world.blob("GET", "files/a b.txt")
        assert (gone.status_code, gone.headers["x-ms-error-code"]) == (404, "BlobNotFound")

    def test_large_ones_come_in_blocks(self, world: World) -> None:
        for block in ("MDA=", "MDE="):
            sent = world.blob("PUT", f"big?comp=block&blockid={block}", block.encode())
            assert sent.status_code == 201
        assert world.blob("HEAD", "big").status_code == 404
        listed = "".join(f"<Latest>{block}</Latest>" for block in ("MDE=", "MDA="))
        body = f"<BlockList>{listed}</BlockList>".encode()
        assert world.blob("PUT", "big?comp=blocklist", body).status_code == 201
        assert world.blob("GET", "big").content == b"MDE=MDA="
        again = world.blob("PUT", "big?comp=blocklist", body)
        assert again.headers["x-ms-error-code"] == "InvalidBlockList"

    def test_lists_by_prefix_and_page(self, world: World) -> None:
        for name in ("in/a", "in/b", "in/c&d", "out/a"):
            world.put_blob(name, b"x")
        query = "restype=container&comp=list&prefix=in/&maxresults=2"
        first = world.blobs(query)
        assert "<Name>in/a</Name>" in first and "<NextMarker>in/c&amp;d</NextMarker>" in first
        rest = world.blobs(f"{query}&marker=in/c%26d")
        assert "<Name>in/c&amp;d</Name>" in rest and "in/b" not in rest and "out" not in rest

    def test_what_it_refuses(self, world: World) -> None:
        world.put_blob("a", b"x")
        kept = world.blob("PUT", "a", b"y", x_ms_blob_type="BlockBlob", If_None_Match="*")
        assert (kept.status_code, world.blob("GET", "a").content) == (409, b"x")
        assert world.blob("PUT", "b", b"y").status_code == 400
        assert world.blob("GET", "a", x_ms_range="bytes=9-").status_code == 416
        assert world.blob("PUT", "b?comp=page", b"y").status_code == 400
        assert world.blob("PUT", "x/../../b", b"y", x_ms_blob_type="BlockBlob").status_code >= 400
        url = f"{world.url}/{STORAGE}/azureml-blobstore/a"
        version = {"x-ms-version": "2024-11-04"}
        assert world.http.get(url, headers=version).status_code == 403
        assert world.http.get(f"{url}?{SAS}", headers=version).content == b"x"
        absent = world.http.get(url.replace("blobstore/", "none/") + f"?{SAS}", headers=version)
        assert absent.headers["x-ms-error-code"] == "ContainerNotFound"


class TestJobs:
    def test_it_runs_the_command(self, world: World) -> None:
        world.put_blob("data/a.txt", b"from a blob")
        command = "cat ${{inputs.data}}/a.txt > ${{outputs.out}}/b.txt; echo $WORD ${{inputs.n}}"
        read = {"jobInputType": "uri_folder", "uri": address("data/"), "mode": "ReadOnlyMount"}
        written = {"jobOutputType": "uri_folder", "uri": address("out"), "mode": "ReadWriteMount"}
        made = world.job(
            command=command,
            inputs={"data": read, "n": {"jobInputType": "literal", "value": "3"}},
            outputs={"out": written},
            environmentVariables={"WORD": "said"},
            limits={"jobLimitsType": "Command", "timeout": "PT1H"},
            tags={"ftbridge": "k"},
        )
        assert made.status_code == 201 and made.json()["properties"]["status"] == "NotStarted"
        assert world.ended() == "Completed"
        assert world.blob("GET", "out/b.txt").content == b"from a blob"
        assert world.log().split() == ["said", "3"]

    @pytest.mark.parametrize(
        ("changes", "found"),
        [
            ({"comand": "x"}, "ValidationError"),
            ({"jobType": "Sweep"}, "ValidationError"),
            ({"command": 7}, "ValidationError"),
            ({"limits": {"jobLimitsType": "Command", "timeout": "1h"}}, "ValidationError"),
            ({"inputs": {"x": {"jobInputType": "uri_folder"}}}, "ValidationError"),
            ({"command": "ls ${{inputs.x}}"}, "UserError"),
            ({"queueSettings": {"jobTier": "Cheap"}}, "ValidationError"),
            ({"environmentId": IMAGE.replace("/1", "/2")}, "UserError"),
            ({"computeId": f"{SCOPE}/computes/none"}, "UserError"),
            ({"computeId": None}, "UserError"),
            ({"outputs": {"o": {"jobOutputType": "uri_folder", "uri": "s3://b/o"}}}, "UserError"),
        ],
        ids=str,
    )
    def test_what_it_refuses(self, world: World, changes: dict[str, Any], found: str) -> None:
        assert code(world.job(**changes)) == (400, found)
        assert code(world.ask("GET", "/jobs/job-1")) == (404, "ResourceNotFound")

    def test_a_name_is_one_job(self, world: World) -> None:
        world.store.rents = False
        assert world.job().status_code == 201
        assert world.job().status_code == 200
        tagged = world.job(tags={"a": "b"})
        assert tagged.status_code == 200 and tagged.json()["properties"]["tags"] == {"a": "b"}
        assert code(world.job(command="echo other")) == (400, "UserError")
        assert code(world.job("no spaces")) == (400, "UserError")
        assert len(world.store.jobs) == 1

    def test_lists_by_page_and_tag(self, world: World) -> None:
        world.store.rents = False
        for number in range(33):
            world.job(f"job-{number}", tags={"ftbridge": "x"} if number % 2 else {})
        first = world.ask("GET", "/jobs").json()
        assert len(first["value"]) == 30 and first["value"][0]["name"] == "job-32"
        header = {"Authorization": f"Bearer {TOKEN}"}
        rest = world.http.get(first["nextLink"], headers=header).json()
        assert [row["name"] for row in rest["value"]] == ["job-2", "job-1", "job-0"]
        assert len(world.ask("GET", "/jobs", tag="ftbridge").json()["value"]) == 16

    def test_cancelled_by_a_long_operation(self, world: World) -> None:
        world.job(command="sleep 300")
        until(lambda: world.status() == "Running")
        asked = world.ask("POST", "/jobs/job-1/cancel")
        assert asked.status_code == 202
        header = {"Authorization": f"Bearer {TOKEN}"}
        until(lambda: world.http.get(asked.headers["location"], headers=header).status_code == 200)
        assert world.status() == "Canceled"
        assert code(world.ask("POST", "/jobs/job-1/cancel")) == (400, "UserError")

    def test_how_jobs_end(self, world: World) -> None:
        world.job("bad", command="exit 3")
        missing = {"jobInputType": "uri_folder", "uri": address("nothing")}
        world.job("empty", inputs={"x": missing})
        short = {"jobLimitsType": "Command", "timeout": "PT1S"}
        world.job("long", command="sleep 300", limits=short)
        assert [world.ended(name) for name in ("bad", "empty", "long")] == [
            "Failed", "Failed", "Canceled",
        ]  # fmt: skip
        assert "status 3" in str(world.store.jobs["bad"].failure)

    def test_a_node_of_low_priority_is_replaced(self, world: World) -> None:
        world.store.preempts = lambda job, outputs: not job.preemptions and any(outputs.iterdir())
        out = {"jobOutputType": "uri_folder", "uri": address("out")}
        command = "cd ${{outputs.out}}; ls; [ -e begun ] || { touch begun; sleep 300; }"
        world.job(command=command, outputs={"out": out}, computeId=f"{SCOPE}/computes/gpu-low")
        assert world.ended() == "Completed"
        assert world.store.jobs["job-1"].preemptions == 1 and "begun" in world.log()

    def test_serverless_capacity_has_tiers(self, world: World) -> None:
        size = {"instanceType": "Standard_NC24ads_A100_v4"}
        world.job(computeId=None, resources=size, queueSettings={"jobTier": "Spot"})
        run = world.store.jobs["job-1"].run
        assert run is not None and run.low_priority
        world.store.clusters["more"] = Cluster("more", "Standard_ND96asr_v4")
        world.job("other", computeId=f"azureml:{SCOPE}/computes/more")
        assert world.ended("other") == "Completed"

    def test_behind_the_fault_injector(self, world: World) -> None:
        world.store.rents = False
        injector = Injector(world.url)
        with injector.serve() as url:
            asking = World(world.app, url, world.http)
            injector.on("PUT", r"/jobs/", DropAfter())
            with pytest.raises(httpx.RemoteProtocolError):
                asking.job()
            assert asking.status() == "Queued"
            injector.on("GET", r"/jobs/", Answers(503, retry_after=1))
            assert asking.ask("GET", "/jobs/job-1").status_code == 503


@pytest.mark.training
@pytest.mark.long
def test_our_trainer_loses_its_node_and_goes_on(world: World, tmp_path: Path) -> None:
    world.store.preempts = once_it_has_a_checkpoint
    row = {
        "messages": [{"role": "user", "content": "where?"}, {"role": "assistant", "content": "x"}]
    }
    world.put_blob("files/train.jsonl", (json.dumps(row) + "\n").encode() * 24)
    recipe = {
        "schema": 1, "model": "acme/tiny-1m", "method": "sft", "adapter": "lora",
        "train": "train.jsonl", "n_epochs": 20, "batch_size": 2, "checkpoint_steps": 1,
        "threads": 1,
    }  # fmt: skip
    for name, content in bundle.bundle(recipe).items():
        world.put_blob(f"jobs/k/in/{name}", content)
    command = bundle.command("${{inputs.bundle}}", "${{outputs.out}}", ["${{inputs.files}}"], 1)
    world.job(
        command=" ".join(command),
        computeId=f"{SCOPE}/computes/gpu-low",
        inputs={
            "bundle": {"jobInputType": "uri_folder", "uri": address("jobs/k/in")},
            "files": {"jobInputType": "uri_folder", "uri": address("files")},
        },
        outputs={"out": {"jobOutputType": "uri_folder", "uri": address("jobs/k/out")}},
    )
    assert world.ended() == "Completed", world.log()
    assert world.store.jobs["job-1"].preemptions == 1
    told = run_records.events(run_records.rows(world.blob("GET", "jobs/k/out/events.jsonl").text))
    assert "resumed" in [event.type for event in told]
    result = world.blob("GET", "jobs/k/out/result.json").json()
    folder = f"jobs/k/out/{result['output']}/adapter_model.safetensors"
    assert world.blob("HEAD", folder).status_code == 200
