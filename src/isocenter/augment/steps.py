"""Steps: the transforms that a foreign configuration names, read out of its text, which is never run."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isocenter.base.documents import Document, KeyPath, parse_yaml
from isocenter.base.errors import ConfigError, ConfigProblem

MAX_BYTES = 1 << 20
# Keys under which configurations of MONAI bundles, Hydra and others name a class.
_NAME_KEYS = ("_target_", "name", "class", "class_path", "transform", "type")
# Keys under which they may keep its arguments; without one of these they stand beside the name.
_ARGUMENT_KEYS = ("init_args", "args", "kwargs", "params", "parameters")
_PI = {"pi", "np.pi", "numpy.pi", "math.pi", "torch.pi"}
_RADIANS = {"np.deg2rad", "numpy.deg2rad", "math.radians", "np.radians", "radians", "deg2rad"}


class Unread:
    """What cannot be known without running the text: a variable, a call, an expression in quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transform as it is written down.

    Args:
        name: Its class, without modules: `RandomAffine`.
        line: Line on which it begins.
        arguments: What is said by name; an `Unread` where it cannot be known.
        places: What is said by position.
        bases: Classes that it is derived from, where it is a class of its own.
        origin: Module that it comes from, as far as the text says; "" where it says nothing.
    """

    name: str
    line: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    places: tuple[Any, ...] = ()
    bases: tuple[str, ...] = ()
    origin: str = ""

    def value(self, name: str, place: int | None = None, default: Any = None) -> Any:
        """An argument by its name or its position, or what the framework takes where it is left out."""
        if name in self.arguments:
            return self.arguments[name]
        return self.places[place] if place is not None and place < len(self.places) else default


def steps_in(path: Path) -> tuple[Step, ...]:
    """All calls and named classes in a Python, JSON or YAML file, in the order of their lines.

    Raises:
        ConfigError: the file is none of these, or cannot be parsed.
    """
    text = _text_of(path)
    if path.suffix == ".py":
        found = _in_python(text, path.name)
    elif path.suffix in {".json", ".yaml", ".yml"}:
        found = _in_document(parse_yaml(text.replace("\t", " "), path.name))
    else:
        raise ConfigError(
            [
                ConfigProblem(
                    "", "is no configuration of augmentation: a .py, .json or .yaml file is expected"
                )
            ],
            source=path.name,
        )
    return tuple(sorted(found, key=lambda s: s.line))


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            [ConfigProblem("", f"cannot be read: {error.strerror}")], source=path.name
        ) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError([ConfigProblem("", f"is larger than {MAX_BYTES >> 20} MiB")], source=path.name)
    return raw.decode("utf-8", errors="replace")


def _in_python(text: str, source: str) -> Iterator[Step]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise ConfigError([ConfigProblem("", "is not Python", line)], source=source) from None
    known, modules = _constants(tree), _modules(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _last_name(node.func)):
            yield Step(
                name=name,
                line=node.lineno,
                arguments={k.arg: _value(k.value, known) for k in node.keywords if k.arg},
                places=tuple(_value(a, known) for a in node.args),
                origin=_origin(node.func, modules),
            )
        elif isinstance(node, ast.ClassDef):
            own = {n.name: True for n in node.body if isinstance(n, ast.FunctionDef)}
            bases = tuple(_last_name(b) for b in node.bases)
            yield Step(name=node.name, line=node.lineno, arguments=own, bases=bases)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name | ast.Attribute):
                    yield Step(
                        name=f"{_last_name(target)} =",
                        line=node.lineno,
                        places=(_value(node.value, known),),
                    )


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Names to which one thing is assigned, once, in the whole text."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.arg | ast.AugAssign | ast.For | ast.NamedExpr):
            name = node.arg if isinstance(node, ast.arg) else _last_name(node.target)
            found.setdefault(name, []).extend([ast.Constant(None), ast.Constant(None)])
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _modules(tree: ast.Module) -> dict[str, str]:
    """Names that are imported, and the module that each is or comes from."""
    out: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            out |= {(a.asname or a.name).partition(".")[0]: a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            out |= {(a.asname or a.name): node.module or "" for a in node.names}
    return out


def _origin(node: ast.expr, modules: Mapping[str, str]) -> str:
    return modules.get(ast.unparse(node).partition(".")[0], "here")


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _value(node: ast.expr, known: Mapping[str, ast.expr], depth: int = 0) -> Any:
    """What an expression of plain numbers and texts comes to; an `Unread` for any other."""
    try:
        return _evaluated(node, known, depth)
    except (_UnknownError, ArithmeticError, TypeError, ValueError, RecursionError):
        return Unread(ast.unparse(node)[:60])


class _UnknownError(Exception):
    """Not a plain value."""


def _evaluated(node: ast.expr, known: Mapping[str, ast.expr], depth: int) -> Any:
    if depth > 32:
        raise _UnknownError
    deeper = depth + 1
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_value(n, known, deeper) for n in node.elts)
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
        inner = _evaluated(node.args[0], known, deeper)
        # a class around a range, such as `BGContrast((0.75, 1.25))`, says how it is drawn from
        return math.radians(inner) if ast.unparse(node.func) in _RADIANS else inner
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


def _in_document(document: Document) -> Iterator[Step]:
    todo: list[tuple[KeyPath, Any]] = [((), document.data)]
    while todo:
        path, data = todo.pop()
        if isinstance(data, Mapping):
            yield from _named(document, path, data)
            todo += [((*path, key), value) for key, value in data.items()]
        elif isinstance(data, list):
            todo += [((*path, n), value) for n, value in enumerate(data)]


def _named(document: Document, path: KeyPath, data: Mapping[str, Any]) -> Iterator[Step]:
    """The transform that a mapping stands for: by a key that names it, or as the key of its arguments."""
    for key in _NAME_KEYS:
        if isinstance(data.get(key), str):
            arguments = next((data[k] for k in _ARGUMENT_KEYS if isinstance(data.get(k), Mapping)), data)
            origin, _, name = str(data[key]).rpartition(".")
            line = document.line_of((*path, key)) or 1
            yield Step(name=name, line=line, arguments=_plain(arguments), origin=origin)
            return
    for key, value in data.items():
        origin, _, name = str(key).rpartition(".")
        if isinstance(value, Mapping | None) and name[:1].isupper():
            line = document.line_of((*path, key)) or 1
            yield Step(name=name, line=line, arguments=_plain(value or {}), origin=origin)


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {str(k): _read(v) for k, v in arguments.items() if k not in _NAME_KEYS}


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_read(v) for v in value)
    # MONAI bundles: a text that begins so is code, or points to elsewhere
    return Unread(value) if isinstance(value, str) and value[:1] in {"$", "@", "%"} else value
