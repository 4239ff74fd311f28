"""The commands are the files of a folder: listed by their docstrings, imported only when invoked."""

from __future__ import annotations

import functools
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from isocenter.base.plugins import Plugins

COMMANDS: Plugins[typer.Typer] = Plugins("isocenter.cli.commands", symbol="app")


class CommandFolder(TyperGroup):
    """A group whose commands are plug-ins; help and completion list them without importing any."""

    @functools.cached_property
    def names(self) -> list[str]:
        """Names of all commands; looked up once, as installed packages are asked for theirs too."""
        return COMMANDS.names()

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands."""
        del ctx
        return self.names

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in that has the name and the summary of a command, or None."""
        del ctx
        return TyperCommand(cmd_name, help=COMMANDS.summary(cmd_name)) if cmd_name in self.names else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real command for the words of a command line."""
        self.commands = {n: TyperCommand(n) for n in self.names}  # what a wrong name is compared with
        name, found, rest = super().resolve_command(ctx, args)
        return name, command_of(name) if found and name else found, rest


def command_of(name: str) -> Any:
    """Import one command."""
    command = typer.main.get_command(COMMANDS.get(name))
    command.name = name
    return command


def every_command() -> dict[str, Any]:
    """All commands by the words that call them (`config init`), imported, for the reference pages and tests."""
    out: dict[str, Any] = {}
    for name in COMMANDS.names():
        command = command_of(name)
        inner = getattr(command, "commands", None)
        out |= {f"{name} {word}": inner[word] for word in sorted(inner)} if inner else {name: command}
    return out
