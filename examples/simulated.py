"""Simulated: archives made here, for the examples of detection and classification; no download, no patient."""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.packing import pack
from isocenter.testing.simulate import simulate


def arguments(about: str | None, work: str, epochs: int) -> argparse.Namespace:
    """What an example on a simulated archive is told: where to work, for how long."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--work", type=Path, default=Path("examples/work") / work, help="folder to work in")
    parser.add_argument("--epochs", type=int, default=epochs)
    return parser.parse_args()


def packed(config: str, work: Path, kind: str, *, patients: int) -> Path:
    """The packed cohort of a simulated archive, which is written where it is not there yet.

    Args:
        config: Text of the `cohort.yaml`, whose source is the folder `archive`.
        work: Folder to work in.
        kind: Part of the archive to simulate.
        patients: As many as a whole archive would have; a part has fewer.
    """
    archive = work / "archive"
    if not archive.exists():
        part = work / "archive.part"
        simulate(
            part,
            patients=patients,
            matrix=64,
            slices=24,
            kinds=(kind,),
            faults=False,
            truth=work / "archive.truth.json",
        )
        part.rename(archive)
    return pack(config, work)
