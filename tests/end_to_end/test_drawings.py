"""From a CT with what readers drew in the formats of other programs to the boxes and masks in the store."""

import json

import numpy as np
import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.base.documents import read_yaml, write_yaml
from isocenter.imaging.affine import canonical
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.name_rows import NameRow
from isocenter.model.rows import FileOutcome, FileRow, PlannedCase
from isocenter.pipeline.config import load
from isocenter.pipeline.config_init import starter_for
from isocenter.testing.simulate.broken.scan import Scan
from tests.contracts.files import (
    aim_bytes,
    dicom_bytes,
    in_space,
    item,
    lidc_bytes,
    lidc_nodule,
    markups_bytes,
    measurement_group,
    report_dataset,
    voc_bytes,
)

SCAN = Scan(seed=5)
IMAGES = SCAN.objects()
SHAPE = (SCAN.slices, SCAN.rows, SCAN.columns)
GRID = Grid(SHAPE, SCAN.truth().affine)
# rows 10 to 19 and columns 12 to 23 of slices 6 to 8
BOX = np.s_[6:9, 10:20, 12:24]


def uid(k):
    """The object of a slice, in the order of the volume."""
    order = sorted(IMAGES, key=lambda d: GRID.to_voxel(np.array([ras(d.ImagePositionPatient)]))[0, 2])
    return order[k].SOPInstanceUID


def ras(point):
    return np.array(point, float) * (-1, -1, 1)


def world(*voxel):
    """LPS millimetres of a voxel (i, j, k)."""
    return (GRID.to_world(np.array([voxel], float))[0] * (-1, -1, 1)).tolist()


def aim():
    ring = [(12.0, 10.0), (24.0, 10.0), (24.0, 20.0), (12.0, 20.0)]
    return aim_bytes(*[("TwoDimensionPolyline", uid(k), ring) for k in (6, 7, 8)], name="GTV", person="P-0")


def report():
    corners = [(11.5, 9.5), (23.5, 9.5), (23.5, 19.5), (11.5, 19.5), (11.5, 9.5)]
    rings = [in_space("POLYGON", [world(i, j, k) for i, j in corners], frame()) for k in (6, 7, 8)]
    out = report_dataset(measurement_group(*rings, name="GTV"))
    out.PatientID, out.PatientName = IMAGES[0].PatientID, IMAGES[0].PatientName
    out.CurrentRequestedProcedureEvidenceSequence = [
        item(
            StudyInstanceUID=IMAGES[0].StudyInstanceUID,
            ReferencedSeriesSequence=[
                item(
                    SeriesInstanceUID=IMAGES[0].SeriesInstanceUID,
                    ReferencedSOPSequence=[item(ReferencedSOPInstanceUID=d.SOPInstanceUID) for d in IMAGES],
                )
            ],
        )
    ]
    return dicom_bytes(out)


def frame():
    return IMAGES[0].FrameOfReferenceUID


def markups():
    low, high = world(11.5, 9.5, 5.5), world(23.5, 19.5, 8.5)
    size = np.abs(np.subtract(high, low)).tolist()
    centre = np.mean([low, high], axis=0).tolist()
    region = {"type": "ROI", "name": "GTV", "coordinateSystem": "LPS", "center": centre, "size": size}
    return markups_bytes(region)


def coco():
    pictures = [{"id": k, "file_name": f"{uid(k)}.png", "width": 0, "height": 0} for k in range(5, 10)]
    pictures = [p | {"width": SHAPE[2], "height": SHAPE[1]} for p in pictures]
    boxes = [{"id": k, "image_id": k, "category_id": 1, "bbox": [12, 10, 12, 10]} for k in (6, 7, 8)]
    boxes.append({"id": 99, "image_id": 6, "category_id": 2, "bbox": [1, 1, 2, 2]})
    names = [{"id": 1, "name": "GTV"}, {"id": 2, "name": "a marker"}]
    return json.dumps({"images": pictures, "annotations": boxes, "categories": names}).encode()


def voc():
    return voc_bytes(("GTV", 13, 11, 24, 20), size=SHAPE[:0:-1], name=f"{uid(7)}.dcm")


def run(folder, name, data, task="segmentation", labels=None, **source):
    place = folder / "data" / "p1"
    (place / "ct").mkdir(parents=True)
    for dataset in IMAGES:
        (place / "ct" / f"{dataset.SOPInstanceUID}.dcm").write_bytes(dicom_bytes(dataset))
    (place / name).write_bytes(data)
    document = {
        "name": "drawn",
        "task": task,
        "sources": [{"path": "data", "site": "s", "subject": {"pattern": ["{subject}/**"]}}],
        "channels": {"ct": {"modality": "CT"}},
        "labels": labels or {"lesion": {"value": 1, "aliases": ["GTV"]}},
        "annotations": [{"kind": "objects", **source}],
        "screen": {"stop_at_rejected_share": 1.0},
        "executor": {"kind": "serial"},
        "workspace": "work",
    }
    write_yaml(folder / "cohort.yaml", document)
    made = iso.run(folder / "cohort.yaml", until="build")
    store = iso.open(made.store)
    [case] = [store[c] for c in store]
    outcomes = tables.read(made.workspace / "build" / "files.parquet", FileOutcome)
    return made, case, {r.state for r in outcomes}


def expected():
    mask = np.zeros(SHAPE, bool)
    mask[BOX] = True
    return canonical(GRID).apply(mask)


@pytest.mark.parametrize(
    ("form", "name", "make"), [("aim", "a.xml", aim), ("dicom-report", "sr.dcm", report)]
)
def test_outlines_reach_the_store(form, name, make, tmp_path):
    _, case, states = run(tmp_path, name, make(), format=form, covers="image")
    assert states == {"used"}
    assert np.array_equal(np.asarray(case.mask).astype(bool), expected())
    assert [label.state for label in case.labels] == ["positive"]


def test_outlines_on_single_slices_leave_the_others_unknown(tmp_path):
    _, case, _ = run(tmp_path, "a.xml", aim(), format="aim")
    assert np.array_equal(np.asarray(case.mask).astype(bool), expected())
    assert [label.state for label in case.labels] == ["partial"]


@pytest.mark.parametrize(
    ("form", "name", "make"), [("slicer-markups", "r.mrk.json", markups), ("coco", "b.json", coco)]
)
def test_boxes_reach_the_store(form, name, make, tmp_path):
    made, case, states = run(tmp_path, name, make(), "detection", format=form)
    assert states == {"used"}
    found = np.zeros(expected().shape, bool)
    for low, high in np.asarray(case.boxes_voxel).reshape(-1, 2, 3):
        found[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    assert np.array_equal(found, expected())
    [planned] = tables.read(made.workspace / "enrol/cases.parquet", PlannedCase)
    [annotation] = planned.annotations
    assert annotation.kind == "boxes"
    names = list(tables.read(made.workspace / "enrol/names.parquet", NameRow))
    assert ("GTV", "lesion") in {(n.name, n.label) for n in names}
    if form == "coco":
        assert len(set(annotation.searched_slices)) == 5
        assert ("a marker", "", 1) in {(n.name, n.label, n.count) for n in names}


def test_boxes_on_one_slice(tmp_path):
    _, case, states = run(tmp_path, "b.xml", voc(), "detection", format="voc")
    assert states == {"used"}
    [box] = np.asarray(case.boxes_voxel).tolist()
    found = np.zeros(expected().shape, bool)
    found[tuple(slice(a, b) for a, b in zip(box[:3], box[3:], strict=True))] = True
    slices = np.zeros(SHAPE, bool)
    slices[7, 10:20, 12:24] = True
    assert np.array_equal(found, canonical(GRID).apply(slices))


def test_readers_of_the_lidc_are_compared(tmp_path):
    z = [float(GRID.to_world(np.array([[0, 0, k]], float))[0, 2]) for k in range(SHAPE[0])]
    # through the first pixels outside
    ring = [(11, 9), (24, 9), (24, 20), (11, 20)]
    one = lidc_nodule(*[(z[k], ring, True) for k in (6, 7, 8)])
    two = lidc_nodule(*[(z[k], ring, True) for k in (6, 7)])
    data = lidc_bytes([one], [two], []).decode().replace("<SeriesInstanceUid>2.25", "<SeriesInstanceUid>2.25")
    series = IMAGES[0].SeriesInstanceUID
    start, end = data.index("<SeriesInstanceUid>") + 19, data.index("</SeriesInstanceUid>")
    data = data[:start] + series + data[end:]
    data = "".join(
        part if n == 0 else part[part.index("</imageSOP_UID>") + 15 :]
        for n, part in enumerate(data.split("<imageSOP_UID>"))
    )
    made, case, states = run(
        tmp_path, "l.xml", data.encode(), labels={"nodule": {"value": 1}}, format="lidc-xml", rater=""
    )
    [planned] = tables.read(made.workspace / "enrol/cases.parquet", PlannedCase)
    assert len({a.rater for a in planned.annotations}) == 3
    assert states == {"held"}  # one of the readers marked nothing
    [label] = case.labels
    # two of three marked slices 6 and 7, one of three slice 8
    kept = np.zeros(SHAPE, bool)
    kept[6:8, 10:20, 12:24] = True
    assert np.array_equal(np.asarray(case.mask).astype(bool), canonical(GRID).apply(kept))
    assert label.state == "positive"


def test_what_is_told_without_a_drawing_reaches_the_store(tmp_path):
    series = IMAGES[0].SeriesInstanceUID
    data = aim_bytes(name="GTV", person="P-0").decode()
    start = data.index('<instanceUid root="') + 19
    data = data[:start] + series + data[data.index('"', start) :]
    made, case, _ = run(tmp_path, "a.xml", data.encode(), "classification", format="aim")
    [planned] = tables.read(made.workspace / "enrol/cases.parquet", PlannedCase)
    [annotation] = planned.annotations
    assert (annotation.kind, annotation.keys) == ("labels", ())
    assert (annotation.labels, annotation.states) == (("lesion",), ("marked",))
    assert [label.state for label in case.labels] == ["positive"]
    # a second source that reads the same file says nothing new
    document = dict(read_yaml(tmp_path / "cohort.yaml").data)
    document["annotations"] = [
        *document["annotations"],
        {"kind": "objects", "format": "aim", "rater": "other"},
    ]
    write_yaml(tmp_path / "cohort.yaml", document)
    made = iso.run(tmp_path / "cohort.yaml", until="enrol")
    [planned] = tables.read(made.workspace / "enrol/cases.parquet", PlannedCase)
    assert planned.annotations == (annotation,)


def test_a_starter_for_drawings_runs(tmp_path):
    place = tmp_path / "data" / "p1"
    (place / "ct").mkdir(parents=True)
    for dataset in IMAGES:
        (place / "ct" / f"{dataset.SOPInstanceUID}.dcm").write_bytes(dicom_bytes(dataset))
    (place / "b.json").write_bytes(coco())
    kind, text = starter_for([tmp_path / "data"], tmp_path / "cohort.yaml")
    (tmp_path / "cohort.yaml").write_text(text)
    config = load(tmp_path / "cohort.yaml")
    assert (kind, config.task) == ("drawings", "detection")
    assert [(a.kind, a.format) for a in config.annotations] == [("objects", "coco")]
    assert "gtv" in config.labels
    made = iso.run(tmp_path / "cohort.yaml", until="enrol")
    [planned] = tables.read(made.workspace / "enrol/cases.parquet", PlannedCase)
    assert set(planned.annotations[0].labels) == {"gtv"}


def test_slice_labels_by_their_objects_reach_the_store(tmp_path):
    place = tmp_path / "data"
    place.mkdir()
    for dataset in IMAGES:
        (place / f"{dataset.SOPInstanceUID}.dcm").write_bytes(dicom_bytes(dataset))
    lines = ["uid,bleeding", *(f"{uid(k)},{int(k in (6, 7))}" for k in range(5, 10))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    document = {
        "task": "classification",
        "sources": [{"path": "data"}],
        "channels": {"ct": {"modality": "CT"}},
        "labels": {"bleeding": {}},
        "annotations": [
            {
                "kind": "table",
                "path": "t.csv",
                "key": "instance",
                "columns": {"key": "uid", "bleeding": "bleeding"},
            }
        ],
        "screen": {"stop_at_rejected_share": 1.0},
        "executor": {"kind": "serial"},
        "workspace": "work",
    }
    write_yaml(tmp_path / "cohort.yaml", document)
    made = iso.run(tmp_path / "cohort.yaml", until="build")
    store = iso.open(made.store)
    [case] = [store[c] for c in store]
    flipped = canonical(GRID).apply(np.arange(SHAPE[0])[:, None, None] * np.ones(SHAPE, int))[:, 0, 0]
    told = np.asarray(case.slice_labels)[0]
    by_slice = {int(k): int(v) for k, v in zip(flipped, told, strict=True)}
    assert {k for k, v in by_slice.items() if v == 1} == {6, 7}
    assert {k for k, v in by_slice.items() if v == 0} == {5, 8, 9}
    assert [label.state for label in case.labels] == ["positive"]


def test_files_that_nobody_asked_for_are_told_as_what_they_are(tmp_path):
    run(tmp_path, "b.json", coco(), "detection", format="coco")
    (tmp_path / "data/p1/r.mrk.json").write_bytes(markups())
    made = iso.run(tmp_path / "cohort.yaml", until="build")
    paths = {f.file_id: f.path for f in tables.read(made.workspace / "index/files.parquet", FileRow)}
    outcomes = tables.read(made.workspace / "build/files.parquet", FileOutcome)
    by_path = {paths[r.file_id]: (r.state, r.reason) for r in outcomes}
    assert by_path["p1/r.mrk.json"] == ("ignored", "slicer-markups")
    assert by_path["p1/b.json"] == ("used", "annotation")


def test_boxes_that_cannot_be_read_are_no_negative(tmp_path):
    run(tmp_path, "b.xml", voc(), "detection", format="voc", absent="negative")
    (tmp_path / "data/p1/b.xml").write_bytes(voc()[:-20])
    made = iso.run(tmp_path / "cohort.yaml", until="enrol")
    [planned] = tables.read(made.workspace / "enrol/cases.parquet", PlannedCase)
    assert planned.verdict != "keep"
    assert planned.annotations == ()
    issues = list(tables.read(made.workspace / "enrol/issues.parquet", Issue))
    assert (planned.id, "enrol/unreadable-annotation") in {(i.target, i.rule) for i in issues}
