"""The typed public face: a stub that tells type checkers where each lazily loaded name lives."""

from __future__ import annotations

import isocenter

PATH = "src/isocenter/__init__.pyi"


def stub() -> str:
    """Text of the stub; every public name is imported from its home."""
    homes: dict[str, list[str]] = {}
    for name, home in vars(isocenter)["_HOMES"].items():
        homes.setdefault(home, []).append(name)
    lines = ['"""Written by scripts/gen: the public names and their types."""', ""]
    for home, names in sorted(homes.items()):
        lines += [f"from {home} import {name} as {name}" for name in sorted(names)]
    lines += ["", "__version__: str", "__all__ = ["]
    lines += [f'    "{name}",' for name in isocenter.__all__]
    return "\n".join([*lines, "]"]) + "\n"
