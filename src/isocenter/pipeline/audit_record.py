"""Keeps what an audit found: as a document, in the workspace for its report, or as a page of its own."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isocenter import __version__, report
from isocenter.base import tables
from isocenter.base.digests import canonical_json, digest_of
from isocenter.base.files import write_json
from isocenter.base.workspace import Workspace
from isocenter.model.descriptor_rows import Pair
from isocenter.model.issue import Issue
from isocenter.report.facts import ReportFacts
from isocenter.stages.audit.stage import Audit


def document_of(found: Audit) -> dict[str, Any]:
    """An audit as plain data."""
    plain = asdict(found) | {"passed": found.passed}
    if found.canary is not None:
        plain["canary"]["summary"] = found.canary.summary
    out: dict[str, Any] = json.loads(canonical_json(plain))
    return out


def keep_in_workspace(found: Audit, workspace: Workspace) -> None:
    """Write an audit into the workspace, where its report finds it.

    Raises:
        RunError: another run holds the workspace.
    """
    with workspace.lock():
        write_tables(found, workspace, digest_of([__version__, document_of(found)]))


def write_tables(found: Audit, workspace: Workspace, key: str) -> dict[str, int]:
    """Write the tables of an audit as those of any stage, and mark it as done."""
    folder = workspace.start("audit")
    tables.write(folder / "issues.parquet", Issue, found.issues)
    tables.write(folder / "pairs.parquet", Pair, found.pairs)
    write_json(folder / "audit.json", document_of(found))
    counts = counts_of(found)
    workspace.finish("audit", key, counts=counts)
    return counts


def counts_of(found: Audit) -> dict[str, int]:
    """How much was looked at and found."""
    return {
        "splits": len(found.splits),
        "alike": len(found.pairs),
        "issues": len(found.issues),
        "rejects": sum(i.severity == "reject" for i in found.issues),
    }


def write_page(found: Audit, path: Path, *, title: str) -> None:
    """Write the audit as one HTML page that opens offline.

    Raises:
        MissingExtra: the libraries of the report are not installed.
    """
    facts = ReportFacts(title=title, audit=document_of(found), issues=found.issues)
    report.write_page(facts, path, only=("audit",))
