"""The catalogues together: one name for one open model, and a page that says what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter

import pytest

from ftbridge import registry
from ftbridge.catalogue import TunableModel

from .providers_page import HOW, PAGE, page, verified

ROWS = [
    (provider.name, row)
    for provider in registry.all_providers()
    for row in provider.catalogue().models
]
NAMED = [(name, row) for name, row in ROWS if row.family]
PRECISION = {"bf16", "fp8", "fp16", "int4", "nf4", "mxfp4"}
MAKERS = {"huggingface", "meta", "nvidia", "openai"}
NOISE = PRECISION | MAKERS | {"llm", "reference", "textgeneration"}
"""What vendors add to an open model's name: its maker, a precision, a kind of hosting or task."""


def words(name: str) -> set[str]:
    """The parts of a model's name without the noise: ``meta-llama-v3p1-8b`` is Llama 3.1 8B."""
    tail = re.split("[/@]", name)[-1].lower()  # Google puts the family before an @
    tail = re.sub(r"^[a-z]+\.|^openai-reasoning-|-v\d+:\d+(:\d+k)?$", "", tail)  # what Amazon adds
    tail = re.sub(r"(?<=[a-z])-?(\d)-(\d)(?=-\d+b)", r"\1.\2", tail)
    tail = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", tail)  # a snapshot of a closed model
    tail = re.sub(r"v?(\d)p(\d)", r"\1.\2", tail)  # no dots in ids
    kept = (part for part in tail.split("-") if part not in NOISE)
    return {word for part in kept for word in re.findall(r"[a-z]+|[0-9.]+", part)}  # Qwen-3, Qwen3


@pytest.mark.parametrize(
    ("provider", "row"), NAMED, ids=[f"{name}:{row.model}" for name, row in NAMED]
)
def test_a_family_is_the_models_own_name(provider: str, row: TunableModel) -> None:
    """Lower case, without maker, precision or kind of hosting: the same everywhere."""
    assert row.family and re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", row.family)
    assert not set(row.family.split("-")) & NOISE
    assert words(row.model) <= words(row.family) <= words(row.model) | {"instruct", "vision"}


def test_no_two_families_are_one() -> None:
    """Two spellings would hide one vendor's offer from the other's table."""
    spelt = {re.sub(r"[^a-z0-9]", "", row.family or ""): set[str]() for _, row in NAMED}
    for _, row in NAMED:
        spelt[re.sub(r"[^a-z0-9]", "", row.family or "")].add(row.family or "")
    assert not [names for names in spelt.values() if len(names) > 1]


def test_a_family_names_one_model_at_a_provider() -> None:
    counted = Counter((name, row.family) for name, row in NAMED)
    assert not [key for key, count in counted.items() if count > 1]


def test_one_table_over_all_vendors() -> None:
    command = [sys.executable, "-m", "ftbridge", "models", "--family", "llama-3.1-8b-instruct"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    shown = json.loads(done.stdout)["models"]
    wanted = {(name, row.model) for name, row in ROWS if row.family == "llama-3.1-8b-instruct"}
    assert {(each["provider"], each["model"]) for each in shown} == wanted
    assert len({name for name, _ in wanted}) >= 2
    keys = {"provider", "model", "family", "methods", "adapters", "context", "as_of", "closes"}
    assert all(set(each) >= keys for each in shown)


@pytest.mark.parametrize("name", registry.names())
def test_every_readme_says_how_it_was_verified(name: str) -> None:
    assert verified(registry.load(name)).startswith(HOW)


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python tests/examples/providers_page.py"
