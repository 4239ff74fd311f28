"""Reasons: the issues that stages and readers raise themselves, each with its severity and what to do.

Catalogue rules check a thing that exists; a reason says why a thing could not come to exist, or what
became of a file that is no image. Both end up in the same table of issues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isocenter.model.issue import Issue, Severity

_NOTE, _REVIEW, _REJECT = Severity.NOTE, Severity.REVIEW, Severity.REJECT


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was not used: how grave it is, what it means, and what a person can do."""

    severity: Severity
    meaning: str
    what_to_do: str


REASONS: dict[str, Reason] = {
    "file/unreadable": Reason(_REJECT, "The file cannot be opened.", "Check permissions and the disk."),
    "file/empty": Reason(_REJECT, "The file has no bytes.", "Copy it again from its source."),
    "file/truncated": Reason(
        _REJECT, "The file ends before its header says it should.", "Copy it again from its source."
    ),
    "file/corrupt": Reason(
        _REJECT, "The file's structure or check sum is broken.", "Copy it again from its source."
    ),
    "file/unsupported": Reason(
        _REJECT, "The file is of a kind that cannot be read here.", "Convert it, or see the formats page."
    ),
    "file/too-large": Reason(
        _REJECT, "The content is larger than the limit for one file.", "Check that the file is what it says."
    ),
    "file/limit": Reason(
        _REJECT,
        "The header reached a limit: elements, depth, items, length of a value, bytes or seconds.",
        "Check the file; if it is sound, raise the limit (limits.*).",
    ),
    "file/decoder-died": Reason(
        _REJECT,
        "The decoder of the compressed pixels died of them, twice.",
        "Copy it again from its source; if the file is sound, please report it.",
    ),
    "file/outside": Reason(
        _REJECT,
        "The header names a file outside its own folder, or one that is no regular file.",
        "Put the data beside the header.",
    ),
    "file/encrypted": Reason(_REJECT, "The content is encrypted.", "Decrypt it first."),
    "file/several-volumes": Reason(
        _REJECT,
        "The file holds several volumes or layers where one is read.",
        "Split it into single volumes.",
    ),
    "file/changed": Reason(
        _REJECT, "The file changed between being indexed and being read.", "Run again when it is at rest."
    ),
    "file/reader-failed": Reason(
        _REJECT, "The reader stopped on this file for a reason it did not foresee.", "Please report it."
    ),
    "file/not-an-image": Reason(
        _NOTE,
        "Files that are no images were left out.",
        "Nothing; if they should be images, copy them again from their source.",
    ),
    "index/foreign-preamble": Reason(
        _NOTE,
        "The bytes in front of the DICOM header are the beginning of another kind of file.",
        "Nothing: they are never read or written. If they are those of a program, find out who put them there.",
    ),
    "index/duplicate-object": Reason(
        _NOTE, "The same object was found twice; one copy is used.", "Nothing, or remove the copy."
    ),
    "index/conflicting-object": Reason(
        _REJECT, "Two files claim one SOP Instance UID but differ.", "Find out which one is right."
    ),
    "index/duplicate-pixels": Reason(
        _NOTE,
        "Another file has the same pixels at the same place in the same units; one of them is used.",
        "Nothing, or remove the copy.",
    ),
    "index/same-pixels": Reason(
        _REVIEW,
        "The same pixel data occur under another SOP Instance UID.",
        "Find out whether it is a copy; keep its subject on one side of the split.",
    ),
    "index/shared-subject": Reason(
        _REVIEW,
        "One ID carries several names, birth dates or sexes: it may stand for several people.",
        "Set sources[].subject to a tag, pattern or table that tells people apart.",
    ),
    "index/no-subject": Reason(
        _REJECT,
        "No subject could be found for this file.",
        "Set sources[].subject to a tag, pattern or table.",
    ),
    "index/series-split": Reason(
        _NOTE, "One series held several stacks; they were separated.", "Nothing: each stack is judged alone."
    ),
    "index/no-series-uid": Reason(
        _REVIEW,
        "The files name no series; those of one folder that fit together were taken as one.",
        "Check that the folder holds one examination, or restore the Series Instance UIDs.",
    ),
    "index/time-by-number": Reason(
        _NOTE,
        "Slices repeat and nothing but Instance Numbers, which run evenly, tells their times apart; the headers"
        " speak of as many.",
        "Nothing, or compare the number of times with what the scanner was set to.",
    ),
    "index/unconfirmed-time-by-number": Reason(
        _REVIEW,
        "Slices repeat and were taken as times in the order of Instance Numbers, which no other attribute confirms.",
        "Compare the number of times with what the scanner was set to; they may be something else than times.",
    ),
    "index/contradicting-attributes": Reason(
        _REJECT,
        "Slices repeat, and attributes that should tell them apart contradict each other.",
        "Find out which of the attributes is right at the slices that differ, and correct the other at the source.",
    ),
    "index/lost-slices": Reason(
        _REVIEW, "Files of this series could not be used, so slices may be missing.", "Copy the series again."
    ),
    "enrol/not-wanted": Reason(
        _NOTE, "No channel of the cohort asks for this image.", "Add a channel, or leave it."
    ),
    "enrol/not-preferred": Reason(
        _NOTE,
        "Another candidate for the channel was preferred.",
        "Change channels.*.prefer to choose otherwise.",
    ),
    "enrol/several-candidates": Reason(
        _REVIEW,
        "Several images fit one channel and nothing says which.",
        "Add channels.*.prefer; of one set in time, echo or b-value name a volume: where: {axis_index: '0'}.",
    ),
    "enrol/missing-channel": Reason(
        _REJECT, "A case lacks one of the channels.", "Add the data, or mark the channel as optional."
    ),
    "enrol/other-frame-of-reference": Reason(
        _REJECT,
        "A channel lies in another frame of reference than the case's reference image.",
        "Register the images, or set channels.*.assume_registered with its reason.",
    ),
    "enrol/no-annotation": Reason(
        _REJECT, "Nothing was annotated on this image.", "Add the annotation, or set annotations[].absent."
    ),
    "enrol/annotation-of-nothing": Reason(
        _NOTE,
        "This annotation belongs to no image of the cohort.",
        "Nothing, if it was drawn on an image that no channel asks for; else check its references or the template.",
    ),
    "enrol/ambiguous-annotation": Reason(
        _REVIEW, "This annotation fits several images.", "Name the image by a path template."
    ),
    "enrol/unreadable-annotation": Reason(
        _REVIEW, "An annotation of this image cannot be read.", "Export it again."
    ),
    "enrol/unmapped-label": Reason(
        _NOTE, "A label is not in the vocabulary.", "Add it to labels.*.aliases, or leave it out on purpose."
    ),
    "enrol/same-label-twice": Reason(
        _REVIEW,
        "One label was marked in two files by nobody who is named.",
        "Set annotations[].rater if they are two readers.",
    ),
    "index/conflicting-attribute": Reason(
        _NOTE,
        "An attribute of the subject has two values.",
        "Correct the header; the image's own value is used.",
    ),
    "enrol/no-image": Reason(
        _NOTE, "Rows of a table name no image of the cohort.", "Check the key column and its values."
    ),
    "read/other-grid": Reason(
        _REJECT, "A mask lies on another grid than its image.", "Export it on the image's grid."
    ),
    "read/grid-rounding": Reason(
        _NOTE, "A mask's header differs from its image's by rounding; the image's grid is used.", "Nothing."
    ),
    "read/grid-reordered": Reason(
        _NOTE,
        "A mask was stored in another axis order; its voxels were put in the image's order.",
        "Nothing.",
    ),
    "read/no-volume": Reason(
        _NOTE, "Points and open contours make no volume and were left out.", "Nothing, or close the contours."
    ),
    "read/contours-left-out": Reason(
        _NOTE,
        "Contours were left out of the mask: they fit no slice of the image, lie outside it, or repeat another.",
        "Look at the picture; export the structure set again if they are missed.",
    ),
    "read/contours-cut": Reason(
        _NOTE,
        "Contours were cut at the border of the image, or hold no voxel's centre.",
        "Nothing, or crop less.",
    ),
    "read/contours-overlap": Reason(
        _NOTE,
        "Contours of one structure cross in a plane; what they share counts as outside.",
        "Look at the picture.",
    ),
    "read/contour-gaps": Reason(
        _NOTE,
        "Slices between contours have none; nothing was filled in there.",
        "Nothing, or interpolate where the contours were drawn.",
    ),
    "read/not-a-label-map": Reason(
        _REJECT, "A mask's values are not those of a label map.", "Export the labels as whole numbers."
    ),
    "read/bits": Reason(
        _REVIEW, "Stored values lie beyond the bits that the header says are used.", "Look at the picture."
    ),
    "read/values": Reason(
        _REJECT, "The voxel values cannot be brought to their unit.", "Check the rescale tags."
    ),
    "read/decoders-disagree": Reason(
        _REJECT,
        "Two independent decoders read different values from one compressed frame.",
        "Copy it again from its source; if the file is sound, please report it.",
    ),
    "read/box-outside": Reason(
        _REVIEW, "A box lies outside its image.", "Check the axes of the table (LPS or RAS) and its image."
    ),
    "read/saturated": Reason(
        _REVIEW, "Values beyond 16-bit integers were set to the nearest end.", "Check the rescale tags."
    ),
    "read/clipped": Reason(
        _NOTE, "Values beyond the HU range were clipped.", "Set standardise.hu_range: null to keep them."
    ),
    "read/padding-masked": Reason(
        _NOTE, "Padding voxels were masked before the values were brought to their unit.", "Nothing."
    ),
    "read/resampled-gaps": Reason(
        _NOTE,
        "Slices were interpolated onto even spacing; the slice table marks those that are synthetic.",
        "Nothing, if that is what standardise.gaps or uneven was set for; masks hold nothing on slices that nobody saw.",
    ),
    "read/resampled-tilt": Reason(
        _NOTE, "Slices of a tilted gantry were brought onto a rectangular grid.", "Nothing."
    ),
    "read/too-many-gaps": Reason(
        _REJECT,
        "More slices are missing than are there: most of the volume would be made up.",
        "Fetch the missing images, or look for two acquisitions in one series.",
    ),
    "read/overlay-bits": Reason(
        _NOTE,
        "An overlay lay in bits of the pixels that hold no value; it was taken out before the values were used.",
        "Nothing; it may show text or drawings that were made on the picture.",
    ),
    "read/monochrome1-kept": Reason(
        _NOTE,
        "The picture is to be shown inverted (MONOCHROME1); its values have a meaning and were left as they are.",
        "Nothing.",
    ),
    "read/inverted": Reason(
        _NOTE, "A MONOCHROME1 radiograph was inverted in its stored range.", "Nothing: bright is dense again."
    ),
    "read/label-intent": Reason(
        _NOTE, "The header says that the values are labels; they are read as an image.", "Nothing."
    ),
    "read/left-handed": Reason(
        _NOTE,
        "The axes of the file are those of a mirror; its affine says so, and voxels lie where it puts them.",
        "Nothing, if what reads the data uses the affine.",
    ),
    "read/measurement-frame": Reason(
        _NOTE,
        "The header turns vectors by a measurement frame; an image of numbers has none.",
        "Nothing; apply it to gradient directions that are kept beside the image.",
    ),
    "read/singleton-axis": Reason(_NOTE, "Axes of length one beyond the third were dropped.", "Nothing."),
    "read/trailing-bytes": Reason(
        _NOTE,
        "There are bytes behind the last voxel that the header does not account for.",
        "Nothing where they are zeros; else check the sizes of the axes.",
    ),
    "read/two-affines": Reason(
        _REVIEW,
        "The header holds two affines that place the image differently; the sform is used.",
        "Find out which one is right and write it to both.",
    ),
    "read/uncounted-axes": Reason(
        _REVIEW,
        "The header gives lengths of more axes than it says there are.",
        "Check the sizes of the axes at the source.",
    ),
    "read/unit-assumed": Reason(
        _NOTE,
        "The header does not give lengths in a unit that is known; millimetres are assumed.",
        "Compare the voxel size with the protocol.",
    ),
    "read/unit-converted": Reason(_NOTE, "Lengths of the header were converted to millimetres.", "Nothing."),
    "read/voxel-sizes": Reason(
        _REVIEW,
        "The voxel sizes of the header contradict its affine, which is used.",
        "Find out which is right: other tools use the sizes.",
    ),
    "read/voxel-type": Reason(
        _REVIEW,
        "The header gives voxels another number of bits than its data type has; the type is used.",
        "Compare the values with what another tool shows.",
    ),
    "build/too-large": Reason(
        _REJECT, "The packed arrays of the case are larger than allowed.", "Raise standardise.max_case_bytes."
    ),
    "split/source-divided": Reason(
        _REVIEW,
        "The source puts a subject, or subjects that belong together, in several partitions; all went to one.",
        "Correct the source; results on its own partitions cannot be trusted.",
    ),
    "audit/same-images-apart": Reason(
        _REJECT,
        "Images in different partitions are equal voxel by voxel.",
        "Keep them together: they may be one person under two names.",
    ),
    "audit/same-images": Reason(
        _NOTE,
        "Two subjects of one partition have images that are equal voxel by voxel.",
        "Find out whether they are one person under two names.",
    ),
    "build/tied-labels": Reason(
        _REVIEW, "As many raters say yes as no; the label is unknown.", "Ask another rater."
    ),
    "build/failed": Reason(
        _REJECT, "Building this case met a condition that was not foreseen.", "Please report it; see the log."
    ),
    "build/worker-died": Reason(
        _REJECT,
        "The process that built this case was killed.",
        "Look for the system's out-of-memory messages.",
    ),
    "split/kept-places": Reason(
        _REVIEW,
        "The options of the split were changed, but all subjects keep the places of an earlier split.",
        "Set split.append_only: false to divide all subjects anew, or change the options back.",
    ),
    "enrol/other-subject": Reason(
        _REVIEW,
        "An annotation refers to the image of another subject than its own header names.",
        "Find out whose annotation it is; correct the Patient ID or the references.",
    ),
    "enrol/several-regions": Reason(
        _REVIEW,
        "Several regions of one file fit a pattern of one label; they are united.",
        "Name each region that is meant in labels.*.aliases, in full, or narrow the pattern.",
    ),
    "enrol/unknown-value": Reason(
        _NOTE,
        "Fields of a table are neither yes nor no, nor empty; they count as unknown.",
        "Write 1 or 0 (yes, no), and leave the field empty where it is not known.",
    ),
}


def because(
    reason: str, *, message: str = "", target: str = "", severity: Severity | None = None, **facts: Any
) -> Issue:
    """An issue for one of the `REASONS`; its severity is the reason's unless said otherwise."""
    known = REASONS[reason]
    texts = {k: "" if v is None else str(v) for k, v in facts.items()}
    return Issue(
        rule=reason,
        target=target,
        severity=severity or known.severity,
        message=message or known.meaning,
        **texts,
    )
