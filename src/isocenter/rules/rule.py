"""Rule, and the decorator that makes one of a function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Generic, TypeAlias, TypeVar, cast, get_type_hints

from isocenter.base.options import Option, options_of
from isocenter.model.issue import Issue, Severity

Subject = TypeVar("Subject")
Issues: TypeAlias = Iterator[Issue]


class Rule(Generic[Subject]):
    """A check with its name, its scope and its options, all read off the function itself.

    Args:
        check: Generator function; its first parameter's type is the scope, its keyword-only parameters
            are the options.
        severity: What its issues do, unless the config or the issue itself says otherwise.
        clause: Section of the standard it enforces.
        since: Version that brought it.
    """

    def __init__(self, check: Callable[..., Issues], severity: Severity, clause: str, since: str) -> None:
        functools.update_wrapper(self, check)  # keeps docstring, module and doctests in place
        self.check = check
        self.severity = severity
        self.clause = clause
        self.since = since

    @property
    def name(self) -> str:
        """`family/rule-name`: the path of the file."""
        return "/".join(self.check.__module__.split(".")[-2:]).replace("_", "-")

    @functools.cached_property
    def scope(self) -> type[Subject]:
        """The noun that the rule looks at: the type of its first parameter."""
        first = next(iter(inspect.signature(self.check).parameters))
        return cast("type[Subject]", get_type_hints(self.check)[first])

    @property
    def options(self) -> list[Option]:
        """The keyword-only parameters of the check."""
        return options_of(self.check)

    def __call__(self, subject: Subject, **options: Any) -> Issues:
        """Check one subject; every issue comes back with the rule's name, target, severity and clause."""
        for issue in self.check(subject, **options):
            yield replace(
                issue,
                rule=self.name,
                target=issue.target or str(getattr(subject, "id", "")),
                severity=issue.severity or self.severity,
                clause=issue.clause or self.clause,
            )


def rule(
    *, severity: Severity, clause: str = "", since: str = "0.1"
) -> Callable[[Callable[..., Issues]], Rule[Any]]:
    """Make a rule of a generator function; its file path is the rule's name."""
    return lambda check: Rule(check, severity, clause, since)
