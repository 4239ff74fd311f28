"""The page of plug-ins: every folder whose files are plug-ins, and what each file in it does."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import isocenter
from isocenter.base.plugins import Plugins
from scripts.reference.docstrings import markdown_of, table

_HEAD = """# Formats and other plug-ins

A plug-in is a file in a folder, and its name is the file's name. A package of yours can bring more: an entry
point whose group is the folder's name (see [how to add one](../how-to/add-a-plug-in.md)).
Rules and commands are plug-ins too and have [pages](rules.md) [of their own](commands.md).
"""
_FRAMEWORKS = "isocenter.loading.frameworks"
_ELSEWHERE = {"isocenter.rules.catalogue", "isocenter.cli.commands"}


def page() -> str:
    """One section per folder, with the promise its files keep."""
    parts = [_HEAD]
    for folder, (module, plugins) in sorted(folders().items()):
        if folder not in _ELSEWHERE:
            rows: list[list[object]] = [[f"`{name}`", plugins.summary(name)] for name in plugins.names()]
            parts += [f"## {folder}", _promise(module), table(["name", "what it is"], rows)]
    return "\n\n".join(parts)


def folders() -> dict[str, tuple[ModuleType, Plugins[object]]]:
    """Every plug-in folder, with the module that declares it: the one in the room of the folder."""
    found: dict[str, tuple[ModuleType, Plugins[object]]] = {}
    names = [m.name for m in pkgutil.walk_packages(isocenter.__path__, "isocenter.")]
    # Frameworks hold no folders of plug-ins, and nobody has all of them installed.
    wanted = [n for n in names if not n.endswith("__main__") and not n.startswith(f"{_FRAMEWORKS}.")]
    for module in map(importlib.import_module, wanted):
        for name, value in list(vars(module).items()):
            if isinstance(value, Plugins) and name in getattr(module, "__annotations__", {}):
                room = value.folder.rpartition(".")[0]
                if value.folder not in found or module.__name__.startswith(room):
                    found[value.folder] = (module, value)
    return found


def _promise(module: ModuleType) -> str:
    """What the Protocols of a module promise, or what the module says of itself."""
    own = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]
    contracts = [v.__doc__ for v in own if "Contract" in (v.__doc__ or "")]
    return "\n\n".join(markdown_of(text) for text in contracts or [module.__doc__])
