"""Metrics of JSON answers: valid at all, valid by a schema, the same fields."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from ftbridge.errors import DataError, NotInstalled, UsageError
from ftbridge.evaluate.metrics.metric import Metric, Settings

_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?```\s*\Z", re.DOTALL)
NOTHING = object()
"""Stands for an answer that is no JSON; ``null`` is some."""


def parsed(text: str) -> Any:
    """The JSON value of an answer, a code fence around it aside; ``NOTHING`` where it is none."""
    fenced = _FENCED.match(text)
    try:
        return json.loads(fenced[1] if fenced else text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return NOTHING


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def fields(value: Any, path: str = "") -> Counter[tuple[str, str]]:
    """Every leaf of a value with its path; the order of a list is no part of the path.

    An empty list or object is a leaf, so that it must be matched too.
    """
    if isinstance(value, dict) and value:
        return sum((fields(v, f"{path}.{k}") for k, v in value.items()), Counter())
    if isinstance(value, list) and value:
        return sum((fields(v, f"{path}[]") for v in value), Counter())
    return Counter([(path, _leaf(value))])


def _leaf(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(" ".join(value.split()))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)


def f1(reference: Any, answer: Any) -> float:
    """F1 of the fields of two JSON values."""
    wanted, given = fields(reference), fields(answer)
    common = (wanted & given).total()
    return 2 * common / (wanted.total() + given.total())


def json_valid(settings: Settings) -> Metric:
    """The answer is JSON."""
    return Metric("json_valid", lambda row, reply: float(parsed(reply.text) is not NOTHING))


def field_f1(settings: Settings) -> Metric:
    """F1 over (path, value) of all leaves; an answer that is no JSON has 0."""

    def score(reference: str, answer: str, line: int) -> float:
        wanted = parsed(reference)
        if wanted is NOTHING:
            raise DataError(
                f"line {line}: the reference is no JSON, which field_f1 compares",
                hint="choose another --metric, or leave such rows out",
                where=f"line {line}",
            )
        given = parsed(answer)
        return 0.0 if given is NOTHING else f1(wanted, given)

    return Metric(
        "field_f1", lambda row, reply: score(row.reference, reply.text, row.line), exact=False
    )


def schema_valid(settings: Settings) -> Metric:
    """The answer is JSON that a schema allows (``jsonschema``, which reads the draft's name).

    Raises:
        UsageError: without a schema file, or with one that is no schema.
        NotInstalled: without jsonschema.
    """
    if settings.schema is None:
        raise UsageError("schema_valid needs a schema", hint="--schema FILE", where="schema")
    try:
        import jsonschema
    except ImportError:
        raise NotInstalled(
            "schema_valid needs jsonschema, which is not installed",
            hint="pip install 'ftbridge[eval]'",
        ) from None
    try:
        schema = json.loads(settings.schema.read_text("utf-8"))
        kind = jsonschema.validators.validator_for(schema)
        kind.check_schema(schema)
    except (OSError, ValueError, jsonschema.SchemaError) as error:
        reason = getattr(error, "message", None) or str(error)
        raise UsageError(
            f"{settings.schema}: no JSON schema: {reason}", where=str(settings.schema)
        ) from None
    check = kind(schema).is_valid

    def score(answer: str) -> float:
        value = parsed(answer)
        return float(value is not NOTHING and check(value))

    return Metric("schema_valid", lambda row, reply: score(reply.text))
