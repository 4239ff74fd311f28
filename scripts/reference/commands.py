"""The page of commands: every command with its arguments and flags, as the command line knows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from isocenter.cli.folder import COMMANDS, command_of
from scripts.reference.docstrings import markdown_of, table

_HEAD = """# Commands

Results go to standard output, progress and messages to standard error. Exit codes: 0 clean, 1 the data did not
pass a gate, 2 asked wrongly, 3 a bug of ours (see `log.jsonl` in the workspace), 130 interrupted.
"""


def page() -> str:
    """All commands, sorted."""
    return "\n\n".join([_HEAD, *(part for name, command in commands() for part in _section(name, command))])


def commands() -> list[tuple[str, Any]]:
    """Every command by its full name, groups taken apart."""
    return [leaf for name in COMMANDS.names() for leaf in _leaves(f"isocenter {name}", command_of(name))]


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child in sorted(children):
        yield from _leaves(f"{name} {child}", children[child])


def _section(name: str, command: Any) -> list[str]:
    rows: list[list[object]] = []
    for parameter in command.params:
        is_flag = parameter.param_type_name == "option"
        names = [*parameter.opts, *parameter.secondary_opts] if is_flag else [parameter.name.upper()]
        rows.append([", ".join(f"`{n}`" for n in names), parameter.help or "", _default(parameter)])
    parts = [f"## {name}", markdown_of(command.help)]
    return [*parts, table(["argument or flag", "meaning", "default"], rows)]


def _default(parameter: Any) -> str:
    """What is taken where nothing is given: as shown in the help, which may come from the config's defaults."""
    if isinstance(parameter.show_default, str):
        return f"`{parameter.show_default}`"
    has_one = parameter.default is not None and parameter.default is not False and parameter.default != ""
    return f"`{parameter.default}`" if has_one else ""
