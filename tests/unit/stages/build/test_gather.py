"""What a file says of labels, of slices, and of readers whom it alone names."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.imaging.affine import match
from isocenter.imaging.pixel_shapes import PixelBoxes
from isocenter.imaging.shapes import MaskShape, PointShape
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.rows import PlannedAnnotation
from isocenter.model.task import Channel, Label, Task, TaskContract
from isocenter.model.volume import Slice, Volume
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.build import gather as gathering
from isocenter.stages.build.images import Images, SourceFile
from isocenter.stages.build.options import AgreementOptions, BuildOptions, Standardise

GRID = Grid((4, 5, 6), np.array([[-1, 0, 0, 10], [0, -1, 0, 20], [0, 0, 2, 30], [0, 0, 0, 1.0]]))
CONTRACT = TaskContract(
    task=Task.DETECTION,
    labels={"lesion": Label(value=1), "node": Label(value=2)},
    channels={"ct": Channel(modality="CT")},
    reference="ct",
)


@dataclass
class Format:
    """A format that gives what it is told to."""

    found: list = field(default_factory=list)
    error: FormatError | None = None

    def read(self, path, wanted, **named):
        if self.error:
            raise self.error
        return tuple(self.found)


def gathered(monkeypatch, *plans, found=(), error=None, contract=CONTRACT):
    monkeypatch.setattr(gathering.ANNOTATIONS, "get", lambda name: Format(list(found), error))
    slices = tuple(Slice(position_mm=2.0 * k, instance=f"slice-{k}") for k in range(GRID.shape[0]))
    array = np.zeros(GRID.shape, np.int16)
    volume = Volume(id="v", array=array, grid=GRID, unit="HU", modality="CT", slices=slices)
    images = Images(
        grid=GRID, arrays={}, units={}, volumes={"ct": volume}, reorder=match(GRID, GRID).reorder, valid=None,
        slices=slices,
    )  # fmt: skip
    screen = ScreenOptions(select=("annotation",))
    options = BuildOptions(
        name="n", contract=contract, standardise=Standardise(), agreement=AgreementOptions(), screen=screen,
        backend="hdf5", chunk=(8, 8, 8),
    )  # fmt: skip
    files = {"f": SourceFile(path="f", size=1, mtime_ns=1)}
    return gathering.gather(plans, images, {"v": "ct"}, files, options, Engine(screen))


def plan(*labels, **more):
    keys = tuple(range(1, len(labels) + 1))
    known = {"id": "ann-1", "kind": "mask", "format": "x", "rater": "", "on": "v", "file_id": "f"}
    return PlannedAnnotation(**(known | {"keys": keys, "labels": labels} | more))


def mask(*voxels):
    out = np.zeros(GRID.shape, bool)
    for voxel in voxels:
        out[voxel] = True
    return MaskShape(out, GRID)


def boxes(rater=""):
    return Annotation(id="ann-1", concept="lesion", rater=rater, shape=PixelBoxes(np.array([[1.0, 2, 3, 4]])))


def test_boxes_on_slices_speak_of_these_slices(monkeypatch):
    asked = plan(
        "lesion", slices=("slice-2",), searched_slices=("slice-1", "slice-2"), searched=("lesion", "node")
    )
    out = gathered(monkeypatch, asked, found=[boxes()])
    lesion, node = out.opinions.of("lesion", ""), out.opinions.of("node", "")
    assert lesion.boxes == [(7.5, 16.5, 33.0, 9.5, 18.5, 35.0)]
    for opinion in (lesion, node):
        assert opinion.state is AnnotationState.PARTIAL
        assert opinion.known.all(axis=(1, 2)).tolist() == [False, True, True, False]
    assert node.boxes == []


@pytest.mark.parametrize("searched", [(), ("lesion", "node")])
def test_where_marks_alone_are_known_slices_are_not(monkeypatch, searched):
    named = {"slices": ("slice-2",), "searched_slices": ("slice-1", "slice-2"), "searched": searched}
    out = gathered(monkeypatch, plan("lesion", covers="marks", **named), found=[boxes()])
    lesion = out.opinions.of("lesion", "")
    assert lesion.state is AnnotationState.PARTIAL
    assert not lesion.known.any()
    assert len(lesion.boxes) == 1
    assert not out.opinions.of("node", "").speaks


def test_a_file_without_marks_says_that_there_are_none(monkeypatch):
    out = gathered(monkeypatch, plan(searched=("lesion",)))
    assert out.opinions.of("lesion", "").state is AnnotationState.ABSENT
    assert gathered(monkeypatch, plan()).opinions == {}


def test_readers_whom_the_file_alone_names_are_numbered(monkeypatch):
    found = [boxes("Dr. Jane Doe"), boxes("reader 7")]
    whole = [
        Annotation(id="ann-1", concept="lesion", rater=a.rater, shape=PointShape(np.zeros((1, 3))))
        for a in found
    ]
    out = gathered(monkeypatch, plan("lesion", "lesion"), found=whole)
    assert out.opinions.raters == ["reader 1 of ann-1", "reader 2 of ann-1"]


def test_points_are_kept_with_their_diameter(monkeypatch):
    line = PointShape(np.array([[0.0, 0, 0], [0, 0, 4]]), is_line=True)
    out = gathered(monkeypatch, plan("lesion"), found=[Annotation(id="a", concept="lesion", shape=line)])
    assert out.opinions.of("lesion", "").points == [(0, 0, 2, 4)]


def test_what_cannot_be_read_is_failed_and_told(monkeypatch):
    out = gathered(monkeypatch, plan("lesion", "node"), error=FormatError("file/corrupt", "broken"))
    assert [out.opinions.of(n, "").state for n in ("lesion", "node")] == [AnnotationState.FAILED] * 2
    assert [i.rule for i in out.issues] == ["file/corrupt"]


def test_what_a_reader_found_to_have_failed_is_failed(monkeypatch):
    lost = Annotation(id="a", concept="lesion", state=AnnotationState.FAILED)
    said = Annotation(id="a", concept="node", shape=mask((1, 1, 1)))
    out = gathered(monkeypatch, plan("lesion", "node"), found=[lost, said])
    assert out.opinions.of("lesion", "").state is AnnotationState.FAILED
    assert out.opinions.of("node", "").state is AnnotationState.MARKED


def test_a_slice_that_is_not_in_the_image_fails(monkeypatch):
    out = gathered(monkeypatch, plan("lesion", slices=("slice-9",)), found=[boxes()])
    assert out.opinions.of("lesion", "").state is AnnotationState.FAILED


def test_slices_with_and_without_a_class(monkeypatch):
    rows = plan(
        "lesion", "lesion", "node", kind="labels", file_id="", keys=(), states=("marked", "absent", "absent"),
        slices=("slice-0", "slice-1", "slice-1"),
    )  # fmt: skip
    out = gathered(monkeypatch, rows)
    lesion = out.opinions.of("lesion", "")
    assert lesion.slice_votes == {0: True, 1: False}
    assert lesion.known.all(axis=(1, 2)).tolist() == [False, True, False, False]
    assert out.opinions.of("node", "").slice_votes == {1: False}


def test_rows_of_points(monkeypatch):
    rows = plan("lesion", "lesion", kind="points", file_id="", keys=(), points=(1.0, 2, 3, 4, 5, 6, 7, 0))
    out = gathered(monkeypatch, rows)
    assert out.opinions.of("lesion", "").points == [(1, 2, 3, 4), (5, 6, 7, 0)]


@pytest.mark.parametrize(("task", "count"), [(Task.DETECTION, 2), (Task.SEGMENTATION, 0)])
def test_parts_are_kept_where_lesions_are_told_apart(monkeypatch, task, count):
    found = [Annotation(id="a", concept="lesion", shape=mask((1, 1, n))) for n in (1, 2)]
    contract = TaskContract(task=task, labels=CONTRACT.labels, channels=CONTRACT.channels, reference="ct")
    out = gathered(monkeypatch, plan("lesion", "lesion"), found=found, contract=contract)
    opinion = out.opinions.of("lesion", "")
    assert len(opinion.parts) == count
    assert np.argwhere(opinion.mask).tolist() == [[1, 1, 1], [1, 1, 2]]
