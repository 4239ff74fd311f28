"""What the enrol stage reads, made of rows: images and masks without a file behind them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.model.rows import AnnotationObject, VerdictRow
from isocenter.model.task import Channel, Label, Task, TaskContract
from isocenter.stages.enrol.inputs import Inputs
from isocenter.stages.enrol.options import (
    Absent,
    AnnotationKind,
    AnnotationSource,
    CaseUnit,
    EnrolOptions,
    StoreOptions,
    TableShape,
)
from isocenter.stages.index.options import Source, SubjectFrom
from isocenter.stages.index.subjects import SubjectFinder
from tests.unit.stages.grouping import Found, grouped
from tests.unit.stages.rows import NAMES, a_slice, file_of

AFFINE = tuple(float(v) for v in np.diag([1.0, 1.5, 2.0, 1.0]).ravel())


def a_volume(path, *, source=0, site="site-1", affine=AFFINE, shape=(6, 5, 4), **changes):
    """One NIfTI file: an instance and the row of its file."""
    row = a_slice(
        file_id=NAMES.of("fil", source, path), source=source, site=site, format="nifti", patient_id=None,
        sop_instance_uid=None, series_uid=None, study_uid=None, frame_of_reference_uid=None, modality=None,
        affine=tuple(affine), shape=shape, orientation_code="RAS", dtype="int16", position_mm=(), orientation=(),
        pixel_spacing_mm=(), **changes,
    )  # fmt: skip
    return row, file_of(row, path=path)


def a_dicom(name, *, series="1.9", count=3, path=None, **changes):
    """A DICOM series of one person, as instances and files."""
    rows = [
        a_slice(n, file_id=f"{name}-{n}", series_uid=series, sop_instance_uid=f"{series}.{n}", **changes)
        for n in range(count)
    ]
    return [(r, file_of(r, path=f"{path or name}/{n}.dcm")) for n, r in enumerate(rows)]


def an_object(file_id, path, **changes):
    """An RT Structure Set: its row, and that of its file."""
    clean = AnnotationObject(
        file_id=file_id, source=0, site="site-1", format="rtstruct", patient_id="P-17", labels=("GTV",), numbers=(3,)
    )  # fmt: skip
    row = replace(clean, **changes)
    return row, file_of(a_slice(file_id=file_id, source=row.source), path=path, kind="dicom-rtstruct")


def inputs_of(
    images, *, objects=(), wanted=None, review=(), sites=("site-1",), pattern=(), table=Path(), frames=()
):
    """The tables of index and screen; `wanted` says by path and stack which channels ask for it."""
    subject = SubjectFrom(pattern=pattern)
    finders = [SubjectFinder(Source(path="", site=s, subject=subject), NAMES, None) for s in sites]
    found = [Found(row=f, instance=r) for r, f in images] + [Found(row=f, annotation=o) for o, f in objects]
    made = grouped(found, finders, {}, [Path()] * len(sites), NAMES, frames=frames)
    files = {f.file_id: f for f in made.files}
    verdicts = {}
    for stack in made.stacks:
        path = files[stack.files[0]].path
        channels = (wanted or _everything_is_ct)(path, stack)
        verdict = "reject" if not channels else "review" if path in review else "keep"
        verdicts[stack.id] = VerdictRow(target=stack.id, verdict=verdict, channels=channels, reason="a/rule")
    return Inputs(
        files=files,
        stacks={s.id: s for s in made.stacks},
        verdicts=verdicts,
        objects=tuple(made.annotations),
        layout={},
        instances={r.file_id: r for r in made.instances},
        base=table,
    )


def _everything_is_ct(path, stack):
    return () if "mask" in path else ("ct",)


def a_contract(*, channels=None, labels=("lesion", "heart"), reference="ct", task=Task.SEGMENTATION):
    """A contract of CT with two labels."""
    return TaskContract(
        task=task,
        labels={
            n: Label(value=v, aliases=("GTV*",) if v == 1 else ()) for v, n in enumerate(labels, start=1)
        },
        channels=channels or {"ct": Channel(modality="CT")},
        reference=reference,
    )


def enrol_options(*sources, contract=None, **changes):
    """Options of the stage."""
    clean = EnrolOptions(
        contract=contract or a_contract(),
        annotations=tuple(a_source(**s) for s in sources),
        unit=CaseUnit.STUDY,
        store=StoreOptions(),
        spacing="native",
        recipe="r",
    )
    return replace(clean, **changes)


def a_source(kind="table", shape="labels", absent="unknown", **changes):
    """One origin of annotations, in the words of a config."""
    return AnnotationSource(
        kind=AnnotationKind(kind), shape=TableShape(shape), absent=Absent(absent), **changes
    )
