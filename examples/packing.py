"""Packing: from folders of images to a data set, the first step of every example."""

from __future__ import annotations

from pathlib import Path

import isocenter as iso
from isocenter.base.progress import Step


def pack(config: str, folder: Path) -> Path:
    """Write a config, run it, and return where the packed data set is; nothing is done twice.

    Args:
        config: Text of the `cohort.yaml`.
        folder: Where to work; made where it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cohort.yaml"
    path.write_text(config, encoding="utf-8")
    run = iso.run(path, until="split", progress=tell)
    if run.gate or run.store is None:
        raise SystemExit(f"Stopped: {run.gate}")
    print(f"{run.counts['cases_packed']} cases in {run.store}")
    return run.store


def tell(step: Step) -> None:
    """One line per stage, when it begins."""
    if step.done == 0:
        print(f"{step.stage} ...", flush=True)
