"""A plug-in is a file in a folder; its name is the file's name.

Built-in plug-ins are found by listing the folder, installed ones by an entry
point group named like the folder, and either is imported only when it is asked
for. This is also the only module that may import by name.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from isocenter.base.digests import digest_of
from isocenter.base.errors import MissingExtra, UnknownPlugin

T = TypeVar("T")

# Top-level module of an optional library -> the extra that installs it.
_EXTRAS = {
    "torch": "torch",
    "monai": "monai",
    "torchio": "torchio",
    "tensorflow": "tensorflow",
    "jax": "jax",
    "jinja2": "report",
    "matplotlib": "report",
    "SimpleITK": "sitk",
}


class Plugins(Generic[T]):
    """The plug-ins of one kind.

    Args:
        folder: Package whose files are the plug-ins; also the entry-point group.
        symbol: What each file defines; "" for a function named like the file, None for the module
            itself (a plain module that keeps a Protocol).
    """

    def __init__(self, folder: str, symbol: str | None = None) -> None:
        self.folder = folder
        self.symbol = symbol

    def names(self) -> list[str]:
        """Every known name, built-in and installed, sorted."""
        return sorted({*self._built_in, *self._installed})

    def get(self, name: str) -> T:
        """Import and return one plug-in.

        Raises:
            UnknownPlugin: nobody provides that name; the message offers the nearest one.
            MissingExtra: the plug-in needs a library that is not installed.
        """
        if module_name := self._built_in.get(name):
            module = _import(module_name)
            if self.symbol is None:
                return cast("T", module)
            return cast("T", getattr(module, self.symbol or module_name.rpartition(".")[2]))
        if entry := self._installed.get(name):
            return cast("T", entry.load())
        raise UnknownPlugin(f"no {name!r} in {self.folder}{did_you_mean(name, self.names())}")

    def summary(self, name: str) -> str:
        """First line of a built-in plug-in's module docstring, read without importing it."""
        module_name = self._built_in.get(name)
        if module_name is None:
            return ""
        spec = importlib.util.find_spec(module_name)
        if spec is None or spec.origin is None:
            return ""
        doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
        return doc.partition("\n")[0]

    def form(self, names: Iterable[str] | None = None) -> str:
        """Digest of what some plug-ins do, by default all: their source, and the version of an installed one."""
        chosen = self.names() if names is None else sorted(set(names))
        return digest_of([(name, self._source(name)) for name in chosen])

    def _source(self, name: str) -> list[str]:
        if module_name := self._built_in.get(name):
            return [_text_of(module_name)]
        entry = self._installed.get(name)
        if entry is None:
            return []
        return [entry.value, entry.dist.version if entry.dist else "", _text_of(entry.module)]

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return ((name, self.get(name)) for name in self.names())

    @cached_property
    def _installed(self) -> dict[str, EntryPoint]:
        """Plug-ins of other packages by name; looking for them takes milliseconds, so it is done once."""
        return {e.name: e for e in reversed(list(entry_points(group=self.folder)))}

    @cached_property
    def _built_in(self) -> dict[str, str]:
        """Plug-in name to module name; a file in a subfolder is named `subfolder/file`."""
        paths = importlib.import_module(self.folder).__path__
        modules = [m.name for m in pkgutil.walk_packages(paths, f"{self.folder}.") if not m.ispkg]
        inside = [(m, m.removeprefix(f"{self.folder}.")) for m in modules]
        return {rest.replace(".", "/").replace("_", "-"): m for m, rest in inside}


def did_you_mean(name: str, known: list[str]) -> str:
    """`; did you mean 'x'?`, or nothing when no known name is near."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A module `__getattr__` that imports a public name from its home on first use."""

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(_import(homes[name]), name)

    return get


def _text_of(module_name: str) -> str:
    """Source of a module, "" where it has none; the module itself is not imported."""
    spec = importlib.util.find_spec(module_name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return ""
    return Path(spec.origin).read_text(encoding="utf-8")


def _import(module_name: str) -> Any:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise MissingExtra(f'needs {error.name}: pip install "isocenter[{extra}]"') from error
