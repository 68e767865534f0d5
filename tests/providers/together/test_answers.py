"""What is made of Together's answers, the good ones and the others."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard
from together_world import KEY, MODEL, Vendor, spec

from ftbridge import clock
from ftbridge.errors import CredentialsError, NetworkError, UsageError, VendorError
from ftbridge.jobs.states import State
from ftbridge.provider import ChatRequest
from ftbridge_together import weights, wire
from ftbridge_together.request import mark

CHAT = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
JOB = {
    "id": "ft-1", "status": "queued", "created_at": "2026-11-25T08:00:00.123Z",
    "updated_at": "2026-11-25T09:00:00Z", "model_output_name": "me/model-ftb", "token_count": 10,
}  # fmt: skip
EVENT = {"object": "fine-tune-event", "created_at": "2026-11-25T08:30:00Z", "message": "m",
         "type": "job_start"}  # fmt: skip


@pytest.mark.parametrize(("raw", "state"), [*wire.STATES.items(), ("dreaming", State.UNKNOWN)])
def test_states(raw: str, state: State) -> None:
    seen = wire.job(JOB | {"status": raw})
    assert (seen.state, seen.raw_state) == (state, raw)
    assert seen.stopping is (raw == "cancel_requested")
    assert (seen.model is not None) is (state is State.SUCCEEDED)
    assert (seen.finished_at is not None) is (seen.trained_tokens is not None)
    assert (seen.finished_at is not None) is (raw in wire.ENDED)
    assert (seen.error is not None) is (state is State.FAILED)
    assert seen.created_at == "2026-11-25T08:00:00.123000Z"


def test_why_a_job_failed_and_how_far_it_is_stand_in_its_events() -> None:
    told = [EVENT | {"type": "job_error", "message": "bad luck", "level": "error"}, EVENT]
    failed = wire.job(JOB | {"status": "error", "events": told})
    assert failed.error == {"code": "job_error", "message": "bad luck"}
    steps = [EVENT | {"step": 2, "total_steps": 8}, EVENT]
    assert wire.job(JOB | {"status": "running", "events": steps}).progress == 0.25


def test_events() -> None:
    later = EVENT | {"created_at": "2026-11-25T09:00:00Z", "level": "legacy_iwarning", "step": 3}
    odd = EVENT | {"created_at": "soon", "level": "info"}
    first, second, third = wire.events([later, odd, EVENT])
    assert (first.level, first.step, first.type) == ("info", None, "job_start")
    assert (second.level, second.step) == ("warning", 3)
    assert third.time == "soon"  # no date: kept as it came


@pytest.mark.parametrize(
    "status", [None, *sorted(wire.WAITING), "COMPLETED", "FAILED", "INVALID_FORMAT"]
)
def test_a_file_is_ready_once_it_is_validated(status: str | None) -> None:
    report = {"error": "line 3"} if status == "INVALID_FORMAT" else None
    seen = wire.file_state({"processing_status": status, "validation_report": report})
    assert seen.ready is (status in (None, "COMPLETED"))
    assert (seen.error is not None) is (status in ("FAILED", "INVALID_FORMAT"))
    assert report is None or seen.error == "line 3"


def test_a_bad_file_is_told_before_a_job_is_made(together: Vendor) -> None:
    provider = together.connect()
    file = together.upload(provider, b'{"messages": []}\n')
    assert "no messages" in str(provider.file_state(file).error)
    assert provider.file_state("file-none").missing


def test_an_upload_that_was_never_finished_is_not_found(together: Vendor) -> None:
    provider = together.connect()
    upload = together.checked(provider, CHAT)
    made = provider.upload(upload)
    assert provider.find_upload(upload) == made
    together.store.files[made.id].preprocessed_at = None
    assert provider.find_upload(upload) is None
    assert provider.upload(upload).id != made.id


def test_many_jobs_come_by_one_list_and_failed_ones_singly(together: Vendor) -> None:
    provider = together.connect()
    good, pairs = together.upload(provider, CHAT), together.upload(provider, CHAT + CHAT)
    made = [provider.create(provider.request(spec(), good, None, f"k{n}"), "k").id
            for n in range(250)]  # fmt: skip
    bad = provider.request(spec(method="dpo"), pairs, None, "bad")
    made.append(provider.create(bad, "bad").id)
    together.ahead += 60
    together.tape.exchanges.clear()
    seen = provider.get_many(made)
    assert set(seen) == set(made) and seen[made[-1]].error is not None
    assert all(seen[one].model for one in made[:-1])
    paths = [one.path for one in together.tape.exchanges]
    assert paths == ["/v1/fine-tunes", f"/v1/fine-tunes/{made[-1]}"]
    found = provider.find("k249")
    assert found is not None and found.id == made[249] and provider.find("nobody") is None


def test_a_list_that_shows_no_suffix_proves_no_absence() -> None:
    """Else a create whose answer was lost would be made, and paid, twice."""
    mute = {"id": "ft-9", "created_at": clock.stamp(clock.real_now())}
    with pytest.raises(VendorError, match="ft-9"):
        wire.search([mute], "ftb-1")
    assert wire.search([mute | {"created_at": "2020-01-01T00:00:00Z"}], "ftb-1") is None
    assert wire.search([mute | {"suffix": "other"}], "ftb-1") is None
    by_name = mute | {"model_output_name": f"me/Model-{mark('ftb-1').upper()}-1a2b"}
    assert wire.search([mute, by_name], "ftb-1") == "ft-9"


def test_chats_with_a_tuned_model_go_to_its_endpoint(together: Vendor) -> None:
    asked = ChatRequest([{"role": "user", "content": "a"}])
    provider = together.connect(endpoint="me/endpoint")
    for model in (MODEL, "me/tuned"):
        with pytest.raises(VendorError) if model != MODEL else _nothing():
            provider.chat(model, asked)
    assert [one.sent["model"] for one in together.tape.exchanges] == [MODEL, "me/endpoint"]


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *args: object) -> None: ...


# -- weights -----------------------------------------------------------------------------------


def archive(name: str = "adapter_config.json") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = 5000
        tar.addfile(member, io.BytesIO(bytes(range(250)) * 20))
    return buffer.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_an_archive_of_any_kind(tmp_path: Path, pack: Any) -> None:
    content = pack(archive())
    chunks = [content[n : n + 100] for n in range(0, len(content), 100)]
    out = weights.unpack(chunks, tmp_path / "new" / "weights")
    assert [path.name for path in out.iterdir()] == ["adapter_config.json"]
    assert [path.name for path in out.parent.iterdir()] == ["weights"]  # nothing aside is left


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_a_cut_archive_leaves_nothing(tmp_path: Path, pack: Any) -> None:
    whole = pack(archive())
    for content in (whole[: len(whole) // 4], whole[:20], b"", b"<html>"):
        with pytest.raises(NetworkError):
            weights.unpack([content], tmp_path / "weights")
        assert list(tmp_path.iterdir()) == []


def test_an_archive_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not safe"):
        weights.unpack([archive("../outside")], tmp_path / "in" / "weights")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    (tmp_path / "in" / "mine").write_text("")
    with pytest.raises(UsageError, match="not empty"):
        weights.require_new(tmp_path / "in")


@pytest.mark.parametrize(
    ("adapter", "merged", "asked"),
    [("lora", False, "adapter"), ("lora", True, "merged"), ("full", False, "model_output_path"),
     ("full", True, "model_output_path")],
)  # fmt: skip
def test_which_weights_are_asked_for(
    together: Vendor, adapter: str, merged: bool, asked: str
) -> None:
    provider = together.connect()
    file = together.upload(provider, CHAT)
    job = provider.create(provider.request(spec(adapter=adapter), file, None, "k"), "k")
    with pytest.raises(VendorError):
        provider.download(job.id, together.home / "weights", merged=merged)
    together.ahead += 60
    out = provider.download(job.id, together.home / "weights", merged=merged)
    assert together.tape.exchanges[-1].query == {"ft_id": job.id, "checkpoint": asked}
    assert len(list(out.iterdir())) == 2


# -- access ------------------------------------------------------------------------------------


def test_credit_and_credentials(together: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = together.connect()
    file = together.upload(provider, CHAT)
    together.store.user_limit = 0
    with pytest.raises(VendorError) as caught:
        provider.create(provider.request(spec(), file, None, "k"), "k")
    assert (caught.value.status, caught.value.transient) == (402, False)
    assert "credit" in caught.value.hint and caught.value.request_id
    assert [check.ok for check in provider.doctor()] == [True, True, True]
    monkeypatch.setenv("TOGETHER_API_KEY", "wrong")
    other = together.connect()
    assert [check.ok for check in other.doctor()] == [True, True, False]
    with pytest.raises(CredentialsError):
        other.upload(together.checked(other, CHAT + CHAT))
    wrong = other.account
    monkeypatch.setenv("TOGETHER_API_KEY", KEY)
    assert KEY not in provider.account and provider.account != wrong
    monkeypatch.delenv("TOGETHER_API_KEY")
    assert [check.ok for check in together.connect().doctor()] == [True, False]


def test_addresses(together: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    for url, own in {
        "https://api.together.ai": True, "https://api.together.xyz/v1": True,
        "https://together.ai.evil.example": False, "https://nottogether.ai": False,
    }.items():  # fmt: skip
        assert together.connect(base_url=url).at_vendor is own
    with_v1 = together.connect(base_url=f"{together.url}/v1")
    assert with_v1.model_limits(MODEL)["model_name"] == MODEL
    monkeypatch.setenv("TOGETHER_BASE_URL", together.url)
    assert together.connect(base_url="").endpoint == together.url
