"""Plain NIfTI folders, `<subject>/<case>/`, with everything that a case has, and tables in CSV."""

from __future__ import annotations

from collections.abc import Iterator

from isocenter.exports import tables
from isocenter.exports.selected import Selected, SelectedCase, file_names
from isocenter.exports.target import CaseFile, Content, Plan, Survey
from isocenter.model.case import Case
from isocenter.model.task import Task

_ENDING = ".nii.gz"


def plan(selected: Selected, survey: Survey) -> Plan:
    """Files of each case in a folder of its own; masks keep the values of the store."""
    del survey  # labels that may overlap have a file each
    files = {c.row.id: tuple(_files(selected, c, case)) for c, case in tables.opened(selected)}
    return Plan(
        files=files,
        documents={
            "cases.csv": tables.cases_table(selected),
            "attributes.csv": tables.attributes_table(selected),
            "labels.csv": tables.labels_table(selected),
            "states.csv": tables.states_table(selected),
            "opinions.csv": tables.opinions_table(selected),
            "boxes.csv": tables.boxes_table(selected),
            "files.csv": tables.files_table(selected, files),
            "points.csv": tables.points_table(selected),
        },
        notes=tuple(_notes(selected)),
    )


def _files(selected: Selected, case: SelectedCase, record: Case) -> Iterator[CaseFile]:
    folder = f"{case.row.subject}/{case.row.id}"
    for channel, short in file_names(record.channels).items():
        if channel not in case.missing:
            yield CaseFile(path=f"{folder}/image_{short}{_ENDING}", content=Content.IMAGE, name=channel)
    if record.valid is not None:
        yield CaseFile(path=f"{folder}/valid{_ENDING}", content=Content.VALID)
    if record.instances is not None:
        yield CaseFile(path=f"{folder}/instances{_ENDING}", content=Content.INSTANCES)
    if selected.contract.task is Task.SEGMENTATION:
        yield from _masks(selected, case, record, folder)
    yield CaseFile(path=f"{folder}/slices.csv", content=Content.SLICES)


def _masks(selected: Selected, case: SelectedCase, record: Case, folder: str) -> Iterator[CaseFile]:
    known = selected.contract.labels
    labels = file_names(selected.labels)
    if selected.contract.overlapping:
        for label, short in labels.items():
            yield CaseFile(path=f"{folder}/mask_{short}{_ENDING}", content=Content.LABEL, name=label)
    else:
        values = tuple(((n,), known[n].value) for n in selected.labels)
        yield CaseFile(path=f"{folder}/mask{_ENDING}", content=Content.LABELS, values=values)
    for label in case.not_known:
        yield CaseFile(path=f"{folder}/known_{labels[label]}{_ENDING}", content=Content.KNOWN, name=label)
    for label in sorted(set(record.shares) & set(labels)):
        yield CaseFile(path=f"{folder}/share_{labels[label]}{_ENDING}", content=Content.SHARE, name=label)
    for rater, name in file_names(sorted(record.raters)).items():
        if not selected.contract.overlapping:
            yield CaseFile(path=f"{folder}/rater_{name}{_ENDING}", content=Content.RATER, name=rater)
            continue
        for label, short in labels.items():
            path = f"{folder}/rater_{name}_{short}{_ENDING}"
            yield CaseFile(path=path, content=Content.RATER, name=rater, label=label)


def _notes(selected: Selected) -> Iterator[str]:
    if count := sum(bool(c.not_known) for c in selected.cases):
        yield f"in {count:,} cases it is not known everywhere what is there: known_<label> says where (states.csv)"
    if lacking := sum(bool(c.missing) for c in selected.cases):
        yield f"{lacking:,} cases lack a channel, which has no file (channels in cases.csv)"
