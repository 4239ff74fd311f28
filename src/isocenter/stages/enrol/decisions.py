"""Decisions: what people said of cases, as the workspace keeps it."""

from __future__ import annotations

from dataclasses import asdict

from isocenter.base.errors import ConfigError
from isocenter.base.journal import Journal
from isocenter.base.workspace import Workspace
from isocenter.model.decision import Decision, Word


def read_decisions(workspace: Workspace) -> dict[str, Decision]:
    """The last word on every case on which one was said and not taken back.

    Raises:
        ConfigError: the file was changed by hand.
    """
    out: dict[str, Decision] = {}
    if not workspace.decisions.exists():
        return out
    for record in _journal(workspace).records():
        try:
            found = Decision(**{**record, "word": Word(record["word"]), "seen": tuple(record["seen"])})
        except (KeyError, TypeError, ValueError):
            raise ConfigError("decisions.jsonl was written by another version of isocenter") from None
        if found.word is Word.REOPEN:
            out.pop(found.case, None)
        else:
            out[found.case] = found
    return out


def keep_decision(workspace: Workspace, decision: Decision) -> None:
    """Write one decision down; whoever calls holds the workspace's lock."""
    _journal(workspace).add(asdict(decision))


def _journal(workspace: Workspace) -> Journal:
    return Journal(workspace.decisions, workspace.pseudonyms())
