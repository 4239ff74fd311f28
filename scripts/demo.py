"""Simulates an archive, runs the main job on it with real sample files beside it, and loads one batch."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nibabel
import pydicom.data
from torch.utils.data import DataLoader

import isocenter as iso
from isocenter.base.progress import Step
from isocenter.cli.commands.review import lines_of
from isocenter.pipeline.review import Waiting
from isocenter.testing.simulate import simulate

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "demo"
PATCH = (32, 64, 64)
LOW = "annotation/low-agreement"
KINDS = ("ct-rtstruct", "nifti-masks", "nrrd-masks", "mr", "pet")

CONFIG = """\
# The demo's cohort: three simulated centres, each with its own way of keeping data.
#
#   isocenter run demo/cohort.yaml                from the folders to a packed data set and its report
#   isocenter run demo/cohort.yaml --dry-run      what would come of it

task: segmentation

sources:
  - path: archive/site-a    # <-- YOUR OWN FOLDER HERE: DICOM images with RTSTRUCT contours, in any arrangement
    site: site-a
  # What follows belongs to the demo; take it out when you like.
  - path: archive/site-b
    site: site-b
    subject: {pattern: ["{subject}/*"]}
  - path: archive/site-c
    site: site-c
    subject: {pattern: ["{subject}/**"]}
  - path: PYDICOM
    site: samples-of-pydicom
  - path: NIBABEL
    site: samples-of-nibabel
    subject: {pattern: ["{subject}"]}

channels:
  ct:
    modality: CT
    path: ["**"]                # any file; one that names no modality (NIfTI, NRRD) is taken for CT
    where: {site: "site-*"}     # the sample files are looked at and accounted for, not taken

labels:
  lesion:
    value: 1
    aliases: ["GTV*", "*tum*", "*lesion*", "L\u00e4sion"]
  heart:
    value: 2
    aliases: [heart, herz, cor]

annotations:
  - kind: objects
    rater: "{reader}"
    path: "**/{reader}/*"
  - kind: masks
    rater: "reader{reader}"
    path: "{subject}/reader{reader}.nii.gz"
    image: "{subject}/ct.nii.gz"
  - kind: masks
    rater: "reader{reader}"
    path: "{subject}/reader{reader}-label.nrrd"      # its image is whichever has the same subject and grid

workspace: work
"""


def main() -> None:
    """Run all of it, and say where things are."""
    start = time.monotonic()
    config = prepare()
    run = iso.run(config, progress=tell)
    print("", *run.summary, sep="\n")
    if run.gate or run.store is None:
        sys.exit(f"Stopped: {run.gate}")
    print("\nOne of the cases that wait for a person:")
    print(*(f"  {line}" for line in lines_of([disagreed(run.workspace)], run.workspace)), sep="\n")
    print("\nOne batch:")
    for name, shape in first_batch(run.store).items():
        print(f"  {name:6} {shape}")
    line = next(n for n, text in enumerate(config.read_text().splitlines(), start=1) if "YOUR OWN" in text)
    shown = config.relative_to(ROOT)
    print(f"\nThe report to look at:  {shown.parent / 'work' / 'report.html'}")
    print(f"To use your own folder: put its path on line {line} of {shown}, then run")
    print(f"                        .venv/bin/isocenter run {shown}")
    print(f"All of this took {time.monotonic() - start:.0f} seconds.")


def prepare() -> Path:
    """The simulated archive and its config; what is there already stays as it is."""
    archive, config = FOLDER / "archive", FOLDER / "cohort.yaml"
    if not archive.exists():
        FOLDER.mkdir(exist_ok=True)
        part = FOLDER / "archive.part"
        simulate(part, patients=30, sites=3, kinds=KINDS, truth=FOLDER / "archive.truth.json")
        part.rename(archive)
    if not config.exists():
        samples = {
            "PYDICOM": Path(pydicom.data.__file__).parent / "test_files",
            "NIBABEL": Path(nibabel.__file__).parent / "tests" / "data",
        }
        text = CONFIG
        for name, path in samples.items():
            text = text.replace(name, str(path))
        config.write_text(text, encoding="utf-8")
    return config


def disagreed(workspace: Path) -> Waiting:
    """A case whose readers agree less than they should, but somewhat."""
    low = [w for w in iso.review(workspace) if any(i.rule == LOW for i in w.issues)]
    return max(low, key=lambda w: w.agreements[0].dice or 0.0)


def first_batch(store: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of what a network would be given first."""
    train = iso.dataset(store, "train", patch=PATCH, sampler="label")
    batch = next(iter(DataLoader(train, batch_size=4, collate_fn=train.collate)))
    return {name: tuple(value.shape) for name, value in batch.items() if hasattr(value, "shape")}


def tell(step: Step) -> None:
    """One line per stage, when it begins."""
    if step.done == 0:
        print(f"{step.stage} ...", flush=True)


if __name__ == "__main__":
    main()
