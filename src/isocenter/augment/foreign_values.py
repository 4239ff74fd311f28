"""Foreign values: what expressions of plain numbers and texts come to, worked out without running them."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any

from isocenter.augment.steps import Unread

_DEEPEST = 32
_PI = {"pi", "np.pi", "numpy.pi", "math.pi", "torch.pi"}
_RADIANS = {"np.deg2rad", "numpy.deg2rad", "math.radians", "np.radians", "radians", "deg2rad"}
# What is around a range and leaves its numbers as they are; BGContrast of nnU-Net says how it is drawn from.
_AROUND = {"tuple", "list", "float", "BGContrast"}


def value_of(node: ast.expr, known: Mapping[str, ast.expr], depth: int = 0) -> Any:
    """What an expression of plain numbers and texts comes to; an `Unread` for any other.

    Args:
        node: The expression.
        known: Variables, and the expression that each stands for.
        depth: How deep in others it is.
    """
    try:
        return _evaluated(node, known, depth)
    except (_UnknownError, ArithmeticError, TypeError, ValueError, RecursionError):
        return Unread(ast.unparse(node)[:60])


class _UnknownError(Exception):
    """Not a plain value."""


def _evaluated(node: ast.expr, known: Mapping[str, ast.expr], depth: int) -> Any:
    if depth > _DEEPEST:
        raise _UnknownError
    deeper = depth + 1
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(value_of(n, known, deeper) for n in node.elts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluated(node.operand, known, deeper)
    if isinstance(node, ast.BinOp):
        return _arithmetic(
            node.op, _evaluated(node.left, known, deeper), _evaluated(node.right, known, deeper)
        )
    if ast.unparse(node) in _PI:
        return math.pi
    if isinstance(node, ast.Name) and node.id in known:
        return _evaluated(known[node.id], known, deeper)
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        return _around(ast.unparse(node.func), _evaluated(node.args[0], known, deeper))
    raise _UnknownError


def _around(function: str, inner: Any) -> Any:
    if function in _RADIANS:
        return math.radians(inner)
    if function.rpartition(".")[2] in _AROUND and not isinstance(inner, str):
        return inner
    raise _UnknownError


def _arithmetic(operator: ast.operator, left: Any, right: Any) -> float:
    if not all(isinstance(n, int | float) and abs(n) < 1e9 for n in (left, right)):
        raise _UnknownError
    if isinstance(operator, ast.Add):
        return float(left + right)
    if isinstance(operator, ast.Sub):
        return float(left - right)
    if isinstance(operator, ast.Mult):
        return float(left * right)
    if isinstance(operator, ast.Div):
        return float(left / right)
    raise _UnknownError
