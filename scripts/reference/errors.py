"""The page of errors: the tree, and what each class tells the caller."""

from __future__ import annotations

from isocenter.base import errors
from scripts.reference.docstrings import markdown_of


def page() -> str:
    """Every exception that is the caller's to mend, with its exit code."""
    parts = ["# Errors", markdown_of(errors.__doc__)]
    for error in classes():
        parts += [f"## {error.__name__}", f"Exit code {error.exit_code}.", markdown_of(error.__doc__)]
    return "\n\n".join(parts)


def classes() -> list[type[errors.IsocenterError]]:
    """The root and all that descends from it, in the order of the tree."""

    def below(error: type[errors.IsocenterError]) -> list[type[errors.IsocenterError]]:
        return [error, *(deeper for child in error.__subclasses__() for deeper in below(child))]

    return below(errors.IsocenterError)
