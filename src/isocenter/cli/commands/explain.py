"""Say what became of a file, series or case, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from isocenter.base.errors import ConfigError
from isocenter.cli.console import show
from isocenter.cli.crashes import crash_logged
from isocenter.cli.flags import AsJson, InWorkspace
from isocenter.model.issue import Issue
from isocenter.pipeline.explain import Explanation
from isocenter.pipeline.explain import explain as explanation_of
from isocenter.pipeline.slices import trace

app = typer.Typer(add_completion=False)


@app.command()
def explain(
    target: Annotated[
        str,
        typer.Argument(help="Path of a file (or a part of it), or id of a case, stack, series or subject."),
    ],
    *,
    workspace: InWorkspace = Path("work"),
    at_slice: Annotated[
        int | None,
        typer.Option("--slice", help="Which file slice k of a packed case or of a stack came from, from 0."),
    ] = None,
    at_voxel: Annotated[
        str, typer.Option("--voxel", metavar="K,J,I", help="The same of a voxel of the array, from 0.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Say what became of a file, series or case, and why: the rule, what was measured, what was expected.

    With --slice or --voxel: which object, file and frame a place in a packed case or a stack came from.
    """
    if at_slice is not None or at_voxel:
        if at_slice is not None and at_voxel:
            raise ConfigError("give either --slice or --voxel")
        with crash_logged(workspace):
            traced = trace(workspace, target, [at_slice] if at_slice is not None else _numbers(at_voxel))
        show(asdict(traced), traced.lines(), as_json=as_json)
        return
    with crash_logged(workspace):
        found = explanation_of(workspace, target)
    show([asdict(f) for f in found], (line for f in found for line in lines_of(f)), as_json=as_json)


def _numbers(voxel: str) -> list[int]:
    try:
        return [int(word) for word in voxel.split(",")]
    except ValueError:
        raise ConfigError(f"--voxel needs three whole numbers, K,J,I, not {voxel!r}") from None


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
