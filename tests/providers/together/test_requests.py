"""What the adapter sends for which wish, and which wishes it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from together_world import MODEL, Vendor, spec

from ftbridge.errors import ProviderError, Unsupported, UsageError, VendorError
from ftbridge.jobs.spec import Hyperparameters, Method
from ftbridge_together import limits, request
from ftbridge_together.request import MAX_SUFFIX, mark

CHAT = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
VALUES: dict[str, float] = {
    "n_epochs": 2, "batch_size": 8, "learning_rate": 1e-4, "learning_rate_multiplier": 0.1,
    "lora_r": 8, "lora_alpha": 16.0, "lora_dropout": 0.1, "warmup_ratio": 0.1,
    "weight_decay": 0.01, "beta": 0.2,
}  # fmt: skip
PLACES = {
    "lora_r": ("training_type", {"type": "Lora", "lora_r": 8}),
    "lora_alpha": ("training_type", {"type": "Lora", "lora_alpha": 16}),
    "lora_dropout": ("training_type", {"type": "Lora", "lora_dropout": 0.1}),
    "beta": ("training_method", {"method": "dpo", "dpo_beta": 0.2}),
}
"""Where a neutral name goes that is not one of the wire's own."""


def body(**changes: Any) -> dict[str, Any]:
    return request.create_body(spec(**changes), "file-1", None, "ftb-1")


@pytest.mark.parametrize("method", [Method.SFT, Method.DPO])
def test_what_the_catalogue_takes_is_what_the_wire_carries(
    together: Vendor, method: Method
) -> None:
    takes = together.connect().catalogue()
    assert set(VALUES) == set(Hyperparameters.model_fields)
    bare, sent = body(method=method), set()
    for name, value in VALUES.items():
        asked = spec(method=method, hyperparameters={name: value})
        try:
            takes.check_hyperparameters(method, asked.hyperparameters)
        except UsageError as error:
            assert error.where == name
            continue
        place, content = PLACES.get(name, (name, value))
        assert body(method=method, hyperparameters={name: value}) == bare | {place: content}
        sent.add(name)
    assert sent == set(takes.hyperparameters[method])


def test_what_is_not_set_is_left_to_the_vendor() -> None:
    assert body() == {"training_file": "file-1", "suffix": mark("ftb-1"), "model": MODEL}
    assert body(method="dpo")["training_method"] == {"method": "dpo"}
    assert body(adapter="full")["training_type"] == {"type": "Full"}


def test_a_suffix_carries_the_mark_and_the_persons_own() -> None:
    longest = "x" * (MAX_SUFFIX - len(mark("")) - 1)
    assert body(suffix=longest)["suffix"] == f"{longest}-{mark('ftb-1')}"
    assert len(body(suffix=longest)["suffix"]) == MAX_SUFFIX
    with pytest.raises(UsageError, match=str(len(longest))):
        body(suffix=longest + "x")
    marks = {mark(f"ftb-{number}") for number in range(10_000)}
    assert len(marks) == 10_000 and all(one == one.lower() and one.isalnum() for one in marks)


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"packing": "false"}, {"packing": False}),
        ({"train_on_inputs": "auto"},
         {"training_method": {"method": "sft", "train_on_inputs": "auto"}}),
        ({"lora_trainable_modules": "q_proj"},
         {"training_type": {"type": "Lora", "lora_trainable_modules": "q_proj"}}),
        ({"lr_scheduler_type": "linear", "min_lr_ratio": "0.1"},
         {"lr_scheduler": {"lr_scheduler_type": "linear",
                           "lr_scheduler_args": {"min_lr_ratio": 0.1}}}),
        ({"lr_scheduler_type": "cosine"}, {"lr_scheduler": {"lr_scheduler_type": "cosine"}}),
        ({"train_vision": "true"}, {"multimodal_params": {"train_vision": True}}),
        ({"endpoint": "mine"}, {}),
    ],
)  # fmt: skip
def test_options(options: dict[str, str], sent: dict[str, Any]) -> None:
    assert body(options=options) == body() | sent


def test_a_checkpoint_stands_in_for_the_model() -> None:
    sent = body(options={"from_checkpoint": "ft-1:10"})
    assert sent["from_checkpoint"] == "ft-1:10" and "model" not in sent


def test_simpo_is_what_the_sdk_makes_of_it() -> None:
    sent = body(method="dpo", options={"simpo_gamma": "1.5"})["training_method"]
    assert sent == {"method": "dpo", "simpo_gamma": 1.5, "dpo_reference_free": True,
                    "dpo_normalize_logratios_by_length": True}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"options": {"colour": "red"}}, "option"),
        ({"options": {"rpo_alpha": "1"}}, "option"),
        ({"method": "dpo", "options": {"train_on_inputs": "true"}}, "option"),
        ({"options": {"packing": "yes"}}, "packing"),
        ({"options": {"n_evals": "many"}}, "n_evals"),
        ({"options": {"min_lr_ratio": "0.1"}}, "lr_scheduler_type"),
        ({"options": {"lr_scheduler_type": "step"}}, "lr_scheduler_type"),
        ({"options": {"lr_scheduler_type": "cosine", "min_lr_ratio": "0"}}, "lr_scheduler_type"),
        ({"adapter": "full", "hyperparameters": {"lora_r": 8}}, "lora_r"),
        ({"hyperparameters": {"lora_alpha": 1.5}}, "lora_alpha"),
    ],
)
def test_wrong_wishes_are_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError) as caught:
        body(**changes)
    assert caught.value.where == where


# -- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"hyperparameters": {"n_epochs": 21}}, "n_epochs"),
        ({"hyperparameters": {"learning_rate": 0.5}}, "learning_rate"),
        ({"hyperparameters": {"batch_size": 4}}, "batch_size"),
        ({"method": "dpo", "hyperparameters": {"batch_size": 32}}, "batch_size"),
        ({"hyperparameters": {"lora_r": 65}}, "lora_r"),
        ({"options": {"n_evals": "101"}}, "n_evals"),
        ({"options": {"max_seq_length": "100000"}}, "max_seq_length"),
    ],
)
def test_the_vendors_limits_are_asked_and_hold(
    together: Vendor, changes: dict[str, Any], where: str
) -> None:
    provider = together.connect()
    provider.preflight(spec())
    with pytest.raises(UsageError, match="limits") as caught:
        provider.preflight(spec(**changes))
    assert caught.value.where == where
    asked = [f"{one.method} {one.path}" for one in together.tape.exchanges]
    assert asked == ["GET /v1/fine-tunes/models/limits"] * 2  # nothing was sent


def test_a_model_without_full_training_and_one_that_is_not_there(together: Vendor) -> None:
    provider = together.connect()
    with pytest.raises(Unsupported):
        provider.preflight(spec(model="openai/gpt-oss-20b", adapter="full"))
    with pytest.raises(VendorError) as caught:
        provider.preflight(spec(model="acme/none"))
    assert caught.value.status == 404 and "cannot be tuned" in caught.value.hint


def test_an_older_answer_with_fewer_limits_is_enough() -> None:
    known = {"model_name": MODEL, "max_num_epochs": 20, "full_training": None}
    limits.require(body(hyperparameters={"lora_r": 999, "n_epochs": 20}), MODEL, known)
    with pytest.raises(Unsupported):
        limits.require(body(adapter="full"), MODEL, known)


def test_a_lora_is_completed_as_the_sdk_does(together: Vendor) -> None:
    provider = together.connect()
    file = together.upload(provider, CHAT)
    for given, made in (
        ({"lora_dropout": 0.1}, {"lora_dropout": 0.1, "lora_r": 64, "lora_alpha": 128}),
        ({"lora_alpha": 16}, {"lora_alpha": 16, "lora_r": 64}),
        ({"lora_r": 8}, {"lora_r": 8, "lora_alpha": 16}),
    ):
        asked = spec(hyperparameters=given)
        assert provider.explain(asked) or given == {"lora_alpha": 16}
        provider.create(provider.request(asked, file, None, "ftb-1"), "ftb-1")
        assert together.tape.exchanges[-1].sent["training_type"] == {"type": "Lora"} | made


def test_a_checkpoint_of_another_model_is_refused(together: Vendor) -> None:
    provider = together.connect()
    made = provider.create(provider.request(spec(), together.upload(provider, CHAT), None, "a"), "")
    origin = {"from_checkpoint": f"{made.id}:1"}
    provider.preflight(spec(options=origin))
    with pytest.raises(UsageError) as caught:
        provider.preflight(spec(model="Qwen/Qwen3.5-4B", options=origin))
    assert MODEL in caught.value.hint and "checkpoint" in provider.explain(spec(options=origin))[0]


# -- price -------------------------------------------------------------------------------------


def test_the_vendors_own_price(together: Vendor) -> None:
    provider = together.connect()
    source = together.home / "source.jsonl"
    source.write_bytes(CHAT * 100)
    data = spec().training.model_copy(update={"path": str(source)})
    with pytest.raises(ProviderError, match="uploaded files alone"):
        provider.quote(spec(training=data))
    line = provider.convert(provider.parse(CHAT)).line + b"\n"
    provider.upload(together.checked(provider, line * 100))
    with pytest.raises(ProviderError, match="not_validated"):
        provider.quote(spec(training=data))
    together.ahead += 5
    once, twice = (
        provider.quote(spec(training=data, hyperparameters={"n_epochs": n, "lora_alpha": 8}))
        for n in (1, 2)
    )
    assert 0 < once == twice / 2
