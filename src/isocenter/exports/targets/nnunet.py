"""nnU-Net raw data sets (version 2): imagesTr, labelsTr, imagesTs, dataset.json, and the split as splits_final.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from isocenter.base.errors import ConfigError
from isocenter.exports.regions import Regions, regions_of
from isocenter.exports.selected import Selected, SelectedCase
from isocenter.exports.tables import attributes_table, cases_table
from isocenter.exports.target import CaseFile, Content, Labels, Plan, Survey
from isocenter.model.normalisation import Normalisation
from isocenter.model.split import Partition
from isocenter.model.task import Channel, Task
from isocenter.stores.layout import affine_of

_ENDING = ".nii.gz"
# Names of channels by which nnU-Net chooses how their values are scaled; any other gets the z-score.
_SCHEMES = {"ct", "nonorm", "zscore", "rescale_to_0_1", "rgb_to_0_1"}
_RESERVED = ("background", "ignore")
_USELESS = (
    "in no voxel is it known what is there, as nobody looked for some label (name the others with --label)"
)
# Three digits and a name (nnU-Net's documentation/dataset_format.md).
_FOLDER = re.compile(r"Dataset\d{3}_.+", re.ASCII)
# Cosines between the axes of a grid beyond which ITK refuses it.
_MOST_SHEAR = 1e-4


def plan(selected: Selected, survey: Survey) -> Plan:
    """Files of a raw data set; `ignore` is where it is not known what is there, if that is anywhere."""
    _check(selected)
    regions = _regions(selected, survey)
    left_out = {c.row.id: _USELESS for c in selected.cases if not c.is_test and not _is_known(selected, c)}
    cases = [c for c in selected.cases if c.row.id not in left_out]
    training = [c for c in cases if not c.is_test]
    if not training:
        raise ConfigError(
            "nnU-Net needs cases to train on: all cases are in the test part, or in no voxel of them is known what is there"
        )
    ignore = len(regions.values) + 1 if any(c.not_known for c in cases) else 0
    folds = list(_folds(selected, training))
    documents = {
        "dataset.json": _text(
            _dataset(selected, regions, training, ignore, is_sheared=_is_sheared(selected, cases))
        ),
        "cases.csv": cases_table(replace(selected, cases=tuple(cases))),
        "attributes.csv": attributes_table(replace(selected, cases=tuple(cases))),
    }
    if folds:
        documents["splits_final.json"] = _text(folds)
    return Plan(
        files={c.row.id: tuple(_files(selected, c, regions, ignore)) for c in cases},
        documents=documents,
        folders=("imagesTr", "labelsTr", *(["imagesTs", "labelsTs"] if len(training) < len(cases) else [])),
        left_out=left_out,
        notes=tuple(_notes(selected, cases, ignore, has_folds=bool(folds))),
    )


def _check(selected: Selected) -> None:
    contract = selected.contract
    if contract.task is not Task.SEGMENTATION:
        raise ConfigError(
            f"nnU-Net learns to segment, and this is a {contract.task.value}: export to monai or nifti"
        )
    if not selected.labels:
        raise ConfigError("nothing is known of any label: there is nothing that nnU-Net could learn")
    if taken := [n for n in selected.labels if n.lower() in _RESERVED]:
        raise ConfigError(f"the label {taken[0]!r} has a name that nnU-Net keeps for itself")
    if selected.folder and not _FOLDER.fullmatch(selected.folder):
        raise ConfigError(
            f"nnU-Net finds a data set by the name of its folder: call it DatasetNNN_Name, as Dataset101_Lung, "
            f"not {selected.folder!r}"
        )


def _regions(selected: Selected, survey: Survey) -> Regions:
    """Values of the labels, which nnU-Net wants to be 1, 2, 3, ..."""
    found: frozenset[Labels] = frozenset((n,) for n in selected.labels)
    return regions_of(selected.labels, survey() if selected.contract.overlapping else found)


def _is_known(selected: Selected, case: SelectedCase) -> bool:
    """Whether a label map of a case would hold anything but `ignore`.

    A label that nobody looked for may be in every voxel; of labels that exclude each other, in every voxel that has
    none of a higher value.
    """
    above = False
    for label in reversed(selected.labels):
        if case.states[label] not in {"positive", "negative", "partial"} and not above:
            return False
        is_there = case.states[label] in {"positive", "partial"}
        above = not selected.contract.overlapping and (above or is_there)
    return True


def _files(selected: Selected, case: SelectedCase, regions: Regions, ignore: int) -> Iterator[CaseFile]:
    part = "Ts" if case.is_test else "Tr"
    for number, channel in enumerate(selected.contract.channels):
        path = f"images{part}/{case.name}_{number:04}{_ENDING}"
        yield CaseFile(path=path, content=Content.IMAGE, name=channel)
    if _is_known(selected, case):
        yield CaseFile(
            path=f"labels{part}/{case.name}{_ENDING}",
            content=Content.LABELS,
            values=regions.values,
            ignore=ignore if case.not_known else 0,
        )


def _dataset(
    selected: Selected, regions: Regions, training: list[SelectedCase], ignore: int, *, is_sheared: bool
) -> dict[str, Any]:
    """`dataset.json`; under `isocenter` stands what the words of nnU-Net have no room for."""
    known = selected.contract.labels
    channels = selected.contract.channels
    labels: dict[str, Any] = {"background": 0}
    labels |= {n: list(regions.of[n]) if len(regions.of[n]) > 1 else regions.of[n][0] for n in regions.order}
    has_regions = any(isinstance(v, list) for v in labels.values())
    if not has_regions:  # as they are numbered, not as they would be written one over the other
        labels = dict(sorted(labels.items(), key=lambda pair: pair[1]))
    return {
        "channel_names": {str(n): _channel(name, channels[name]) for n, name in enumerate(channels)},
        "labels": labels | ({"ignore": ignore} if ignore else {}),
        **({"regions_class_order": [regions.last[n] for n in regions.order]} if has_regions else {}),
        "numTraining": len(training),
        "file_ending": _ENDING,
        # ITK, by which nnU-Net reads by default, refuses a grid whose axes are not at right angles.
        **({"overwrite_image_reader_writer": "NibabelIO"} if is_sheared else {}),
        "name": selected.store.manifest.name,
        "isocenter": {
            "channels": list(channels),
            "label_values": {n: known[n].value for n in selected.labels},
            "label_codes": {n: known[n].code for n in selected.labels if known[n].code},
        },
    }


def _channel(name: str, channel: Channel) -> str:
    """The name by which nnU-Net scales the values of a channel as they should be: CT by the whole data set."""
    if channel.normalise and Normalisation.of(channel.normalise).kind == "none":
        return "noNorm"
    if channel.modality == "CT":
        return "CT"
    return channel.modality if name.lower() in _SCHEMES else name


def _folds(selected: Selected, training: list[SelectedCase]) -> Iterator[dict[str, list[str]]]:
    """Train and validation by the split; nnU-Net would draw folds of its own by cases, not by subjects."""
    held_out = selected.folds or (Partition.VAL.value,)
    for part in held_out:
        val = sorted(c.name for c in training if c.partition == part)
        train = sorted(c.name for c in training if c.partition != part)
        if train and val:
            yield {"train": train, "val": val}


def _is_sheared(selected: Selected, cases: list[SelectedCase]) -> bool:
    for case in cases:
        axes = affine_of(selected.meta(case))[:3, :3]
        directions = axes / np.linalg.norm(axes, axis=0)
        if np.abs(directions.T @ directions - np.eye(3)).max() > _MOST_SHEAR:
            return True
    return False


def _notes(selected: Selected, cases: list[SelectedCase], ignore: int, *, has_folds: bool) -> Iterator[str]:
    if ignore:
        count = sum(bool(c.not_known) for c in cases)
        yield f"in {count:,} cases it is not known everywhere what is there: those voxels are {ignore}, `ignore`"
    if without := sum(not _is_known(selected, c) for c in cases):
        yield f"{without:,} cases of the test part have no labels"
    if lacking := sum(bool(c.missing) for c in cases):
        yield f"{lacking:,} cases lack a channel and have background in its place (channels in cases.csv)"
    if has_folds:
        yield "copy splits_final.json to the folder of the preprocessed data set, or nnU-Net draws folds by cases"
    else:
        yield "the split has no part to validate on: nnU-Net will draw folds by cases, which may share subjects"


def _text(document: Any) -> str:
    return (
        json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    )  # labels keep their order: it means something
