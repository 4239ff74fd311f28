"""Draw what a policy of augmentation does to your own cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.console import from_here, show
from isocenter.cli.flags import AsJson
from isocenter.pipeline.preview import preview as preview_of

app = typer.Typer(add_completion=False)


@app.command()
def preview(
    workspace: Annotated[Path, typer.Argument(help="A workspace that holds a store, or a store.")] = Path(
        "work"
    ),
    *,
    augment: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="The policy as YAML: rotation_deg, mirror, elastic_mm, contrast, ..."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The page; preview.html in the workspace unless given."),
    ] = None,
    cases: Annotated[int, typer.Option(min=1, help="How many training cases.")] = 4,
    draws: Annotated[int, typer.Option(min=1, help="How often for each.")] = 3,
    split: Annotated[str, typer.Option(help="Name of the split.")] = "default",
    fold: Annotated[int | None, typer.Option(help="Of a split into folds, the one left out.")] = None,
    seed: Annotated[int, typer.Option(help="Where chance starts.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Draw what a policy of augmentation does to patches of real cases, each before and after, on one page.

    The policy is bound by the same limits as in training: what is beyond them is refused with the reason.
    """
    page = preview_of(
        workspace, augment, out=out, cases=cases, draws=draws, split=split, fold=fold, seed=seed
    )
    show({"page": str(page)}, [f"preview: {from_here(page.absolute())}"], as_json=as_json)
