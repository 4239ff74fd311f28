"""Runs the pipeline for a command, draws its progress, and prints what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import typer

from isocenter.cli.console import from_here, show
from isocenter.cli.drawing import drawn, duration
from isocenter.cli.flags import Request
from isocenter.pipeline.config import CohortConfig, load
from isocenter.pipeline.run import Run, run


def run_until(stage: str, request: Request) -> None:
    """Run the pipeline up to a stage and print what came of it; exits with 1 where a gate closed."""
    done = run_to(stage, request)
    show(document_of(done), lines_of(done), as_json=request.as_json)
    leave_at_gate(done)


def run_to(stage: str, request: Request) -> Run:
    """Run the pipeline up to a stage, with its progress drawn."""
    config = config_of(request)
    options: dict[str, Any] = {"dry_run": True} if request.dry_run else {}
    with drawn() as progress:
        return run(config, until=stage, jobs=request.jobs, progress=progress, **options)


def config_of(request: Request) -> CohortConfig:
    """The config that a command was asked to run."""
    return load(request.config, overrides=request.overrides)


def leave_at_gate(done: Run) -> None:
    """Exit with 1 where a gate closed."""
    if done.gate:
        raise typer.Exit(1)


def document_of(done: Run) -> dict[str, Any]:
    """A run as plain data."""
    return {
        "counts": done.counts,
        "gate": done.gate,
        "report": from_here(done.report) if done.report else None,
        "stages": [dataclasses.asdict(s) for s in done.stages],
        "store": from_here(done.store) if done.store else None,
        "summary": list(done.summary),
    }


def lines_of(done: Run) -> Iterator[str]:
    """A run as lines: one per stage with its notes, the summary, and the gate that closed."""
    for stage in done.stages:
        counts = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in stage.counts.items())
        what = "unchanged" if stage.state == "fresh" else duration(stage.seconds)
        yield f"{stage.name:<8} {what:<12} {counts}".rstrip()
        yield from (f"{'':<8} {note}" for note in stage.notes)
    if done.summary:
        yield ""
        yield from done.summary
    if done.gate:
        yield ""
        yield f"Stopped: {done.gate}"
