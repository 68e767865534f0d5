"""The table of hyperparameters is what goes over the wire, and what the vendor takes: all three.

Each neutral name is asked for with each method, at each place: it is in the catalogue's table if
and only if a plan puts it into the create body, and if and only if the emulator, which was written
from the vendor's documents, takes it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_wires import KEY, KINDS, Place, opened

from ftbridge.dialects import openai as dialect
from ftbridge.dialects import openai_reinforcement
from ftbridge.errors import UsageError, VendorError
from ftbridge.jobs.spec import Adapter, Hyperparameters, Method

VALUES: dict[str, Any] = {
    "n_epochs": 2, "batch_size": 2, "learning_rate": 1e-4, "learning_rate_multiplier": 0.5,
    "lora_r": 8, "lora_alpha": 16.0, "lora_dropout": 0.1, "warmup_ratio": 0.1,
    "weight_decay": 0.01, "beta": 0.2,
}  # fmt: skip
RL_ONLY = {
    "compute_multiplier": 1.0, "eval_interval": 2, "eval_samples": 2, "reasoning_effort": "low",
}  # fmt: skip
NEBIUS_ONLY = {"packing": True, "context_length": 8192, "max_grad_norm": 1.0, "lora": True}


@pytest.fixture(params=list(KINDS))
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    with opened(request.param, tmp_path, monkeypatch.setenv) as made:
        yield made


def hyperparameters(place: Place, method: Method, body: dict[str, Any]) -> dict[str, Any]:
    """Where they are in a create body."""
    if "method" not in body:
        return body.setdefault("hyperparameters", {})
    wire: dict[str, Any] = body["method"][dialect.METHODS[method]]
    found: dict[str, Any] = wire.setdefault("hyperparameters", {})
    return found


def methods(place: Place) -> list[Method]:
    return list(place.kind.models)


def test_there_is_a_value_for_each_name() -> None:
    assert set(VALUES) == set(Hyperparameters.model_fields)


def test_what_is_sent_is_the_table(place: Place) -> None:
    catalogue = place.provider.catalogue()
    assert {m for m in Method if m in catalogue.methods} >= set(methods(place))
    for method in methods(place):
        bare = dict(hyperparameters(place, method, place.request(method)))
        sent = set()
        for name, value in VALUES.items():
            asked = Hyperparameters.model_validate({name: value})
            try:
                catalogue.check_hyperparameters(method, asked)
            except UsageError as error:
                assert error.code == "unknown_hyperparameter"
                continue
            body = place.request(method, hyperparameters=asked)
            found = hyperparameters(place, method, body)
            assert found == {**bare, name: value}, (method, name)
            sent.add(name)
        assert sent == set(catalogue.hyperparameters[method]), method


def test_what_the_vendor_takes_is_the_table(place: Place) -> None:
    for method in methods(place):
        known = set(place.provider.catalogue().hyperparameters[method])
        more = {**RL_ONLY, **NEBIUS_ONLY}
        taken = set()
        for name, value in {**VALUES, **more}.items():
            body = place.request(method)
            hyperparameters(place, method, body)[name] = value
            try:
                place.provider.create(body, KEY)
            except VendorError as error:
                assert error.status in (400, 422) and name in error.message, (method, name)
                continue
            taken.add(name)
        assert taken & set(VALUES) == known, method
        assert taken - set(VALUES) == vendor_only(place, method), method


def vendor_only(place: Place, method: Method) -> set[str]:
    """What ``--option`` and ``--adapter`` say that they send, beside the neutral names."""
    if method is Method.RL:
        return set(openai_reinforcement.OPTIONS)
    profile = getattr(place.provider, "profile", None)
    if profile is None:
        return set()
    return {*profile.options, *(name for each in profile.adapters.values() for name in each)}


def test_options_are_sent_as_they_say(place: Place) -> None:
    text = {"compute_multiplier": "1.0", "eval_interval": "2", "eval_samples": "2",
            "reasoning_effort": "low", "packing": "true", "context_length": "8192",
            "max_grad_norm": "1.0"}  # fmt: skip
    for method in methods(place):
        bare = dict(hyperparameters(place, method, place.request(method)))
        for name in vendor_only(place, method) - {"lora"}:
            options = {**place.kind.options, name: text[name]}
            found = hyperparameters(place, method, place.request(method, options=options))
            assert found == {**bare, name: {**RL_ONLY, **NEBIUS_ONLY}[name]}


def test_the_adapter_is_sent_where_it_can_be_chosen(place: Place) -> None:
    choices = place.provider.catalogue().adapters
    if choices == [Adapter.MANAGED]:
        return
    method = methods(place)[0]
    bodies = [place.request(method, adapter=each) for each in choices]
    assert [hyperparameters(place, method, body)["lora"] for body in bodies] == [
        each is Adapter.LORA for each in choices
    ]


@pytest.mark.parametrize("place", ["openai", "nebius"], indirect=True)
def test_the_ranges_are_the_vendor_s(place: Place) -> None:
    """Where the documents give ranges: a bound is taken, what lies beyond it is not."""
    for method in methods(place):
        for name, span in place.provider.catalogue().hyperparameters[method].items():
            whole = isinstance(VALUES[name], int)
            step = 1 if whole else 0.01
            cases = [(span.max, True), (span.max + step, False)] if span.max is not None else []
            if span.min:  # 0 is a bound that a rate cannot reach
                cases += [(span.min, True), (span.min - step, False)]
            for value, fine in cases:
                body = place.request(method)
                found = hyperparameters(place, method, body)
                found[name] = int(value) if whole else value
                if fine:
                    place.provider.create(body, KEY)
                else:
                    with pytest.raises(VendorError, match=name):
                        place.provider.create(body, KEY)
