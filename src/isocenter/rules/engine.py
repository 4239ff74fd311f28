"""The one engine that runs the rules of a scope on a thing that a stage has just made."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from isocenter.base.plugins import Plugins
from isocenter.model.issue import Issue
from isocenter.rules.rule import Rule
from isocenter.rules.select import ScreenOptions

CATALOGUE: Plugins[Rule[Any]] = Plugins("isocenter.rules.catalogue", symbol="")


class Engine:
    """Runs the selected rules.

    Args:
        options: Selection, severities and rule options.
    """

    def __init__(self, options: ScreenOptions) -> None:
        self._options = options

    @cached_property
    def form(self) -> str:
        """Digest of the selected rules as they are written: an edited or newly installed one makes another."""
        return CATALOGUE.form(n for n in CATALOGUE.names() if self._options.is_selected(n))

    def check(self, subject: object) -> list[Issue]:
        """All issues that the selected rules of the subject's type see on it, in the order of their names."""
        return [
            replace(issue, severity=self._options.severity.get(rule.name, issue.severity))
            for rule in self._by_scope.get(type(subject), [])
            for issue in rule(subject, **self._options.options.get(rule.name, {}))
        ]

    @cached_property
    def _by_scope(self) -> dict[type, list[Rule[Any]]]:
        out: dict[type, list[Rule[Any]]] = {}
        for name, rule in CATALOGUE:
            if self._options.is_selected(name):
                out.setdefault(rule.scope, []).append(rule)
        return out
