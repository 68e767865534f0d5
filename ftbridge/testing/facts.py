"""The part of the conformance suite that needs no network: what a provider says of itself."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ftbridge.cost.prices import PriceBook
from ftbridge.dataset import Dataset
from ftbridge.errors import Unsupported, UsageError
from ftbridge.jobs.spec import Hyperparameters, Method
from ftbridge.provider import OPERATIONS, Provider
from ftbridge.testing.rehearsal import Rehearsal, Suite

_VALUES: Mapping[str, float] = {
    "n_epochs": 2, "batch_size": 2, "learning_rate": 1e-4, "learning_rate_multiplier": 0.5,
    "lora_r": 8, "lora_alpha": 16.0, "lora_dropout": 0.1, "warmup_ratio": 0.1,
    "weight_decay": 0.01, "beta": 0.2,
}  # fmt: skip
_SECONDS = ("settle_seconds", "poll_seconds", "patience_seconds", "stall_seconds")


class Declares(Suite):
    """What any provider says of itself, one that trains nothing too."""

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_each_operation_is_implemented_or_absent(self, provider: Provider, name: str) -> None:
        written = getattr(type(provider), name) is not getattr(Provider, name)
        assert written is not (name in provider.absent)
        assert written is provider.supports(name)

    def test_what_is_absent_says_its_sentence(self, provider: Provider) -> None:
        assert set(provider.absent) <= set(OPERATIONS)
        for name, sentence in provider.absent.items():
            arguments = {"chat": 2, "download": 2, "find_upload": 1}.get(name, 1)
            with pytest.raises(Unsupported) as caught:
                getattr(provider, name)(*["x"] * arguments)
            assert caught.value.message == sentence and len(sentence) > 10
            assert caught.value.exit_code == 4

    def test_the_catalogue_is_dated_and_usable(self, provider: Provider) -> None:
        catalogue = provider.catalogue()
        assert catalogue.provider == provider.name
        assert catalogue.models or catalogue.open_models or catalogue.nothing
        for row in catalogue.models:
            assert row.source and row.as_of and row.methods and row.adapters
        for method in catalogue.methods:
            assert method in catalogue.hyperparameters
            assert not catalogue.models or catalogue.default_model(method)


class Facts(Declares):
    """What a provider that trains says of itself."""

    def test_errors_are_explained(self, provider: Provider) -> None:
        rows = tomllib.loads((provider.home() / "errors.toml").read_text("utf-8"))["error"]
        marks = [tuple(row.get(name) for name in ("code", "type", "status")) for row in rows]
        assert len(rows) >= 12 and len(set(marks)) == len(marks)
        assert all(
            row["cause"] and row["hint"] and any(m) for row, m in zip(rows, marks, strict=True)
        )

    def test_prices_say_where_they_come_from(self, provider: Provider) -> None:
        for row in PriceBook.load([type(provider).folder], []).rows:
            assert row.provider == provider.name and row.source and row.evidence

    def test_models_are_found_by_name_and_family(self, provider: Provider) -> None:
        rows = provider.catalogue().models
        assert len({row.model for row in rows}) == len(rows)
        for row in rows:
            assert provider.resolve_model(row.model, row.methods[0]) == row.model
            if row.family:
                found = provider.catalogue().model(provider.resolve_model(row.family, Method.SFT))
                assert found and row.family in (found.family, found.model)

    def test_what_is_not_set_is_not_sent(self, provider: Provider, data: Path) -> None:
        bare = provider.request(self.spec(provider, data), "file-1", None, "ftb-1")
        assert not unset(bare) and not set(Hyperparameters.model_fields) & set(keys(bare))

    @pytest.mark.parametrize("name", list(Hyperparameters.model_fields))
    def test_a_hyperparameter_is_sent_or_refused_by_name(
        self, provider: Provider, data: Path, name: str
    ) -> None:
        takes = provider.catalogue().hyperparameters[Method.SFT]
        value = _VALUES[name]
        if name not in takes:
            with pytest.raises(UsageError) as refused:
                given = Hyperparameters.model_validate({name: value})
                provider.catalogue().check_hyperparameters(Method.SFT, given)
            assert refused.value.where == name and all(
                known in refused.value.hint for known in takes
            )
            return
        low, high = takes[name].min, takes[name].max
        value = max(value, low) if low is not None else value
        value = min(value, high) if high is not None else value
        bare = provider.request(self.spec(provider, data), "file-1", None, "ftb-1")
        spec = self.spec(provider, data, hyperparameters={name: value})
        assert provider.request(spec, "file-1", None, "ftb-1") != bare
        assert provider.settings(spec)[name] == (value, "given")

    def test_a_request_is_a_pure_function(self, provider: Provider, data: Path) -> None:
        spec = self.spec(provider, data)
        before = spec.model_dump()
        first = provider.request(spec, "file-1", None, "ftb-1")
        assert provider.request(spec, "file-1", None, "ftb-1") == first
        assert spec.model_dump() == before

    def test_every_setting_has_an_origin(self, provider: Provider, data: Path) -> None:
        assert all(item.origin for item in provider.settings(self.spec(provider, data)).values())

    def test_no_path_of_this_machine_leaves_it(self, provider: Provider, data: Path) -> None:
        sent = json.dumps(provider.request(self.spec(provider, data), "file-1", None, "ftb-1"))
        assert not provider.leaves or str(data.parent) not in sent

    def test_lines_go_there_and_back(self, provider: Provider, data: Path) -> None:
        for item in Dataset(data).examples():
            assert provider.parse(provider.convert(item.example).line) == item.example

    def test_another_address(self, sandbox: Rehearsal) -> None:
        provider = sandbox.connect(base_url="http://127.0.0.1:9/v1")
        if provider.leaves:
            assert provider.endpoint == "http://127.0.0.1:9/v1" and not provider.at_vendor
            assert provider.account != sandbox.connect().account
        assert not any(secret in provider.account for secret in sandbox.secrets)

    def test_what_it_is_called_shows_no_secret(
        self, provider: Provider, sandbox: Rehearsal
    ) -> None:
        shown = f"{provider!r} {provider.destination!r} {provider.context!r}"
        assert not any(secret in shown for secret in sandbox.secrets)

    @pytest.mark.parametrize("option", _SECONDS)
    def test_a_wrong_duration_is_said(self, sandbox: Rehearsal, option: str) -> None:
        assert getattr(sandbox.connect(**{option: "1.5"}), option) == 1.5
        for wrong in ("soon", "-1", "nan"):
            with pytest.raises(UsageError) as caught:
                getattr(sandbox.connect(**{option: wrong}), option)
            assert caught.value.where == option


def keys(content: Any) -> list[str]:
    """Every key in a JSON content, at any depth."""
    if isinstance(content, dict):
        return [*content, *(key for item in content.values() for key in keys(item))]
    return [key for item in content for key in keys(item)] if isinstance(content, list) else []


def unset(content: Any) -> bool:
    """Whether something in a JSON content is null."""
    items = content.values() if isinstance(content, dict) else content
    return content is None or (isinstance(content, dict | list) and any(map(unset, items)))
