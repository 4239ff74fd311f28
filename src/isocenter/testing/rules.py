"""Run one rule in a test or doctest, on subjects that are clean until a change spoils them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.seeds import stream
from isocenter.model.annotation import Agreement, Annotation, Consensus
from isocenter.model.case import Case
from isocenter.model.grid import Grid
from isocenter.model.rows import LabelState, Series, Stack
from isocenter.model.split import Split, SplitRow
from isocenter.model.volume import Slice, Volume
from isocenter.rules import Rule
from isocenter.testing.audited import an_audited_split

POSITIONS_MM = (0.0, 2.5, 5.0, 7.5, 10.0)
SPACING_MM = (2.5, 0.8, 0.8)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnMask:
    """Voxels (K, J, I) that a rater marked, on whatever grid they are asked for."""

    array: NDArray[np.bool_]

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """The voxels as they are."""
        assert self.array.shape == grid.shape
        return self.array


def issues_of(rule: Rule[Any], subject: object, **options: Any) -> list[str]:
    """Messages that a rule yields for one subject."""
    return [issue.message for issue in rule(subject, **options)]


def a_series(**changes: Any) -> Series:
    """A series of one axial CT stack, complete and of one patient."""
    clean = Series(
        id="series-1",
        study="study-1",
        subject="subject-1",
        site="site-1",
        format="dicom",
        modality="CT",
        n_instances=5,
        n_stacks=1,
        burned_in_annotation="NO",
    )
    return replace(clean, **changes)


def a_stack(**changes: Any) -> Stack:
    """An axial CT stack of five slices; changed positions take files, shape and affine along."""
    positions = tuple(float(p) for p in changes.get("positions_mm", POSITIONS_MM))
    count = len(positions) or len(POSITIONS_MM)
    syntax = "1.2.840.10008.1.2.1"
    gaps = sorted(b - a for a, b in pairwise(positions))
    distance = gaps[len(gaps) // 2] if gaps else None
    spacing = (distance or SPACING_MM[0], *SPACING_MM[1:])
    clean = Stack(
        id="stack-1",
        series="series-1",
        study="study-1",
        subject="subject-1",
        site="site-1",
        source=0,
        timepoint="timepoint-1",
        format="dicom",
        modality="CT",
        files=tuple(f"file-{n}" for n in range(count)),
        frames=(0,) * count,
        instances=tuple(f"instance-{n}" for n in range(count)),
        shape=(count, 32, 32),
        spacing_mm=spacing,
        affine=tuple(float(v) for v in _affine(spacing).ravel()),
        orientation=(-1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
        positions_mm=positions,
        slice_distance_mm=distance,
        slice_thickness_mm=spacing[0],
        frame_of_reference="frame-1",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid=syntax,
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        photometric="MONOCHROME2",
        bits_allocated=16,
        bits_stored=12,
        dtype="int16",
        rescale_slopes=(1.0,),
        rescale_intercepts=(-1024.0,),
        burned_in_annotation="NO",
        all_bits_stored=(12,),
        all_signs=(1,),
        all_transfer_syntaxes=(syntax,),
        first_number=1,
        last_number=count,
        images_in_acquisition=count,
        n_in_series=count,
    )
    return replace(clean, **changes)


def an_enhanced(**changes: Any) -> Stack:
    """The same five slices as frames of one enhanced CT object, which are not in spatial order."""
    clean = a_stack(
        files=("file-0",) * 5,
        frames=(4, 2, 0, 1, 3),
        instances=("instance-0",) * 5,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2.1",
        image_type=("ORIGINAL", "PRIMARY", "VOLUME", "NONE"),
        multi_frame=True,
        last_number=1,
        images_in_acquisition=None,
    )
    return replace(clean, **changes)


def a_time_point(**changes: Any) -> Stack:
    """The second of three times at which five slices of MR were taken: one of three stacks of its group."""
    clean = a_stack(
        modality="MR",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
        image_type=("ORIGINAL", "PRIMARY", "M", "NONE"),
        rescale_slopes=(),
        rescale_intercepts=(),
        axis="time",
        axis_index=1,
        axis_count=3,
        axis_value=2.0,
        group="group-1",
        group_slices=(5, 5, 5),
        temporal_positions=3,
        first_number=6,
        last_number=10,
        images_in_acquisition=5,
        n_in_series=15,
    )
    return replace(clean, **changes)


def a_nifti(**changes: Any) -> Stack:
    """A NIfTI file of one volume with an sform, which knows no modality and no patient."""
    clean = a_stack(
        format="nifti",
        modality="",
        files=("file-0",),
        frames=(0,),
        instances=("file-0",),
        orientation=(),
        orientation_code="sform",
        positions_mm=(),
        slice_thickness_mm=None,
        slice_distance_mm=None,
        spacing_mm=SPACING_MM,
        sop_class_uid="",
        transfer_syntax_uid="",
        image_type=(),
        photometric="",
        bits_stored=None,
        rescale_slopes=(),
        rescale_intercepts=(),
        burned_in_annotation="",
        all_bits_stored=(),
        all_signs=(),
        all_transfer_syntaxes=(),
        first_number=None,
        last_number=None,
        images_in_acquisition=None,
        n_in_series=1,
    )
    return replace(clean, **changes)


def a_volume(array: NDArray[Any] | None = None, **changes: Any) -> Volume:
    """A CT volume (5, 32, 32): a noisy cylinder of soft tissue in air, or an array (K, J, I) of your own."""
    values = _body() if array is None else np.ascontiguousarray(array)
    clean = Volume(
        id="stack-1",
        array=values,
        grid=Grid((values.shape[0], values.shape[1], values.shape[2]), _affine(SPACING_MM)),
        unit="HU",
        modality="CT",
        slices=tuple(Slice(position_mm=n * SPACING_MM[0]) for n in range(values.shape[0])),
    )
    return replace(clean, **changes)


def an_annotation(mask: NDArray[np.bool_] | None = None, **changes: Any) -> Annotation:
    """What one rater marked: a small block, or a mask (K, J, I) of your own."""
    drawn = _lesion().astype(np.bool_) if mask is None else mask
    grid = Grid((drawn.shape[0], drawn.shape[1], drawn.shape[2]), _affine(SPACING_MM))
    clean = Annotation(
        id="annotation-1", concept="lesion", rater="rater-1", shape=DrawnMask(drawn), grid=grid
    )
    return replace(clean, **changes)


def a_consensus(*dice: float | None, **changes: Any) -> Consensus:
    """The consensus on one label; one agreement of two raters for each Dice given."""
    agreements = tuple(
        Agreement(label="lesion", raters=(f"rater-{n}", f"rater-{n + 1}"), dice=value, volumes_ml=(1.0, 1.0))
        for n, value in enumerate(dice, start=1)
    )
    clean = Consensus(masks={"lesion": _lesion().astype(np.bool_)}, method="majority", agreements=agreements)
    return replace(clean, **changes)


def a_case(**changes: Any) -> Case:
    """A case of one CT channel with one small lesion inside the body."""
    clean = Case(
        id="case-1",
        subject="subject-1",
        site="site-1",
        timepoint="timepoint-1",
        image=_body()[np.newaxis],
        channels=("ct",),
        units=("HU",),
        modalities=("CT",),
        grid=Grid((5, 32, 32), _affine(SPACING_MM)),
        mask=_lesion(),
        labels=(LabelState(label="lesion", state="positive", volume_ml=0.04, count=1),),
    )
    return replace(clean, **changes)


def a_row(subject: str, partition: str, **changes: Any) -> SplitRow:
    """One subject of one centre in one partition."""
    return replace(SplitRow(subject=subject, site="site-1", partition=partition), **changes)


def a_split(*rows: SplitRow, **changes: Any) -> Split:
    """A split: thirty subjects of two centres, the second only in the test part, or rows of your own."""
    clean = Split(
        strategy="site-holdout",
        seed=0,
        fractions={"train": 0.7, "val": 0.1, "test": 0.2},
        rows=rows or tuple(_thirty()),
    )
    return replace(clean, **changes)


def clean_subjects() -> list[object]:
    """One clean subject, at least, of every noun that a rule may look at."""
    return [
        a_series(),
        a_stack(),
        an_enhanced(),
        a_time_point(),
        a_nifti(),
        a_volume(),
        an_annotation(),
        a_consensus(),
        a_consensus(0.9, None),
        a_case(),
        a_split(),
        an_audited_split(),
    ]


def _thirty() -> list[SplitRow]:
    parts = ["train"] * 21 + ["val"] * 3 + ["test"] * 6
    return [
        a_row(
            f"subject-{n}",
            part,
            site="site-2" if n >= 28 else "site-1",
            labels=("lesion",) if n % 2 else (),
            cases=(f"case-{n}",),
        )
        for n, part in enumerate(parts)
    ]


def _affine(spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """LPS axial planes, bottom to top, in RAS+."""
    k, j, i = spacing_mm
    return np.diag([-i, -j, k, 1.0])


def _body() -> NDArray[np.int16]:
    noise = stream(0, "a volume").normal(0.0, 10.0, (5, 32, 32))
    j, i = np.mgrid[:32, :32] - 15.5
    tissue = np.where(np.hypot(j, i) < 10, 40.0, -100.0)
    return np.rint(np.where(np.hypot(j, i) < 13, tissue, -1000.0) + noise).astype(np.int16)


def _lesion() -> NDArray[np.uint8]:
    mask = np.zeros((5, 32, 32), np.uint8)
    mask[1:4, 14:18, 14:18] = 1
    return mask
