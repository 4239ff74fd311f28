"""Foreign names: what the names in a text of Python stand for, as far as it says so without being run."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

_FOLLOWED = 8  # names that stand for names


class Names:
    """Imports, and variables that get one value in the whole text.

    Args:
        tree: The text.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._imports: dict[str, list[tuple[str, str]]] = {}
        self._has_star = False
        for node in ast.walk(tree):
            self._note_import(node)
        stores = Counter(name for node in ast.walk(tree) for name in _stored(node))
        self.values: dict[str, ast.expr] = {
            name: value
            for node in ast.walk(tree)
            for name, value in _plainly_assigned(node)
            if stores[name] == 1 and name not in self._imports
        }
        """Values of variables that get no other."""
        self.followed = {id(value) for value in self.values.values() if _is_name(value)}
        """Nodes that another name is given to, which is followed to them."""

    def of(self, node: ast.expr, depth: int = 0) -> list[tuple[str, str]]:
        """The name and the module of what an expression stands for; several where the text says so, or none."""
        if isinstance(node, ast.Call):
            said = node.args[1] if last_name(node.func) == "getattr" and len(node.args) > 1 else None
            is_said = isinstance(said, ast.Constant) and isinstance(said.value, str)
            return [(str(said.value), self.origin(node.args[0]))] if is_said else []  # type: ignore[union-attr]
        if isinstance(node, ast.Attribute):
            return [(node.attr, self.origin(node))]
        if not isinstance(node, ast.Name):
            return []
        if node.id in self._imports:
            return self._imports[node.id]
        value = self.values.get(node.id)
        if value is not None and _is_name(value) and depth < _FOLLOWED:
            return self.of(value, depth + 1)
        return [(node.id, "" if self._has_star else "here")]

    def origin(self, node: ast.expr) -> str:
        """The module that an expression begins with; "here" for what the text itself makes."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if isinstance(node, ast.Name) and node.id in self._imports:
            return self._imports[node.id][0][1]
        return "here"

    def _note_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for a in node.names:
                self._imports.setdefault((a.asname or a.name).partition(".")[0], []).append(
                    (a.name.rpartition(".")[2], a.name)
                )
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            self._has_star |= any(a.name == "*" for a in node.names)
            for a in node.names:
                self._imports.setdefault(a.asname or a.name, []).append((a.name, module))


def last_name(node: ast.expr) -> str:
    """The last of names with dots between them; "" for any other expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_name(node: ast.expr) -> bool:
    is_lookup = isinstance(node, ast.Call) and last_name(node.func) == "getattr"
    return is_lookup or isinstance(node, ast.Name | ast.Attribute)


def _plainly_assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value


def _stored(node: ast.AST) -> Iterator[str]:
    """Names that get a value by a node, or whose value may become another one."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        yield node.name or ""
    elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield _first_name(node)
    elif isinstance(node, ast.AugAssign):
        yield _first_name(node.target)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield _first_name(node.func)  # a list may grow


def _first_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return last_name(node)
