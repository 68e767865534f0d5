"""Every format and kind: out and back, equal without losses, and with them only what was said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftbridge.dataset.formats import LOSSES, load, names
from ftbridge.dataset.formats.format import Format
from ftbridge.dataset.rules import problem_of
from ftbridge.dataset.types import Example, Kind, messages_of, text_of
from ftbridge.errors import DataError

from .examples import examples
from .normal import normal

PAIRS = [(name, kind) for name in names() for kind in load(name).kinds]
FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def _out(form: Format, example: Example) -> tuple[bytes, tuple[str, ...]] | None:
    try:
        return form.encode(example)
    except DataError as error:
        assert error.message
        return None


@pytest.mark.parametrize(("name", "kind"), PAIRS)
@FEW
@given(data=st.data())
def test_what_is_not_reported_is_not_lost(name: str, kind: Kind, data: Any) -> None:
    form, example = load(name), data.draw(examples(kind))
    assert problem_of(example) is None
    before = msgspec.json.encode(example)
    made = _out(form, example)
    assert msgspec.json.encode(example) == before, "a converter is pure"
    if made is None:
        return
    line, losses = made
    assert b"\n" not in line and set(losses) <= set(LOSSES) and list(losses) == sorted(set(losses))
    back = form.decode(line)
    assert problem_of(back) is None or "weight_dropped" in losses
    changed = normal(back) != normal(example)
    assert changed == bool(losses), (losses, line)
    again = form.encode(back)
    assert form.decode(again.line) == back, "what came back is stable"
    _texts_survive(example, back, losses)


def _texts_survive(example: Example, back: Example, losses: tuple[str, ...]) -> None:
    """Whatever is lost, the words stay, except where images or parts were joined."""
    if kind_is_text(example):
        return
    whole = "\0".join(text_of(m) for m in messages_of(back))
    for message in messages_of(example):
        assert text_of(message) in whole, losses


def kind_is_text(example: Example) -> bool:
    return not messages_of(example)


@pytest.mark.parametrize(("name", "kind"), PAIRS)
@FEW
@given(data=st.data())
def test_plain_examples_lose_nothing_in_formats_with_turns(
    name: str, kind: Kind, data: Any
) -> None:
    form, example = load(name), data.draw(examples(kind, rich=False))
    line, losses = form.encode(example)
    flat = name in ("prompt-completion", "bedrock-llama")
    if losses:
        text_alone = name in ("gemini", "sagemaker") and kind is Kind.REWARD
        allowed = {"system_merged", "turns_flattened"} if flat else {"reference_as_text"}
        assert (flat or text_alone) and set(losses) <= allowed
    else:
        assert normal(form.decode(line)) == normal(example)
