"""Say what became of a file, series or case, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.console import show
from isocenter.cli.crashes import crash_logged
from isocenter.cli.flags import AsJson, InWorkspace
from isocenter.model.issue import Issue
from isocenter.pipeline.explain import Explanation
from isocenter.pipeline.explain import explain as explanation_of

app = typer.Typer(add_completion=False)


@app.command()
def explain(
    target: Annotated[
        str,
        typer.Argument(help="Path of a file (or a part of it), or id of a case, stack, series or subject."),
    ],
    *,
    workspace: InWorkspace = Path("work"),
    as_json: AsJson = False,
) -> None:
    """Say what became of a file, series or case, and why: the rule, what was measured, what was expected."""
    with crash_logged(workspace):
        found = explanation_of(workspace, target)
    show([asdict(f) for f in found], (line for f in found for line in lines_of(f)), as_json=as_json)


def lines_of(found: Explanation) -> Iterator[str]:
    """An explanation as lines: the verdict first, then the way there, then every issue."""
    yield f"{found.target} ({found.kind}): {found.state}" + (f", {found.reason}" if found.reason else "")
    yield from (f"  {line}" for line in found.lines)
    for issue in found.issues:
        yield f"  {issue.severity or 'issue'}: {issue.rule}: {issue.message}"
        if measured := _measured(issue):
            yield f"    {measured}"
        if issue.clause:
            yield f"    {issue.clause}"


def _measured(issue: Issue) -> str:
    pairs = (("measured", issue.measured), ("expected", issue.expected))
    return ", ".join(f"{word} {value} {issue.unit}".rstrip() for word, value in pairs if value)
