"""Foreign Python: calls, classes and assignments in a text of Python, with the names that things have at home."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from isocenter.augment.foreign_names import Names, last_name
from isocenter.augment.foreign_values import value_of
from isocenter.augment.steps import Step, Unread
from isocenter.base.errors import ConfigError, ConfigProblem

_TELLING = re.compile(r"(?:\w+\.)*(?:Rand\w+|\w+Transform)|(?:monai|torchio|batchgenerators\w*)(?:\.\w+)+")


def in_python(text: str, source: str) -> Iterator[Step]:
    """All that may be a transform in a text of Python.

    Raises:
        ConfigError: it is not Python.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise ConfigError([ConfigProblem("", "is not Python", line)], source=source) from None
    names = Names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _called(node, names)
        elif isinstance(node, ast.ClassDef):
            own = {n.name: True for n in node.body if isinstance(n, ast.FunctionDef)}
            bases = tuple(name for b in node.bases for name, _ in names.of(b))
            yield Step(name=node.name, line=node.lineno, arguments=own, bases=bases, origin="here")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from _assigned(node, names)
    yield from _only_named(tree, names)


def _called(node: ast.Call, names: Names) -> Iterator[Step]:
    star = next((n for n, a in enumerate(node.args) if isinstance(a, ast.Starred)), len(node.args))
    unread = [ast.unparse(a)[:60] for a in node.args[star:]]
    unread += [f"**{ast.unparse(k.value)[:60]}" for k in node.keywords if k.arg is None]
    for name, origin in names.of(node.func):
        yield Step(
            name=name,
            line=node.lineno,
            arguments={k.arg: value_of(k.value, names.values) for k in node.keywords if k.arg},
            places=tuple(value_of(a, names.values) for a in node.args[:star]),
            unread=tuple(unread),
            origin=origin,
        )


def _assigned(node: ast.Assign | ast.AnnAssign, names: Names) -> Iterator[Step]:
    """Each name or attribute that gets a value; of what is taken apart, each part."""
    if node.value is None:
        return
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    todo: list[tuple[ast.expr, ast.expr | None]] = [(t, node.value) for t in targets]
    while todo:
        target, value = todo.pop()
        if isinstance(target, ast.Tuple | ast.List):
            is_same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            parts = value.elts if is_same and isinstance(value, ast.Tuple | ast.List) else None
            todo += [(t, parts[n] if parts else None) for n, t in enumerate(target.elts)]
        elif isinstance(target, ast.Name | ast.Attribute):
            said = Unread(ast.unparse(node.value)[:60]) if value is None else value_of(value, names.values)
            yield Step(name=f"{last_name(target)} =", line=node.lineno, places=(said,))


def _only_named(tree: ast.Module, names: Names) -> Iterator[Step]:
    """What is named to be called elsewhere, derived from, or looked up by a text."""
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    passed = names.followed | {id(n.func) for n in calls if names.of(n.func)}
    passed |= {id(n.args[1]) for n in calls if last_name(n.func) == "getattr" and len(n.args) > 1}
    for node in ast.walk(tree):
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(annotation, ast.expr):
                passed |= {id(n) for n in ast.walk(annotation)}
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            for name, origin in names.of(node):
                yield Step(name=name, line=node.lineno, origin=origin, is_called=False)
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and _TELLING.fullmatch(node.value)
        ):
            name = node.value.rpartition(".")[2]
            yield Step(name=name, line=node.lineno, origin="here", is_called=False)
        elif isinstance(node, ast.Call) and last_name(node.func) == "getattr" and len(node.args) > 1:
            yield from _looked_up(node, names)


def _looked_up(node: ast.Call, names: Names) -> Iterator[Step]:
    """What `getattr` takes out of a module."""
    for name, origin in names.of(node) or [("", names.origin(node.args[0]))]:
        text = (ast.unparse(node)[:60],)
        yield Step(name=name, line=node.lineno, origin=origin, unread=text, is_called=False)
