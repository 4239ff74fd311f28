"""A workspace whose index tables are written by hand, so that what is counted is known."""

import json

from isocenter.base import tables
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import AnnotationObject, FileRow, Instance, Series, Stack, SubjectRow

CT = "1.2.840.10008.5.1.4.1.1.2"
LITTLE = "1.2.840.10008.1.2.1"


def file(file_id, path, kind, size=100, archive=""):
    return FileRow(file_id=file_id, source=0, path=path, size=size, mtime_ns=0, kind=kind, archive=archive)


def instance(file_id, **values):
    known = {"modality": "CT", "sop_class_uid": CT, "transfer_syntax_uid": LITTLE}
    return Instance(file_id=file_id, source=0, site="a", format="dicom", **(known | values))


def refusal(file_id, rule, severity=Severity.REJECT):
    return Issue(rule=rule, target=file_id, severity=severity, message="")


def write(root, *, is_finished=True, **rows):
    """Write tables by name; returns the workspace's folder."""
    folder = root / "index"
    folder.mkdir(parents=True, exist_ok=True)
    types = {
        "files": FileRow,
        "instances": Instance,
        "annotations": AnnotationObject,
        "issues": Issue,
        "series": Series,
        "stacks": Stack,
        "subjects": SubjectRow,
    }
    for name, values in rows.items():
        tables.write(folder / f"{name}.parquet", types[name], values)
    if is_finished:
        (folder / "done.json").write_text(json.dumps({"key": "k", "counts": {}}))
    return root


def small(root):
    """An index with an entry in each state, and in each way there."""
    series = {
        "study": "std",
        "site": "a",
        "format": "dicom",
        "modality": "CT",
        "n_instances": 1,
        "n_stacks": 1,
    }
    return write(
        root,
        files=[
            file("f1", "p1/1.dcm", "dicom-image"),
            file("f2", "p1/2.dcm", "dicom-image"),
            file("f3", "p1/copy.dcm", "dicom-image"),
            file("f4", "p1/cut.dcm", "dicom-unreadable", 7),
            file("f5", "p1/rs.dcm", "dicom-rtstruct"),
            file("f6", "p2/dose.dcm", "dicom-rtdose"),
            file("f7", "scan.nii.gz", "nifti"),
            file("f8", "notes.txt", "text", 1),
            file("f9", "link", "symlink", 0),
            file("z1", "p3/a.zip", "zip", 5000),
            file("z2", "p3/a.zip!/in/1.dcm", "dicom-image", 9000, "z1"),
            file("z3", "p3/a.zip!/in/x.txt", "text", 9000, "z1"),
            file("z4", "p3/closed.zip", "zip", 10),
        ],
        instances=[
            instance("f1", manufacturer="Siemens", model="Sensation"),
            instance("f2", manufacturer="Siemens", model="Force"),
            instance("f3", manufacturer="Siemens", model="Force"),
            Instance(file_id="f4", source=0, site="a", format="dicom", series_uid="1.2", has_pixels=False),
            instance("f6", modality="RTDOSE", sop_class_uid="1.2.840.10008.5.1.4.1.1.481.2"),
            Instance(file_id="f7", source=0, site="a", format="nifti"),
            instance("z2", sop_class_uid="1.2.3.4.5", transfer_syntax_uid=None, modality=None),
        ],
        annotations=[AnnotationObject(file_id="f5", source=0, site="a", format="rtstruct")],
        issues=[
            refusal("f4", "file/truncated"),
            refusal("f3", "index/duplicate-object", Severity.NOTE),
            refusal("s1", "index/no-subject"),
            refusal("f1", "index/same-pixels", Severity.REVIEW),
            refusal("s1", "geometry/of-a-plug-in", None),
        ],
        series=[
            Series(id="s1", subject="", **series),
            Series(id="s2", subject="sub-1", is_dummy_patient_id=True, **series),
            Series(id="s3", subject="sub-2", **series),
        ],
    )
