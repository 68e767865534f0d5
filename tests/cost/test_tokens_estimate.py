"""Estimates hold what they promise: intervals cover, bands bracket, every count has its grade."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

import ftbridge
import ftbridge_openai
from cost.counters import RULE, framed, written
from cost.rows import chat, chats, code, multilingual
from ftbridge.catalogue import Catalogue
from ftbridge.cost.tokens import (
    Framed,
    count_all,
    count_file,
    counter_for,
    estimate_fast,
    load,
    rule_for,
)
from ftbridge.cost.tokens import vocabulary as vocabulary_module
from ftbridge.cost.tokens.families import rule_of_family
from ftbridge.cost.tokens.sample import draw, estimate
from ftbridge.cost.tokens.stand_in import CLAUDE_3, Guess, StandIn, factor_of
from ftbridge.dataset import Dataset
from ftbridge.dataset.types import Text

MODERN = ("llama3", "qwen3", "deepseek_v3", "mistral_v3", "gemma3", "glm4", "kimi_k2")


# -- samples -------------------------------------------------------------------------------------


def skewed(n: int = 3000) -> tuple[list[int], list[int]]:
    """Sizes of very unequal rows, and tokens that follow them with noise."""
    r = Random(2)
    sizes = [int(r.lognormvariate(6.8, 1.5)) + 20 for _ in range(n)]
    return sizes, [max(1, int(size / r.gauss(4.2, 0.5))) for size in sizes]


def test_the_interval_covers_the_total() -> None:
    sizes, tokens = skewed()
    held, errors = 0, []
    for seed in range(200):
        strata = draw(sizes, 500, seed)
        drawn = {row: tokens[row] for stratum in strata for row in stratum.drawn}
        found = estimate(strata, sizes, drawn)
        held += found.low <= sum(tokens) <= found.high
        errors.append(abs(found.total / sum(tokens) - 1))
    assert held >= 180  # nominal 190
    assert sorted(errors)[189] < 0.01


def test_all_rows_drawn_is_exact() -> None:
    sizes, tokens = skewed(100)
    strata = draw(sizes, 10_000)
    assert sum(stratum.rows for stratum in strata) == 100
    assert sum(stratum.size for stratum in strata) == sum(sizes)
    found = estimate(strata, sizes, dict(enumerate(tokens)))
    assert (round(found.low), round(found.high)) == (sum(tokens), sum(tokens))


@pytest.mark.parametrize("name", ["o200k_base", "gemma3"])
def test_fast_brackets_exact(name: str, tmp_path: Path) -> None:
    """By bytes for a quick vocabulary, by o200k's tokens for a slow one."""
    data = written(tmp_path / "a.jsonl", 1000)
    exact = count_file(data, framed(name))
    fast = estimate_fast(data, framed(name), 400)
    assert fast.grade == "estimated" and fast.examples == exact.examples == 1000
    assert fast.low <= exact.expected <= fast.high
    assert abs(fast.expected / exact.expected - 1) < 0.01
    assert fast.frame is None and exact.frame


def test_a_bad_line_counts_nothing(tmp_path: Path) -> None:
    data = written(tmp_path / "a.jsonl", 50)
    exact = count_file(data, framed()).expected
    with data.path.open("a") as stream:
        stream.write('{"messages": 7}\n')
    again = estimate_fast(Dataset(data.path), framed())
    assert again.expected == exact


def test_only_lines_can_be_sampled(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("q,a\nwhy,so\n")
    with pytest.raises(ftbridge.UsageError, match="only JSON lines"):
        estimate_fast(Dataset(path, mapping=["user=q", "assistant=a"]), framed())


# -- stand-ins -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["english", "code", "multilingual", "chats"])
def test_the_band_holds_the_modern_vocabularies(kind: str) -> None:
    texts = {
        "english": multilingual()[25:50],
        "code": code(),
        "multilingual": multilingual(),
        "chats": [],
    }[kind]
    examples = [Text(text) for text in texts] or [chat(row) for row in chats(150, tools=0.2)]
    base = load("o200k_base")
    assert base
    band = count_all(StandIn(base), examples)
    for name in MODERN:
        found = count_all(framed(name), examples).expected
        assert band.low <= found <= band.high, (name, found / band.expected)


def test_factors_follow_the_script() -> None:
    assert factor_of("plain words").expected < factor_of("Où est l'été ?").expected
    assert factor_of("Привет, мир").high > factor_of("plain").high
    assert factor_of("გამარჯობა").high > factor_of("Привет").high
    assert factor_of("plain", CLAUDE_3).expected > factor_of("plain").expected
    for text in ("a", "é", "мир", "გა", "🚚", "a é мир გა"):
        low, high = factor_of(text).low, factor_of(text).high
        assert low < factor_of(text).expected < high


def test_without_any_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftbridge.cost.tokens.counter.load", lambda name: None)
    guess = counter_for(RULE, None)
    assert isinstance(guess, Guess) and "install ftbridge[tokens]" in guess.name
    examples = [chat(row) for row in chats(50)]
    band, exact = count_all(guess, examples), count_all(framed(), examples)
    assert band.grade == "estimated" and band.low < exact.expected < band.high


# -- which counter -------------------------------------------------------------------------------


def test_rules_by_model_then_catalogue_then_family() -> None:
    catalogue = Catalogue.load(Path(ftbridge_openai.__file__).parent / "catalogue.toml")
    first = catalogue.models[0]
    assert rule_for(catalogue, first.model) is catalogue.tokens
    own = first.model_copy(update={"tokens": RULE, "family": "qwen3-8b"})
    assert rule_for(catalogue.model_copy(update={"models": (own,)}), own.model) is RULE
    bare = catalogue.model_copy(update={"models": (own.model_copy(update={"tokens": None}),)})
    bare = bare.model_copy(update={"tokens": None})
    rule = rule_for(bare, first.model)
    assert rule and rule.vocabulary == "qwen3"
    assert rule_for(bare, "nobody-knows") is None


def test_without_its_package_a_known_vocabulary_has_factors_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ftbridge.cost.tokens.counter.load", base_or_none)
    rule = rule_of_family("anthropic.claude-3-haiku-20240307-v1:0")
    counter = counter_for(rule, None)
    assert (counter.grade, "claude-3" in counter.name) == ("estimated", True)
    english = [Text("plain words, and more of them")]
    assert counter.count(english).low[0] > counter_for(None, None).count(english).low[0]


def base_or_none(name: str) -> Any:
    return load(name) if name == "o200k_base" else None


def test_claude_is_a_reconstruction(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for ctok, which wants Python 3.12: 7 tokens frame a single message."""
    vocabulary = vocabulary_module.Named("claude-3", "ctok")
    monkeypatch.setattr(vocabulary_module, "_claude", lambda: lambda texts: [3 for _ in texts])
    vocabulary_module._counter.cache_clear()
    totals = count_all(Framed(vocabulary, RULE), [Text("hello, world")])
    vocabulary_module._counter.cache_clear()
    assert (totals.expected, totals.grade) == (6, "reconstructed")
