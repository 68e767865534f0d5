"""JSON against a service model as botocore ships them: what a member may be, and what it is not.

boto3 itself checks names, types and least sizes; greatest sizes, enums and patterns are checked by
the service alone, and so by an emulator. Patterns with a Java character class (``\\p{...}``), which
Python does not know, are not checked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

_WHOLE, _REAL = ("integer", "long"), ("float", "double")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, where, and of which kind."""

    kind: Literal["unknown", "type", "missing", "constraint"]
    path: str
    text: str


@cache
def operation(service: str, name: str) -> Any:
    """An operation of a service's model; raises botocore's OperationNotFoundError."""
    return _service(service).operation_model(name)


@cache
def _service(service: str) -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


def faults(shape: Any, value: Any, path: str = "") -> Iterator[Fault]:
    """What is wrong with a value, by its shape."""
    if getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if kind in ("structure", "list", "map"):
        yield from _compound(shape, value, path)
    else:
        yield from _plain(shape, value, path)


def _compound(shape: Any, value: Any, path: str) -> Iterator[Fault]:
    kind = shape.type_name
    if not isinstance(value, list if kind == "list" else dict):
        yield _mistyped(shape, path)
    elif kind == "list":
        yield from _list(shape, value, path)
    elif kind == "map":
        yield from _map(shape, value, path)
    else:
        yield from _structure(shape, value, path)


def _structure(shape: Any, value: Any, path: str) -> Iterator[Fault]:
    for name in value:
        if name not in shape.members:
            yield Fault("unknown", _below(path, name), f"{_below(path, name)} is not a member")
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield Fault("constraint", path, f"{path} must set exactly one member")
    for name in shape.required_members:
        if value.get(name) is None:
            yield _broken(None, _below(path, name), "Member must not be null", "missing")
    for name, item in value.items():
        if item is not None and name in shape.members:
            yield from faults(shape.members[name], item, _below(path, name))


def _list(shape: Any, value: Any, path: str) -> Iterator[Fault]:
    yield from _bounded(shape, len(value), "length", value, path)
    for number, item in enumerate(value, start=1):
        yield from faults(shape.member, item, f"{path}.{number}.member")


def _map(shape: Any, value: Any, path: str) -> Iterator[Fault]:
    yield from _bounded(shape, len(value), "length", value, path)
    for key, item in value.items():
        yield from faults(shape.key, key, f"{path}.key")
        yield from faults(shape.value, item, f"{path}.{key}.member")


def _plain(shape: Any, value: Any, path: str) -> Iterator[Fault]:
    kind = shape.type_name
    if not _is(kind, value):
        yield _mistyped(shape, path)
    elif kind == "string":
        yield from _bounded(shape, len(value), "length", value, path)
        if shape.enum and value not in shape.enum:
            yield _broken(value, path, f"Member must satisfy enum value set: {list(shape.enum)}")
        pattern = shape.metadata.get("pattern", "")
        if pattern and r"\p{" not in pattern and not re.fullmatch(pattern, value):
            rule = f"Member must satisfy regular expression pattern: {pattern}"
            yield _broken(value, path, rule)
    elif kind in (*_WHOLE, *_REAL):
        yield from _bounded(shape, value, "value", value, path)


def _is(kind: str, value: Any) -> bool:
    if kind in ("boolean",):
        return isinstance(value, bool)
    if kind in _WHOLE:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in (*_REAL, "timestamp"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "blob":
        return _decodes(value)
    return isinstance(value, str)


def _decodes(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return False
    return True


def _bounded(shape: Any, size: float, what: str, value: Any, path: str) -> Iterator[Fault]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _broken(value, path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _broken(value, path, f"Member must have {what} less than or equal to {most}")


def _mistyped(shape: Any, path: str) -> Fault:
    return Fault("type", path, f"{path or 'the body'}: expected a value of type {shape.type_name}")


def _broken(
    value: Any, path: str, rule: str, kind: Literal["missing", "constraint"] = "constraint"
) -> Fault:
    shown = "null" if value is None else value
    return Fault(kind, path, f"Value '{shown}' at '{path}' failed to satisfy constraint: {rule}")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
