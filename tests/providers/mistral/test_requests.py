"""Wishes, the suffix that carries the key, classifier lines and answers, and the dry run."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from mistral_world import CLASSIFIER, MODEL, Vendor, spec

import ftbridge
from ftbridge import clock
from ftbridge.dataset.types import Chat, Message, Preference, Tool
from ftbridge.errors import DataError, ProviderError, UsageError, VendorError
from ftbridge.jobs.spec import Method
from ftbridge.jobs.states import State
from ftbridge_mistral import classifier, request, wire
from ftbridge_mistral.request import MAX_SUFFIX, mark

CHAT = b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"yes"}]}\n'
ASK, YES = Message("user", "a"), Message("assistant", "yes")
CLASSIFY = {"job_type": "classifier"}


def body(**changes: Any) -> dict[str, Any]:
    return request.create_body(spec(**changes), "file-1", None, "ftb-1")


# -- the key -------------------------------------------------------------------------------------


def test_a_suffix_carries_the_mark_and_the_persons_own(mistral: Vendor) -> None:
    room = mistral.connect().catalogue().limits.max_suffix
    assert room == MAX_SUFFIX - len(mark("")) - 1
    assert body(suffix="x" * room)["suffix"] == f"{'x' * room}-{mark('ftb-1')}"
    with pytest.raises(UsageError, match=str(room)):
        body(suffix="x" * (room + 1))
    marks = {mark(f"ftb-{number}") for number in range(10_000)}
    assert len(marks) == 10_000 and all(one == one.lower() and one.isalnum() for one in marks)


def test_a_job_is_found_on_any_page(mistral: Vendor) -> None:
    provider = mistral.connect()
    file = mistral.upload(provider, CHAT)
    made = [provider.create(provider.request(spec(suffix="mine"), file, None, f"k{n}"), "").id
            for n in range(250)]  # fmt: skip
    mistral.tape.exchanges.clear()
    found = provider.find("k3")
    assert found is not None and found.id == made[3] and provider.find("nobody") is None
    pages = [one.query["page"] for one in mistral.tape.exchanges if "page" in one.query]
    assert pages == ["0", "1", "2", "0", "1", "2"]


def test_a_list_that_shows_no_suffix_proves_no_absence() -> None:
    """Else a create whose answer was lost would be made, and paid, twice."""
    mute = {"id": "job-9", "created_at": clock.real_now().timestamp()}
    with pytest.raises(VendorError, match="job-9"):
        wire.search([mute], "ftb-1")
    assert wire.search([mute | {"created_at": 1}], "ftb-1") is None
    assert wire.search([mute | {"suffix": None}], "ftb-1") is None
    assert wire.search([mute, mute | {"suffix": f"x-{mark('ftb-1')}"}], "ftb-1") == "job-9"


# -- classifiers -----------------------------------------------------------------------------------


def test_a_chat_becomes_a_labelled_line_and_comes_back(mistral: Vendor) -> None:
    provider = mistral.connect(**CLASSIFY, classifier_target="mood")
    example = provider.parse(CHAT)
    made = provider.convert(example)
    assert made.losses == ()
    assert json.loads(made.line) == {
        "messages": [{"role": "user", "content": "a"}], "labels": {"mood": "yes"},
    }  # fmt: skip
    assert provider.parse(made.line) == example
    assert provider.parse(b'{"text":"a","labels":{"mood":"yes"}}') == example
    assert mistral.connect().convert(example).line == CHAT.strip()


def test_what_a_classifier_has_no_place_for_is_said() -> None:
    turns = [Message("user", "a"), Message("assistant", "b", weight=0), Message("user", "c"),
             Message("assistant", "yes", weight=1)]  # fmt: skip
    tool = msgspec.json.decode(b'{"type":"function","function":{"name":"f"}}', type=Tool)
    made = classifier.encode(Chat(turns, [tool], parallel_tool_calls=False), "label")
    assert made.losses == ("parallel_tool_calls_dropped", "tools_dropped", "weight_dropped")
    assert b"weight" not in made.line and b"tools" not in made.line


@pytest.mark.parametrize(
    "example",
    [
        Preference(
            [Message("user", "a")], [Message("assistant", "b")], [Message("assistant", "c")]
        ),
        Chat([Message("user", "a")]),
        Chat([Message("assistant", "yes")]),
        Chat([Message("user", "a"), Message("assistant", "")]),
    ],
)
def test_a_chat_without_a_label_is_refused(example: Any) -> None:
    with pytest.raises(DataError):
        classifier.encode(example, "label")


@pytest.mark.parametrize(
    "line",
    [
        b'{"text":"a","labels":{}}',
        b'{"text":"a","labels":{"x":"1","y":"2"}}',
        b'{"labels":{"x":"1"}}',
        b'{"text":"a","messages":[{"role":"user","content":"a"}],"labels":{"x":"1"}}',
    ],
)
def test_lines_that_a_chat_cannot_hold(line: bytes) -> None:
    with pytest.raises(DataError):
        classifier.decode(line)


def test_the_likeliest_label_is_the_answer() -> None:
    made = {"results": [{"label": {"scores": {"b": 0.4, "a": 0.4, "c": 0.2}}}]}
    assert classifier.reply(made, "label", 0.1).text == "a"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"options": CLASSIFY}, "model"),
        ({"model": CLASSIFIER, "options": CLASSIFY | {"fim_ratio": "0.1"}}, "option"),
        ({"options": {"classifier_target": "x"}}, "option"),
        ({"options": {"job_type": "dpo"}}, "job_type"),
        ({"options": {"invalid_sample_skip_percentage": "0.6"}}, "invalid_sample_skip_percentage"),
    ],
)
def test_wrong_wishes_are_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError) as caught:
        body(**changes)
    assert caught.value.where == where


def test_the_job_type_belongs_to_the_job(mistral: Vendor) -> None:
    """In the settings alone, the data would be a classifier's and the job none."""
    with pytest.raises(UsageError) as caught:
        mistral.connect(**CLASSIFY).request(spec(), "file-1", None, "k")
    assert caught.value.where == "job_type"
    place = mistral.connect(**CLASSIFY)
    assert place.resolve_model(None, Method.SFT) == CLASSIFIER
    assert mistral.connect().resolve_model(None, Method.SFT) == MODEL


def test_a_bad_label_fails_before_anything_is_sent(mistral: Vendor) -> None:
    data = mistral.home / "train.jsonl"
    data.write_bytes(CHAT * 3 + b'{"messages":[{"role":"user","content":"a"}]}\n')
    with pytest.raises(DataError, match="4"):
        ftbridge.Bridge(mistral.home / "home").plan(
            data, provider="mistral", base_url=mistral.url, options=CLASSIFY
        )
    assert mistral.tape.exchanges == []


# -- the dry run -----------------------------------------------------------------------------------


def test_a_dry_run_tells_the_price(mistral: Vendor) -> None:
    provider = mistral.connect()
    source = mistral.home / "source.jsonl"
    source.write_bytes(CHAT)
    asked = spec(training=spec().training.model_copy(update={"path": str(source)}))
    with pytest.raises(ProviderError, match="uploaded files alone"):
        provider.quote(asked)
    mistral.upload(provider, provider.convert(provider.parse(CHAT)).line + b"\n")
    assert provider.quote(asked) == 4 and mistral.store.jobs == {}
    mistral.store.currency = "EUR"
    with pytest.raises(ProviderError, match="EUR"):
        provider.quote(asked)


def test_a_dry_run_that_is_overlooked_costs_nothing(
    mistral: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = mistral.connect()
    file = mistral.upload(provider, CHAT)
    monkeypatch.setattr("ftbridge_mistral.emulator.jobs._dry_run", _overlooked)
    with pytest.raises(ProviderError, match="cancelled unpaid"):
        provider._jobs.dry_run(provider.request(spec(), file, None, "k"))
    (job,) = mistral.store.jobs.values()
    assert job.auto_start is False
    mistral.ahead += 5
    assert provider.get(job.id).state is State.CANCELLED


def _overlooked(emulator: Any, asked: dict[str, Any], data: Any) -> dict[str, Any]:
    from ftbridge_mistral.emulator import Job, lifecycle

    job = Job("job-9", "completion", asked, data, None, emulator.clock(), asked["auto_start"])
    emulator.store.jobs[job.id] = job
    return lifecycle.view(job, emulator.clock(), emulator)
