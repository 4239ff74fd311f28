"""All generated reference pages, by file name."""

from __future__ import annotations

from scripts.reference import (
    commands,
    config,
    errors,
    faults,
    inventory,
    plugins,
    python,
    reasons,
    rules,
    tables,
)

_INDEX = """# Reference

These pages are written from the code.

```{toctree}
:maxdepth: 2

config
commands
rules
reasons
plugins
errors
faults
tables
inventory
python
```
"""


def pages() -> dict[str, str]:
    """File name below docs/reference to its text."""
    made = {
        "commands": commands.page(),
        "config": config.page(),
        "errors": errors.page(),
        "faults": faults.page(),
        "inventory": inventory.page(),
        "plugins": plugins.page(),
        "python": python.page(),
        "reasons": reasons.page(),
        "rules": rules.page(),
        "tables": tables.page(),
    }
    return {"index.md": _INDEX, **{f"{name}.md": f"{text}\n" for name, text in made.items()}}
