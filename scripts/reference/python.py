"""The page of the Python face: every public name with its signature and docstring."""

from __future__ import annotations

import inspect
import re
from functools import cached_property

import isocenter
from scripts.reference.docstrings import markdown_of

_HEAD = """# Python

```python
import isocenter as iso
```

Arrays are `[k, j, i]` (slice, row, column), channels first; affines take (i, j, k, 1) of voxel centres to
millimetres in RAS+. See [conventions](../explanation/geometry.md).
"""


def page() -> str:
    """All public names, sorted."""
    parts = [_HEAD]
    for name in isocenter.__all__:
        thing = getattr(isocenter, name)
        parts += [f"## {name}", f"```python\n{_signature(name, thing)}\n```", markdown_of(thing.__doc__)]
        if inspect.isclass(thing):
            parts += _members(thing)
    return "\n\n".join(parts)


def _members(owner: type) -> list[str]:
    out = []
    for name, member in vars(owner).items():
        is_value = isinstance(member, property | cached_property)
        plain = getattr(member, "fget", None) or getattr(member, "func", member)
        if name.startswith("_") or not inspect.isfunction(plain):
            continue
        what = f"{owner.__name__}.{name}"
        head = what if is_value else _signature(what, plain)
        out += [f"```python\n{head}\n```", markdown_of(plain.__doc__)]
    return out


def _signature(name: str, thing: object) -> str:
    if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, Exception)):
        return name
    text = str(inspect.signature(thing))
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", name + text.replace("'", "").replace("(self, ", "("))
