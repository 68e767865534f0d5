"""Defaults and their origins, from the standard library alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ftbridge_trainer import recipe
from ftbridge_trainer.facts import DataFacts, Facts, Machine, Shape

BASE = {"schema": 1, "model": "m", "train": "t.jsonl"}
SMOL = Facts(Machine("cpu", 2, True, 24 << 30), Shape(), DataFacts(144, 125, 6, 0.08))


@pytest.mark.parametrize(("n", "epochs"), [(499, 3), (500, 2), (1999, 2), (2000, 1)])
def test_epochs_follow_the_number_of_examples(n: int, epochs: int) -> None:
    assert recipe.resolve(BASE, n, 10**8).n_epochs == epochs


@pytest.mark.parametrize(("n", "rate"), [(135e6, 1e-3), (1e9, 2e-4), (13e9, 2e-4), (70e9, 1e-4)])
def test_the_rate_follows_the_size(n: float, rate: float) -> None:
    assert recipe.resolve(BASE, 100, int(n)).learning_rate == rate
    assert recipe.resolve({**BASE, "adapter": "full"}, 100, int(n)).learning_rate == rate / 20


def test_every_value_has_an_origin_and_survives_a_round_trip() -> None:
    resolved = recipe.resolve({**BASE, "lora_r": 8, "packing": "auto"}, 480, 134_515_008, SMOL)
    assert set(resolved.origins) == set(resolved.values())
    assert resolved.origins["lora_r"] == "given"
    assert resolved.lora_alpha == 16
    assert all(o == "given" or o.startswith("default: ") for o in resolved.origins.values())
    assert recipe.from_dict(resolved.as_dict()) == resolved
    provisional = recipe.resolve(BASE, 480, 10**8).origins
    assert provisional["micro_batch_size"].startswith("default: provisional")


def test_short_rows_are_padded_and_long_unequal_ones_packed() -> None:
    assert not recipe.resolve(BASE, 480, 10**8, SMOL).packing
    long = replace(SMOL, data=DataFacts(2000, 600, 200, 0.3))
    assert recipe.resolve(BASE, 480, 10**8, long).packing


def test_memory_decides_the_passes_of_a_batch() -> None:
    def at(gigabytes: int) -> tuple[int, bool]:
        machine = replace(SMOL.machine, memory=gigabytes << 30)
        resolved = recipe.resolve(BASE, 480, 134_515_008, replace(SMOL, machine=machine))
        return resolved.micro_batch_size, resolved.gradient_checkpointing

    assert at(24) == (4, False)
    assert at(2)[0] < 4
    assert at(1) == (1, True)


def test_unknown_keys_are_all_named() -> None:
    with pytest.raises(recipe.TrainerError, match="colour, sice"):
        recipe.validate({**BASE, "sice": 1, "colour": 2})


def test_the_fingerprint_ignores_only_what_changes_nothing() -> None:
    def of(**keys: Any) -> str:
        return recipe.fingerprint({**BASE, **keys})

    assert of() == of(device_lock="/tmp/x") == of(offline=False)
    assert of() != of(seed=1)


def test_the_recipe_needs_only_the_standard_library() -> None:
    folder = Path(recipe.__file__).parents[1]
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import ftbridge_trainer.recipe; "
        "print({m.split('.')[0] for m in sys.modules} - set(sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert eval(done.stdout) <= {"__main__", "ftbridge_trainer"}
