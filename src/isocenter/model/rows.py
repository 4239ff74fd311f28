"""The typed tables that stages hand to each other: one dataclass per table, its fields the columns.

Those of the index are in `isocenter.model.index_rows` and `isocenter.model.summary_rows`, and are offered here
beside the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.model.attributes import Attribute
from isocenter.model.index_rows import (
    AnnotationObject,
    FileRow,
    FrameRow,
    Instance,
    LayoutRow,
    Series,
    Stack,
)
from isocenter.model.summary_rows import Study, SubjectRow, ValueCount

__all__ = [
    "AgreementRow",
    "AnnotationObject",
    "CaseRow",
    "FileOutcome",
    "FileRow",
    "FrameRow",
    "Instance",
    "LabelState",
    "LayoutRow",
    "OpinionRow",
    "PerformanceRow",
    "PlannedAnnotation",
    "PlannedCase",
    "PlannedChannel",
    "PreviewRow",
    "Series",
    "Stack",
    "Study",
    "SubjectRow",
    "ValueCount",
    "VerdictRow",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """`screen/verdicts.parquet`: the verdict of one stack, the rule that decided, and who asks for it.

    `channels` are the channels of the cohort that want the stack; where none does, the stack was not judged.
    """

    target: str
    verdict: str
    reason: str = ""
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """`enrol/files.parquet`, and after the build `build/files.parquet`: the one state of every file.

    `state` is "used", "held", "excluded" or "ignored"; `reason` is the rule (held, excluded), the kind
    (ignored) or the role (used); `target` is the stack, case or annotation that decided.
    """

    file_id: str
    state: str
    reason: str
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAnnotation:
    """Where one annotation of a planned case is read from, and how its content maps to labels.

    `kind` is "contours", "mask", "boxes" or "labels"; `keys` name what is taken out of the file (ROI
    numbers, mask values), `labels` the label each of them stands for (same length). Boxes and class labels
    come from tables and are carried here: `boxes` six RAS+ millimetres each (lo xyz, hi xyz), flat; `searched` are
    the labels that were looked for, of which there is none where there is no box. Of a fractional segmentation a voxel
    is taken from the part `fraction` of its maximum on; of contours, where `by_area`, if half of it is inside.

    `covers` says what was looked at: "image", all of it; "slices", those alone on which something is marked; "marks",
    nothing but what is marked. `slices` names the slice (`Slice.instance`) that each key, box or state is on, where it
    speaks of that alone, and `searched_slices` all that were looked at: the rest of the image is then unknown.
    `points` are x, y, z and diameter (0 where there is none) in RAS+ millimetres, flat, of `labels`. `other_grid` and
    `accept` say what becomes of masks that do not lie on the voxels of their image. `registration` takes the millimetres
    (RAS+, row by row) of what was drawn in another frame of reference to those of the image; without one it is refused.
    """

    id: str
    kind: str
    format: str
    rater: str
    on: str = ""
    file_id: str = ""
    keys: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    boxes: tuple[float, ...] = ()
    searched: tuple[str, ...] = ()
    fraction: float = 0.5
    by_area: bool = False
    covers: str = "image"
    slices: tuple[str, ...] = ()
    searched_slices: tuple[str, ...] = ()
    points: tuple[float, ...] = ()
    other_grid: str = "review"
    accept: tuple[str, ...] = ()
    is_in_other_frame: bool = False
    registration: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChannel:
    """Which stack fills a channel of a planned case; `stack` is "" where an optional channel is missing."""

    name: str
    stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCase:
    """`enrol/cases.parquet`: one case to build; a rejected one, or one whose image is not clear, is not built.

    `reason` is the rule that decided a verdict other than keep; `settled` is what a person has accepted of it, as
    `isocenter.model.decision.as_seen` has it.
    """

    id: str
    subject: str
    site: str
    timepoint: str
    shard: int
    digest: str
    verdict: str
    reason: str
    bytes_estimated: int
    channels: tuple[PlannedChannel, ...]
    annotations: tuple[PlannedAnnotation, ...]
    partition: str = ""
    settled: tuple[str, ...] = ()

    @property
    def is_to_build(self) -> bool:
        """Whether there is something to build."""
        return self.verdict != "reject" and self.reason != "enrol/several-candidates"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelState:
    """What is known of one label in a case, and how much of it there is.

    `state` is "positive", "negative" (looked, none), "unknown" (nobody looked), "partial" (some of it is marked, or
    was looked for, and of the rest nothing is known) or "failed" (what was drawn could not be read, placed or trusted).
    `volume_ml` is that of the consensus, `count` the number of boxes, or of instances. The rest is of what raters drew, all of
    their drawings added up, so that three raters of one lesion count it three times: volume (`drawn_*_ml`) and
    connected pieces (26 neighbours) on the grids they drew on, and on the case's. Of `vanished` pieces no voxel is left, the largest had `vanished_ml`; `split` pieces fell apart,
    `merged` ones are made of several.
    """

    label: str
    state: str
    volume_ml: float = 0.0
    count: int = 0
    drawn_before_ml: float = 0.0
    drawn_after_ml: float = 0.0
    drawn_components_before: int = 0
    drawn_components_after: int = 0
    vanished: int = 0
    vanished_ml: float = 0.0
    split: int = 0
    merged: int = 0

    @property
    def is_there(self) -> bool | None:
        """Whether the case has the label, None where that is not known; what is marked in a part of it is there."""
        if self.state == "partial":
            return True if self.volume_ml or self.count else None
        return {"positive": True, "negative": False}.get(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """`build/cases.parquet` and `store/cases.parquet`: one row per packed case.

    `shape` and `spacing_mm` are (k, j, i); `statistics` one JSON object per channel; `digest` is that of the
    record's content, `plan` that of what it was made from (files by size and time), kept out of the store.
    `foregrounds` name what each channel's statistics were taken of, `histograms` hold how often its values occur
    and `backgrounds` those of all other valid voxels (bytes, see `isocenter.imaging.histogram_bytes`); all three are
    empty for a channel that is not there.
    """

    id: str
    subject: str
    site: str
    timepoint: str
    shard: int
    digest: str
    verdict: str
    channels: tuple[str, ...]
    shape: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    labels: tuple[LabelState, ...]
    raters: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    statistics: tuple[str, ...]
    pixel_digest: str
    units: tuple[str, ...] = ()
    partition: str = ""
    plan: str = ""
    foregrounds: tuple[str, ...] = ()
    histograms: tuple[bytes, ...] = ()
    backgrounds: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """`build/agreements.parquet`: agreement of two raters on one label of one case.

    Fields are those of `Agreement`; what was not measured, or is not defined, is None.
    """

    case: str
    label: str
    rater_a: str
    rater_b: str
    dice: float | None
    volume_a_ml: float
    volume_b_ml: float
    iou: float | None = None
    surface_dice: float | None = None
    hd95_mm: float | None = None
    f1: float | None = None
    lesions_a: int = 0
    lesions_b: int = 0
    lesions_matched: int = 0
    lowest_lesion_dice: float | None = None
    volume_difference_ml: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceRow:
    """`build/performances.parquet`: how good the consensus method takes one rater to be on one label of one case."""

    case: str
    label: str
    rater: str
    sensitivity: float
    specificity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionRow:
    """`build/opinions.parquet`: what one rater says of one label of one case.

    `state` is that of an annotation: marked, absent, not_annotated, partial or failed; `looked` the share of the case's
    voxels that the rater speaks of. `volume_ml`, `boxes`, `points` and `instances` are what was marked.
    """

    case: str
    label: str
    rater: str
    state: str
    looked: float = 1.0
    volume_ml: float = 0.0
    boxes: int = 0
    points: int = 0
    instances: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """`build/previews.parquet`: one plane of a case as 8-bit grey `image` and label `mask`, row by row.

    `plane` is "axial", "coronal" or "sagittal"; `pixel_mm` is the size of a picture pixel. Of a case that a person has
    to look at, `drawn` holds further masks of the same size, one after the other: each rater's own, or one that was not
    taken, where it would be if what is suspected of it were true; `drawn_by` says whose each is (with `?` behind the name
    where it was not taken). `through` is the voxel (k, j, i) in canonical order that all planes of the case go through.
    """

    case: str
    channel: str
    plane: str
    rows: int
    columns: int
    pixel_mm: tuple[float, ...]
    image: bytes
    mask: bytes
    drawn_by: tuple[str, ...] = ()
    drawn: bytes = b""
    through: tuple[int, ...] = ()
