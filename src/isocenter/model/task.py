"""Task, Label, Channel, Window: what is to be learned, and from what."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import Annotated

from isocenter.model.normalisation import Normalisation


class Task(enum.StrEnum):
    """What a network is to learn from the data set."""

    SEGMENTATION = "segmentation"
    DETECTION = "detection"
    CLASSIFICATION = "classification"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One entry of the vocabulary: its value in masks and the names it goes by in the sources."""

    value: Annotated[int, "value in the packed mask, from 1; 0 is background"] = 0
    aliases: Annotated[
        tuple[str, ...], "names it goes by in the sources, case does not matter, * and ? allowed"
    ] = ()
    code: Annotated[str, "coded concept as SCHEME:VALUE, e.g. SCT:39607008"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One image of a case: which stacks may fill it, and which of several is preferred."""

    modality: Annotated[str, "DICOM modality; for files that have none, the modality they are taken for"]
    path: Annotated[tuple[str, ...], "path templates (any source); empty: any path"] = ()
    where: Annotated[
        dict[str, str],
        "what must match a pattern: an attribute (convolution_kernel: B3*, echo_time_ms: 60..120, b_value, body_part, "
        "...), weighting (T1, T2, PD, FLAIR, STIR, DWI, ADC: by times and b-value, empty where these leave it open), "
        "format, path, image_type, slices, site, or the place in a set of several volumes: axis (time, b-value, echo, "
        "volume, ...) with axis_value as the headers give it (axis_value: '1000'; times in seconds) or with axis_index, "
        "which counts from 0",
    ] = field(default_factory=dict)
    prefer: Annotated[
        tuple[dict[str, str], ...],
        "ordered, each as where: the first entry that one candidate alone matches decides",
    ] = ()
    optional: Annotated[bool, "keep cases that lack this channel (it is filled with background)"] = False
    assume_registered: Annotated[
        str, "reason why this channel may be used although its frame of reference is another"
    ] = ""
    windows: Annotated[tuple[str, ...], "named windows applied at load, each one channel"] = ()
    normalise: Annotated[
        str,
        "how values are scaled at load where there are no windows: none, zscore, percentile, percentile:1-99, voi (the "
        "header's window of a radiograph), nyul or cohort (both fitted over the training part); empty: CT by its whole "
        "range, all else zscore",
    ] = ""

    def __post_init__(self) -> None:
        if not self.normalise:
            return
        if self.windows:
            raise ValueError("windows and normalise are two ways to scale a channel: name one of them")
        if Normalisation.of(self.normalise).kind == "window":
            raise ValueError("normalise: windows are named in windows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A named intensity window: centre and width in the unit of its modality, as DICOM PS3.3 C.11.2."""

    name: str
    centre: float
    width: float
    unit: str = "HU"
    function: str = "LINEAR_EXACT"
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContract:
    """The task with its labels, channels and reference channel: what a store's manifest keeps.

    Args:
        task: What is to be learned.
        labels: The vocabulary.
        channels: The images of a case.
        reference: The channel whose grid is that of the case.
        overlapping: Whether labels may overlap, so that each gets a mask of its own.
        instances: Whether every lesion of a label is told from the others, in a segmentation.
        connectivity: Neighbours by which voxels are of one piece: 6 (faces), 18 (and edges) or 26 (and corners).
        boxes_as_masks: Whether boxes are filled, in a segmentation: every voxel inside one is marked.
    """

    task: Task
    labels: dict[str, Label]
    channels: dict[str, Channel]
    reference: str
    overlapping: bool = False
    instances: bool = False
    connectivity: int = 26
    boxes_as_masks: bool = False

    def __post_init__(self) -> None:
        if self.connectivity not in {6, 18, 26}:
            raise ValueError("connectivity must be 6, 18 or 26")
        if self.task is not Task.SEGMENTATION and (self.instances or self.boxes_as_masks):
            raise ValueError("instances and boxes_as_masks are for the task segmentation")

    def stored(self) -> TaskContract:
        """What records depend on: the contract without the words that are read when they are loaded."""
        channels = {n: replace(c, windows=(), normalise="") for n, c in self.channels.items()}
        return replace(self, channels=channels)

    @property
    def mask_dtype(self) -> str:
        """uint8, or uint16 above 255."""
        return "uint8" if max((v.value for v in self.labels.values()), default=0) <= 255 else "uint16"
