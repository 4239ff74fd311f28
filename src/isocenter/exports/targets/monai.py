"""MONAI: NIfTI files and a datalist (JSON) of training, validation and testing, or of folds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from isocenter.exports.selected import Selected, SelectedCase, file_names
from isocenter.exports.tables import attributes_table, cases_table, opened
from isocenter.exports.target import CaseFile, Content, Plan, Survey
from isocenter.model.case import Case
from isocenter.model.split import Partition
from isocenter.model.task import Task

_ENDING = ".nii.gz"
_LISTS = {
    Partition.TRAIN.value: "training",
    Partition.VAL.value: "validation",
    Partition.TEST.value: "testing",
}


def plan(selected: Selected, survey: Survey) -> Plan:
    """Files in `images` and `labels`, and `datalist.json`, whose paths are relative to it."""
    del survey  # labels that may overlap have a file each
    files = {c.row.id: tuple(_files(selected, c)) for c in selected.cases}
    listed: dict[str, list[dict[str, Any]]] = {n: [] for n in ("training", "validation", "testing")}
    needs_record = selected.contract.task is Task.DETECTION
    records = opened(selected) if needs_record else ((c, None) for c in selected.cases)
    for case, record in records:
        name = _LISTS.get(case.partition, "training")
        listed[name].append(_entry(selected, case, files[case.row.id], record))
    return Plan(
        files=files,
        documents={
            "datalist.json": _text(
                _head(selected) | {n: entries for n, entries in listed.items() if entries}
            ),
            "cases.csv": cases_table(selected),
            "attributes.csv": attributes_table(selected),
        },
        notes=tuple(_notes(selected)),
    )


def _values(selected: Selected) -> dict[str, int]:
    """Values of the labels in masks: 1, 2, 3, ..., so that they can be turned into channels."""
    return {name: number for number, name in enumerate(selected.labels, start=1)}


def _files(selected: Selected, case: SelectedCase) -> Iterator[CaseFile]:
    contract = selected.contract
    for channel, short in file_names(contract.channels).items():
        yield CaseFile(path=f"images/{case.name}_{short}{_ENDING}", content=Content.IMAGE, name=channel)
    if contract.task is not Task.SEGMENTATION:
        return
    if contract.overlapping:
        for label, short in file_names(selected.labels).items():
            yield CaseFile(path=f"labels/{case.name}_{short}{_ENDING}", content=Content.LABEL, name=label)
            if case.not_known:
                path = f"known/{case.name}_{short}{_ENDING}"
                yield CaseFile(path=path, content=Content.KNOWN, name=label)
        return
    values = tuple(((n,), v) for n, v in _values(selected).items())
    yield CaseFile(path=f"labels/{case.name}{_ENDING}", content=Content.LABELS, values=values)
    if case.not_known:
        yield CaseFile(path=f"known/{case.name}{_ENDING}", content=Content.KNOWN)


def _entry(
    selected: Selected, case: SelectedCase, files: tuple[CaseFile, ...], record: Case | None
) -> dict[str, Any]:
    """One entry of the datalist: what `load_decathlon_datalist` reads, and whose it is."""
    images, labels, known = (
        [f.path for f in files if f.content in kinds]
        for kinds in ({Content.IMAGE}, {Content.LABELS, Content.LABEL}, {Content.KNOWN})
    )
    entry: dict[str, Any] = {"image": images if len(images) > 1 else images[0]}
    if labels:
        entry["label"] = labels if selected.contract.overlapping else labels[0]
    if known:
        entry["known"] = known if selected.contract.overlapping else known[0]
    if selected.contract.task is Task.CLASSIFICATION:
        there = {s.label: s.is_there for s in case.row.labels}
        entry["label"] = [int(there.get(n) is True) for n in selected.labels]
        entry["known"] = [int(there.get(n) is not None) for n in selected.labels]
    if record is not None:
        places = {name: number for number, name in enumerate(selected.labels)}
        entry["box"] = [[float(x) for x in box] for box in record.boxes]
        entry["label"] = [places[name] for name in record.box_labels]
        entry["known"] = [int(n not in case.not_known) for n in selected.labels]
    entry |= {"subject": case.row.subject, "id": case.row.id}
    entry |= {"site": case.row.site} if case.row.site else {}
    return entry | (
        {"fold": selected.folds.index(case.partition)} if case.partition in selected.folds else {}
    )


def _head(selected: Selected) -> dict[str, Any]:
    """What stands above the lists: names of channels and labels, and what the numbers of the entries mean."""
    contract = selected.contract
    channels = {str(n): name for n, name in enumerate(contract.channels)}
    head: dict[str, Any] = {
        "name": selected.store.manifest.name,
        "modality": {str(n): c.modality for n, c in enumerate(contract.channels.values())},
        "channels": channels,
        "numTraining": sum(not c.is_test for c in selected.cases),
        "numTest": sum(c.is_test for c in selected.cases),
    }
    if contract.task is Task.SEGMENTATION:
        values = _values(selected)
        named = {str(v): n for n, v in values.items()}
        stored = {n: contract.labels[n].value for n in values}
        head["labels"] = named if contract.overlapping else {"0": "background"} | named
        return head | {"isocenter": {"task": contract.task.value, "label_values": stored}}
    head["labels"] = {str(n): name for n, name in enumerate(selected.labels)}
    facts = {"task": contract.task.value}
    if contract.task is Task.DETECTION:
        facts |= {"box": "xyzxyz, RAS+ millimetres"}
    return head | {"isocenter": facts}


def _notes(selected: Selected) -> Iterator[str]:
    if count := sum(bool(c.not_known) for c in selected.cases):
        yield f"in {count:,} cases it is not known everywhere what is there: take the loss where `known` is 1"
    if lacking := sum(bool(c.missing) for c in selected.cases):
        yield f"{lacking:,} cases lack a channel and have background in its place (channels in cases.csv)"


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
