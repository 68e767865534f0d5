"""Plain configuration as YAML, without a YAML library: mappings, lists, texts, numbers, words.

Texts are written as JSON strings, which YAML 1.1 and 1.2 read alike; a number such as 1e-05 gets
the dot without which YAML 1.1 takes it for a text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def dump(content: Mapping[str, Any]) -> str:
    """A document in block style, keys in their order."""
    return "".join(line + "\n" for line in _lines(content, ""))


def _lines(content: Mapping[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}:", *_lines(value, indent + "  ")]
        elif _is_list(value) and any(isinstance(entry, Mapping) for entry in value):
            lines.append(f"{indent}{key}:")
            for entry in value:
                first, *rest = _lines(entry, indent + "    ")
                lines += [f"{indent}  - {first.strip()}", *rest]
        elif _is_list(value):
            lines.append(f"{indent}{key}: [{', '.join(_scalar(entry) for entry in value)}]")
        else:
            lines.append(f"{indent}{key}: {_scalar(value)}")
    return lines


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _scalar(value: str | float | bool | None) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "e" in text and "." not in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}.0e{exponent}"
    return text
