"""A metric of the user's own: ``module:function`` or ``file.py:function``."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ftbridge.errors import UsageError
from ftbridge.evaluate.metrics.metric import Metric
from ftbridge.evaluate.rows import Row
from ftbridge.provider import ChatReply


def custom(name: str) -> Metric:
    """The metric of a Python function ``f(reference: str, answer: str, row: dict) -> float``.

    ``row`` holds ``messages``, ``tools``, ``line`` and ``calls`` of the reference. The function
    runs in this process; it gives 0..1 (or a bool), more being better. One that is annotated to
    give a bool says right or wrong: its share has Wilson's interval, its test is McNemar's.

    Raises:
        UsageError: where there is no such function, or it gives anything else.
    """
    function = _function(name)
    exact = getattr(function, "__annotations__", {}).get("return") in (bool, "bool")

    def score(row: Row, reply: ChatReply) -> float:
        told = {"messages": row.messages, "tools": row.tools, "line": row.line, "calls": row.calls}
        value = function(row.reference, reply.text, told)
        fits = value in (0, 1) if exact else isinstance(value, int | float) and 0 <= value <= 1
        if not fits:
            wanted = "bool" if exact else "number of 0 to 1"
            raise UsageError(
                f"{name} gave {type(value).__name__} for line {row.line}, no {wanted}",
                where=name,
            )
        return float(value)

    return Metric(name, score, exact=exact)


def _function(name: str) -> Callable[..., Any]:
    place, _, attribute = name.rpartition(":")
    try:
        module = (
            _from_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        )
        found = getattr(module, attribute)
    except (ImportError, AttributeError, OSError, ValueError) as error:
        raise UsageError(
            f"no metric `{name}`: {error}",
            hint="name a function as module:function or file.py:function",
            where=name,
        ) from None
    if not callable(found):
        raise UsageError(f"`{name}` is no function", where=name)
    return found  # type: ignore[no-any-return]


def _from_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
