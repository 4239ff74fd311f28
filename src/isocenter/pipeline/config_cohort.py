"""CohortConfig: everything that a run is told, as frozen dataclasses with a help text on every field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from isocenter.executors.options import ExecutorOptions
from isocenter.model.task import Channel, Label, Task, TaskContract
from isocenter.rules.select import ScreenOptions
from isocenter.stages.build.options import AgreementOptions, Standardise
from isocenter.stages.enrol.options import AnnotationSource, CaseUnit, StoreOptions
from isocenter.stages.index.options import ReadingOptions, Source
from isocenter.stages.split.options import SplitOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortConfig:
    """What is to be learned, from which folders, and how they become a packed data set."""

    name: Annotated[str, "name of the data set"] = "cohort"
    task: Annotated[Task, "what is to be learned: segmentation, detection or classification"]
    sources: Annotated[tuple[Source, ...], "folders to read"]
    reading: Annotated[
        ReadingOptions, "how files are read: copies by content, and what a header may cost"
    ] = field(default_factory=ReadingOptions)
    channels: Annotated[dict[str, Channel], "images of a case, by name"]
    reference: Annotated[str, "channel whose grid all others are put on; empty: the first"] = ""
    labels: Annotated[dict[str, Label], "what is to be found, by name"] = field(default_factory=dict)
    unit: Annotated[
        CaseUnit,
        "what one case is: patient, study (one per subject and date), series, side (of a study) or image",
    ] = CaseUnit.STUDY
    overlapping: Annotated[
        bool, "segmentation: labels may overlap, each gets a mask of its own; false: a voxel has one label"
    ] = False
    instances: Annotated[
        bool, "segmentation: the lesions of a label are told apart, each by a number of its own"
    ] = False
    connectivity: Annotated[
        int, "neighbours by which voxels are of one lesion: 6 (faces), 18 (and edges) or 26 (and corners)"
    ] = 26
    boxes_as_masks: Annotated[bool, "segmentation: boxes are filled, every voxel in one is marked"] = False
    annotations: Annotated[tuple[AnnotationSource, ...], "where annotations come from"] = ()
    screen: Annotated[ScreenOptions, "which rules run, and what becomes of what they find"] = field(
        default_factory=ScreenOptions
    )
    standardise: Annotated[Standardise, "the grid and the values of every packed volume"] = field(
        default_factory=Standardise
    )
    agreement: Annotated[AgreementOptions, "how several raters are compared and fused"] = field(
        default_factory=AgreementOptions
    )
    split: Annotated[SplitOptions, "how subjects are divided"] = field(default_factory=SplitOptions)
    store: Annotated[StoreOptions, "how the packed data set is laid out"] = field(
        default_factory=StoreOptions
    )
    executor: Annotated[ExecutorOptions, "where work runs"] = field(default_factory=ExecutorOptions)
    seed: Annotated[int, "seed of everything that is drawn by lot"] = 0
    workspace: Annotated[str, "folder for tables, store and report, relative to this file"] = "work"
    key: Annotated[str, "secret.key of another workspace whose pseudonyms are to be used again"] = ""


def contract_of(config: CohortConfig) -> TaskContract:
    """The task with its labels, channels and reference channel: what a store's manifest keeps."""
    return TaskContract(
        task=config.task,
        labels=config.labels,
        channels=config.channels,
        reference=config.reference or next(iter(config.channels)),
        overlapping=config.overlapping,
        instances=config.instances,
        connectivity=config.connectivity,
        boxes_as_masks=config.boxes_as_masks,
    )
