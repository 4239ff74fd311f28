"""Planted copies: how many of them are found, and how many pairs are found that are none."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isocenter.base import seeds
from isocenter.imaging.descriptor import Descriptor, descriptor_of
from isocenter.model.grid import Grid
from isocenter.pipeline.read import read
from isocenter.stages.audit.near_duplicates import pairs
from isocenter.testing.copies import LISTED, Image
from isocenter.testing.simulate import phantom
from isocenter.testing.simulate.builds import individual
from isocenter.testing.simulate.lattice import AXIAL, Lattice

# Below the threshold of any search, so that one run tells what every threshold would find.
_LOWEST = 0.4
_FIELD_MM = 380.0
_OTHERS = (
    "ct_chest_CPTAC-LSCC_C3N-00247",
    "mr_prostatex_0000/t2_tra",
    "mr_prostatex_0000/adc",
    "nifti_image_mask/example_ct_sm.nii.gz",
    "nifti_image_mask/example_mr_sm.nii.gz",
    "seg_nrrd_ct/CTChest4.nrrd",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found of one kind of copy.

    Args:
        kind: What was done to the copies.
        true: Score of every planted pair, 0 where it was not found.
        false: Scores of all pairs of two people.
        named: The strongest of these, by name.
        seconds: Wall time of the search.
    """

    kind: str
    true: tuple[float, ...]
    false: tuple[float, ...]
    named: tuple[str, ...]
    seconds: float


def simulated(
    number: int, *, contrast: str = "hu", shape: tuple[int, int, int] = (24, 80, 80), slice_mm: float = 5.0
) -> Image:
    """A simulated person, of a build of his own."""
    stream = seeds.stream(0, "descriptor", number)
    pixel = _FIELD_MM / shape[1]
    anatomy = phantom.patient(
        stream,
        lesions=int(stream.integers(0, 3)),
        steps_mm=(pixel, pixel, slice_mm),
        coverage_mm=(_FIELD_MM, _FIELD_MM, slice_mm * shape[0]),
    )
    anatomy = individual(anatomy, stream)
    lattice = Lattice.around(anatomy.middle, AXIAL, (slice_mm, pixel, pixel), shape)
    noise = 14.0 if contrast == "hu" else 8.0
    values = phantom.image(anatomy, lattice, stream, contrast=contrast, noise=noise)
    return values, Grid(shape, lattice.affine_ras())


def radiograph(number: int) -> Image:
    """A frontal view of a simulated person."""
    stream = seeds.stream(0, "descriptor", number)
    anatomy = phantom.patient(
        stream, lesions=int(stream.integers(0, 3)), steps_mm=(2, 2, 2), coverage_mm=(380, 380, 380)
    )
    values = phantom.radiograph(individual(anatomy, stream), stream, spacing_mm=1.5, shape=(256, 256))
    return values[None], Grid((1, 256, 256), np.diag([1.5, 1.5, 1.5, 1.0]), is_oriented=False)


def real(root: Path) -> dict[str, Image]:
    """CT, PET and MR of twelve patients, and other volumes beside them, by name."""
    patients = sorted((root / "rtstruct_ct_pet_mr_IBSI" / "dicom").iterdir())
    places = {f"{p.name} {m}": p / m for p in patients for m in ("CT", "PET", "MR_T1")}
    places |= {place: root / place for place in _OTHERS}
    volumes = {name: read(place).volume for name, place in places.items()}
    return {name: (v.array, v.grid) for name, v in volumes.items() if v is not None}


def planted(images: Mapping[str, Image], copied: Sequence[str], *, jobs: int = 1) -> list[Found]:
    """Copy some images in every listed way, and look for the copies among all images.

    Args:
        images: Images of as many people, or of one person by as many modalities.
        copied: Names of those that are copied.
        jobs: Threads.
    """
    known = {name: descriptor_of(*image) for name, image in images.items()}
    return [_searched(kind, known, images, copied, jobs) for kind in LISTED]


def _searched(
    kind: str,
    known: Mapping[str, Descriptor],
    images: Mapping[str, Image],
    copied: Sequence[str],
    jobs: int,
) -> Found:
    copying: Callable[..., Image] = LISTED[kind]
    both = {**known, **{f"{n} copy": descriptor_of(*copying(*images[n])) for n in copied}}
    start = time.perf_counter()
    found = pairs(both, alike=_LOWEST, jobs=jobs)
    seconds = time.perf_counter() - start
    scores = {(p.a, p.b): p.score for p in found}
    wanted = {(n, f"{n} copy") for n in copied}
    false = sorted(((s, p) for p, s in scores.items() if p not in wanted), reverse=True)
    return Found(
        kind=kind,
        true=tuple(scores.get(pair, 0.0) for pair in sorted(wanted)),
        false=tuple(s for s, _ in false),
        named=tuple(f"{a} / {b}" for _, (a, b) in false[:3]),
        seconds=seconds,
    )


def at(found: Sequence[Found], threshold: float) -> tuple[float, float]:
    """Recall and precision over some kinds at a threshold; nothing found is nothing wrong."""
    true = sum(s >= threshold for f in found for s in f.true)
    false = sum(s >= threshold for f in found for s in f.false)
    return true / sum(len(f.true) for f in found), true / (true + false) if true + false else 1.0
