"""Requests against botocore's own service models: what a member may be, and what it is not.

The sentences are those of AWS's common request validation ("Value '...' at '...' failed to
satisfy constraint: ..."), from memory of many AWS answers; only the code is to be relied on.
A value of the wrong JSON type is a SerializationException there, as here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from .errors import ApiError

_WHOLE, _REAL = ("integer", "long"), ("float", "double")


@cache
def operation(service: str, name: str) -> Any:
    """An operation of a service model, as botocore has it."""
    import botocore.session

    return botocore.session.get_session().get_service_model(service).operation_model(name)


def asked(
    model: Any, path: Mapping[str, str], query: Mapping[str, str], body: Any
) -> dict[str, Any]:
    """All members of a request, wherever they came from; raises what the vendor would answer."""
    shape = model.input_shape
    if shape is None:
        return {}
    if body is not None and not isinstance(body, dict):
        raise ApiError("SerializationException", "the body is not a JSON object")
    params: dict[str, Any] = dict(body or {})
    elsewhere = {"uri": path, "querystring": query}
    for name, member in shape.members.items():
        place = member.serialization.get("location")
        if place is None:
            continue
        if name in params:
            raise _unknown(name)
        key = member.serialization.get("name", name)
        if key in elsewhere.get(place, {}):
            params[name] = _parsed(member, elsewhere[place][key], name)
    known = {member.serialization.get("name") for member in shape.members.values()}
    for name in query:
        if name not in known:
            raise _unknown(name)
    if found := faults(shape, params):
        plural = "s" if len(found) > 1 else ""
        told = f"{len(found)} validation error{plural} detected: " + "; ".join(found)
        raise ApiError("ValidationException", told)
    return params


def faults(shape: Any, value: Any) -> list[str]:
    """What is wrong with a structure, request or answer; raises at a wrong type or member."""
    return list(_structure(shape, value, ""))


def _unknown(path: str) -> ApiError:
    return ApiError("ValidationException", f"{path} is not a member of the request")


def _mistyped(path: str, shape: Any) -> ApiError:
    return ApiError("SerializationException", f"{path}: expected a value of type {shape.type_name}")


def _parsed(shape: Any, text: str, path: str) -> Any:
    """A value of a query or path by its type; times stay text, once they can be read."""
    try:
        if shape.type_name in _WHOLE:
            return int(text)
        if shape.type_name == "boolean":
            return {"true": True, "false": False}[text]
        if shape.type_name == "timestamp":
            return datetime.fromisoformat(text).timestamp()
    except (ValueError, KeyError):
        raise _mistyped(path, shape) from None
    return text


def _faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "list":
        yield from _list(shape, value, path)
    elif kind == "map":
        yield from _map(shape, value, path)
    elif kind == "string":
        yield from _string(shape, value, path)
    elif kind in (*_WHOLE, *_REAL):
        yield from _number(shape, value, path)
    elif kind == "blob":
        _blob(shape, value, path)
    elif kind == "boolean" and not isinstance(value, bool):
        raise _mistyped(path, shape)


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        raise _mistyped(path, shape)
    for name in value:
        if name not in shape.members:
            raise _unknown(_below(path, name))
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        raise ApiError("ValidationException", f"{path} must set exactly one member")
    for name in shape.required_members:
        if value.get(name) is None:
            yield _fault("null", _below(path, name), "Member must not be null")
    for name, item in value.items():
        if item is not None:
            yield from _faults(shape.members[name], item, _below(path, name))


def _list(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        raise _mistyped(path, shape)
    yield from _bounded(shape, len(value), "length", value, path)
    for index, item in enumerate(value, start=1):
        yield from _faults(shape.member, item, f"{path}.{index}.member")


def _map(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        raise _mistyped(path, shape)
    yield from _bounded(shape, len(value), "length", value, path)
    for key, item in value.items():
        yield from _faults(shape.key, key, f"{path}.key")
        yield from _faults(shape.value, item, f"{path}.{key}.member")


def _string(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        raise _mistyped(path, shape)
    yield from _bounded(shape, len(value), "length", value, path)
    if shape.enum and value not in shape.enum:
        yield _fault(value, path, f"Member must satisfy enum value set: {list(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield _fault(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _number(shape: Any, value: Any, path: str) -> Iterator[str]:
    wanted = (int,) if shape.type_name in _WHOLE else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise _mistyped(path, shape)
    yield from _bounded(shape, value, "value", value, path)


def _blob(shape: Any, value: Any, path: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise _mistyped(path, shape) from None


def _bounded(shape: Any, size: float, what: str, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _fault(value, path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _fault(value, path, f"Member must have {what} less than or equal to {most}")


def _fault(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
