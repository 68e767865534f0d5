"""Arithmetic over named scores, as a ``multi`` grader's ``calculate_output`` writes it.

Numbers, names, ``+ - * / ^``, brackets, and the functions of OpenAI's graders guide
(developers.openai.com, read 2026-11-25). Nothing else is evaluated: no attribute, no call of
anything but these, so that a formula from a file can do no harm.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": min, "max": max, "abs": abs, "floor": math.floor, "ceil": math.ceil,
    "exp": math.exp, "sqrt": math.sqrt, "log": math.log,
}  # fmt: skip
_BINARY: Mapping[type[ast.operator], Callable[[float, float], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Pow: operator.pow,
}  # fmt: skip
_UNARY: Mapping[type[ast.unaryop], Callable[[float], float]] = {
    ast.UAdd: operator.pos, ast.USub: operator.neg,
}  # fmt: skip
LONGEST = 500
"""Characters; a longer formula could nest too deeply for the parser."""


class FormulaError(ValueError):
    """What is wrong with a formula, in words."""


class Formula:
    """A parsed formula. ``names`` are the scores that it reads.

    Raises:
        FormulaError: where the text is no such arithmetic.
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise FormulaError(f"longer than {LONGEST} characters")
        if "**" in text:
            raise FormulaError("holds `**`; the power is written `^`")
        try:
            # The power sign is the guide's; in Python it means something else.
            self._tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise FormulaError(f"`{text}` cannot be read as arithmetic") from None
        self.names = frozenset(_names(self._tree))

    def value(self, scores: Mapping[str, float]) -> float:
        """The result for these scores.

        Raises:
            FormulaError: a name without a score, or a result that is no number.
        """
        try:
            result = float(_value(self._tree, scores))
        except (ArithmeticError, ValueError, TypeError) as error:
            raise FormulaError(f"has no value here ({error})") from None
        except KeyError as error:
            raise FormulaError(f"no score is called {error}") from None
        if not math.isfinite(result):
            raise FormulaError("has no finite value here")
        return result


def _names(node: ast.expr) -> list[str]:
    """Every name in the tree, having refused what is no arithmetic."""
    match node:
        case ast.Constant(value=bool()):
            raise FormulaError("holds a word that is no score")
        case ast.Constant(value=int() | float()):
            return []
        case ast.Name(id=name):
            return [name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _names(left) + _names(right)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _names(operand)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            if name not in FUNCTIONS:
                raise FormulaError(f"`{name}` is none of {', '.join(FUNCTIONS)}")
            return [found for arg in args for found in _names(arg)]
    raise FormulaError("holds something else than numbers, names, + - * / ^ and functions")


def _value(node: ast.expr, scores: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return scores[name]
        case ast.BinOp(left=left, op=op, right=right):
            result: float = _BINARY[type(op)](_value(left, scores), _value(right, scores))
            return result
        case ast.UnaryOp(op=op, operand=operand):
            return _UNARY[type(op)](_value(operand, scores))
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name](*(_value(arg, scores) for arg in args))
    raise FormulaError("cannot be evaluated")
