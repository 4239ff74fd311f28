"""From a CT with a DICOM SEG or a .seg.nrrd on a grid of its own to the mask in the store."""

import nrrd
import numpy as np
import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.imaging.affine import canonical
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.rows import FileOutcome
from isocenter.testing.simulate.broken.scan import Scan
from tests.contracts.files import dicom_bytes, item, seg_dataset

SCAN = Scan(seed=5)
START, STOP = (6, 10, 12), (11, 30, 40)
LABELS = {
    "heart": {"value": 1, "code": "SCT:80891009"},
    "lesion": {"value": 2, "aliases": ["*lesion*"]},
}


def masks():
    """Two masks (K, J, I) that overlap, within the image and with slices between that have none."""
    out = np.zeros((2, SCAN.slices, SCAN.rows, SCAN.columns), bool)
    out[0, 6:11, 10:25, 12:30] = True
    out[1, 7:10:2, 18:30, 25:40] = True
    return out


def seg():
    """The frames of the box around the masks, in an order of their own, without the empty ones."""
    box = masks()[(slice(None), *map(slice, START, STOP))]
    frames = [(n, k, box[n - 1, k]) for n in (2, 1) for k in range(box.shape[1]) if box[n - 1, k].any()]
    out = seg_dataset(frames)
    out.Rows, out.Columns = box.shape[2:]
    images = SCAN.objects()
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID"):
        setattr(out, keyword, getattr(images[0], keyword))
    shared = out.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = images[0].ImageOrientationPatient
    measures = shared.PixelMeasuresSequence[0]
    measures.PixelSpacing = images[0].PixelSpacing
    measures.SliceThickness = measures.SpacingBetweenSlices = images[0].SliceThickness
    steps = SCAN.lattice().steps
    for (_, k, _), group in zip(frames, out.PerFrameFunctionalGroupsSequence, strict=True):
        origin = np.array(images[START[0] + k].ImagePositionPatient, float)
        place = origin + steps[:, 1] * START[1] + steps[:, 0] * START[2]
        group.PlanePositionSequence[0].ImagePositionPatient = [f"{v:.8f}" for v in place]
    out.ReferencedSeriesSequence = [
        item(
            SeriesInstanceUID=images[0].SeriesInstanceUID,
            ReferencedInstanceSequence=[item(ReferencedSOPInstanceUID=i.SOPInstanceUID) for i in images],
        )
    ]
    return dicom_bytes(out)


def seg_nrrd(path):
    """The same box, each segment in a layer of its own."""
    box = masks()[(slice(None), *map(slice, START, STOP))]
    affine = np.diag([-1.0, -1, 1, 1]) @ SCAN.lattice().affine_ras()
    names = ("cor", "a lesion")
    header = {
        "space": "left-posterior-superior",
        "kinds": ["list", *["domain"] * 3],
        "space directions": np.vstack([[np.nan] * 3, affine[:3, :3].T]),
        "space origin": affine[:3, 3] + affine[:3, :3] @ np.array(START[::-1], float),
    }
    for n, name in enumerate(names):
        header |= {f"Segment{n}_ID": name, f"Segment{n}_Name": name}
        header |= {f"Segment{n}_Layer": str(n), f"Segment{n}_LabelValue": "1"}
    tags = "TerminologyEntry:list~SCT^123037004^Anatomical Structure~SCT^80891009^Heart~^^~list~^^~^^|"
    nrrd.write(str(path), box.transpose(0, 3, 2, 1).astype(np.uint8), header | {"Segment0_Tags": tags})


def run(folder, annotations):
    document = {
        "name": "segments",
        "task": "segmentation",
        "overlapping": True,
        "sources": [{"path": "data", "site": "s", "subject": {"pattern": ["{subject}/**"]}}],
        "channels": {"ct": {"modality": "CT", "path": ["{subject}/ct/*"]}},
        "labels": LABELS,
        "annotations": annotations,
        "screen": {"stop_at_rejected_share": 1.0},
        "executor": {"kind": "serial"},
        "workspace": "work",
    }
    write_yaml(folder / "cohort.yaml", document)
    return iso.run(folder / "cohort.yaml", until="build")


@pytest.mark.parametrize("kind", ["dicom-seg", "nrrd", "by path"])
def test_a_mask_on_a_part_of_the_grid_reaches_the_store(kind, tmp_path):
    folder = tmp_path / "data" / "p1"
    (folder / "ct").mkdir(parents=True)
    for n, dataset in enumerate(SCAN.objects()):
        (folder / "ct" / f"{n}.dcm").write_bytes(dicom_bytes(dataset))
    name = "seg.dcm" if kind == "dicom-seg" else "heart.seg.nrrd"
    if kind == "dicom-seg":
        (folder / name).write_bytes(seg())
    else:
        seg_nrrd(folder / name)
    path = {"kind": "masks", "path": "{subject}/heart.seg.nrrd"}
    made = run(tmp_path, [path if kind == "by path" else {"kind": "objects", "format": kind}])
    store = iso.open(made.store)
    [case] = [store[c] for c in store]
    upright = canonical(Grid(masks().shape[1:], SCAN.truth().affine))
    assert np.allclose(case.grid.affine, upright.grid.affine, atol=1e-3)
    assert np.array_equal(np.asarray(case.mask).astype(bool), upright.apply(masks()))
    assert [label.state for label in case.labels] == ["positive", "positive"]
    outcome = {r.file_id: r for r in tables.read(made.workspace / "build" / "files.parquet", FileOutcome)}
    assert {r.state for r in outcome.values()} == {"used"}
    told = {i.rule for i in tables.read(made.workspace / "build" / "issues.parquet", Issue)}
    assert "read/grid-part" in told
