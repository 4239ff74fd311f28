"""Every exception the package raises for a caller to mend, as one tree.

::

    IsocenterError
    ├── ConfigError      cohort.yaml or a flag is wrong                        exit 2
    ├── UnknownPlugin    no file and no installed package has that name        exit 2
    ├── MissingExtra     an optional library is not installed                  exit 2
    ├── FormatError      a file is not what its name says (becomes an Issue)
    ├── StoreError ── StoreNotFound, StoreCorrupt                              exit 1
    └── RunError ── StaleArtefact, RejectedError (a gate closed)               exit 1
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


class IsocenterError(Exception):
    """Base of all errors that are the caller's to mend."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong with a config: where it is, what is wrong, what may have been meant."""

    path: str
    message: str
    line: int | None = None
    hint: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        hint = f" ({self.hint})" if self.hint else ""
        at = f"{self.path}: " if self.path else ""
        return f"{where}{at}{self.message}{hint}"


class ConfigError(IsocenterError):
    """The config or a flag is wrong; every problem is told at once.

    Args:
        problems: What is wrong, each with its key path; a plain sentence is one problem.
        source: Name of the document the problems are in.
    """

    exit_code = 2

    def __init__(self, problems: str | Sequence[ConfigProblem], source: str = "") -> None:
        self.problems = (ConfigProblem("", problems),) if isinstance(problems, str) else tuple(problems)
        self.source = source
        lines = [str(p) for p in self.problems]
        many = f"{len(lines)} problems" if len(lines) > 1 else "1 problem"
        head = f"{source}: {many}\n  " if source else ""
        super().__init__(head + "\n  ".join(lines))


class UnknownPlugin(IsocenterError, LookupError):  # noqa: N818 - the name says what is wrong
    """A name was asked for that no file and no installed package provides."""

    exit_code = 2


class MissingExtra(IsocenterError, ImportError):  # noqa: N818 - as above
    """An optional library is not installed; the message names the install line."""

    exit_code = 2


class FormatError(IsocenterError, ValueError):
    """A file is not what its name says; readers turn it into an issue.

    Args:
        reason: Key of `isocenter.model.reasons.REASONS`.
        message: What was seen, without any text taken from identifying attributes.
        measured: The value that was found.
        expected: The value that was needed.

    `identity` holds the UIDs of the object where they can still be read (`series_uid`, ...): for the index
    alone, never to be shown.
    """

    identity: Mapping[str, str | None] = MappingProxyType({})

    def __init__(
        self, reason: str, message: str, *, measured: object = None, expected: object = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.measured = measured
        self.expected = expected

    def __reduce__(self) -> tuple[object, ...]:
        return _format_error, (self.reason, self.message, self.measured, self.expected)


def _format_error(reason: str, message: str, measured: object, expected: object) -> FormatError:
    return FormatError(reason, message, measured=measured, expected=expected)


class StoreError(IsocenterError):
    """A store cannot be used."""


class StoreNotFound(StoreError, FileNotFoundError):  # noqa: N818 - as above
    """There is no store where one was asked for."""


class StoreCorrupt(StoreError):  # noqa: N818 - as above
    """The bytes of a store are not those that were sealed."""


class RunError(IsocenterError):
    """A run cannot go on."""


class StaleArtefact(RunError):  # noqa: N818 - as above
    """A stage was asked for whose earlier stages are missing or were made with other options."""


class RejectedError(RunError):
    """The data did not pass a gate; the message says which and what would open it."""
