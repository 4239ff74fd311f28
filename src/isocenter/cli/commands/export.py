"""Write a store in the layout of nnU-Net, MONAI or plain NIfTI folders, with its split and its labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.console import from_here, show
from isocenter.cli.drawing import drawn
from isocenter.cli.flags import AsJson, Jobs
from isocenter.exports.export import Exported
from isocenter.exports.export import export as export_store

app = typer.Typer(add_completion=False)


@app.command()
def export(
    store: Annotated[Path, typer.Argument(help="Folder of a store, or a workspace that holds one.")] = Path(
        "work"
    ),
    *,
    to: Annotated[str, typer.Option("--to", metavar="LAYOUT", help="The layout: nnunet, monai or nifti.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FOLDER", help="Where to: a new or empty folder, or an earlier export."
        ),
    ],
    split: Annotated[str, typer.Option("--split", help="The split that divides the cases.")] = "default",
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME", help="A label to export, by default all; may be repeated."),
    ] = None,
    review: Annotated[
        str, typer.Option("--review", help="exclude or include the cases that wait for a decision.")
    ] = "exclude",
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Write a store in the layout of another tool, with its split and its labels.

    Voxels, geometry, label values and the parts of the split survive; what is not known is never written as
    background. An export that was stopped goes on where it was; a later one writes only what has changed.
    """
    with drawn() as progress:
        done = export_store(
            store, to=to, out=out, split=split, labels=label, review=review, jobs=jobs, progress=progress
        )
    document = asdict(done) | {"folder": from_here(done.folder.absolute())}
    show(document, lines_of(done), as_json=as_json)


def lines_of(done: Exported) -> Iterator[str]:
    """An export as lines: what every part holds, what was left out and why, and what one should know."""
    for part, count in done.cases.items():
        yield f"{part:<12}  {count:>8,} cases"
    total = sum(done.cases.values())
    there = f", {total - done.written:,} of the cases were there already" if done.written < total else ""
    yield f"{done.files:,} files, {done.bytes / 1e6:,.1f} MB in {from_here(done.folder.absolute())}{there}"
    for why, count in done.left_out.items():
        yield f"left out: {count:,} case{'s' * (count != 1)}: {why}"
    for note in done.notes:
        yield f"note: {note}"
