import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import FormatError
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.imaging.shapes import BoxShape, PointShape, TurnedBox
from isocenter.model.annotation import AnnotationState
from isocenter.model.grid import Grid
from tests.contracts.files import markups_bytes

GRID = Grid((10, 12, 14), np.eye(4))


def document(*markups):
    return markups_bytes(*markups).decode()


def read(tmp_path, text, name="a.mrk.json"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return iso.read_annotations(path)


def point(label, position, **more):
    return {"label": label, "position": position, **more}


@pytest.mark.parametrize(("system", "sign"), [("LPS", -1), ("RAS", 1), (None, -1)])
def test_every_point_of_a_list_is_one_annotation(system, sign, tmp_path):
    item = {"type": "Fiducial", "name": "F", "controlPoints": [point("tip", [1, 2, 3]), point("", [4, 5, 6])]}
    tip, other = read(tmp_path, document(item | ({"coordinateSystem": system} if system else {})))
    assert (tip.concept, other.concept) == ("tip", "F-2")
    assert tip.shape.points_mm.tolist() == [[sign, 2 * sign, 3]]
    assert tip.state is AnnotationState.MARKED


def test_a_unit_is_obeyed(tmp_path):
    item = {"type": "Fiducial", "coordinateSystem": "RAS", "controlPoints": [point("a", [1000, 2000, 3000])]}
    for unit in ("um", ["um", "UCUM", "micrometer"]):
        (found,) = read(tmp_path, document(item | {"coordinateUnits": unit}))
        assert found.shape.points_mm.tolist() == [[1, 2, 3]]
    with pytest.raises(FormatError) as caught:
        read(tmp_path, document(item | {"coordinateUnits": "inch"}))
    assert caught.value.reason == "file/unsupported"


@pytest.mark.parametrize("status", ["undefined", "preview"])
def test_a_point_that_was_not_set_is_not_annotated(status, tmp_path):
    item = {"type": "Fiducial", "controlPoints": [point("a", [1, 2, 3], positionStatus=status)]}
    (found,) = read(tmp_path, document(item))
    assert (found.state, found.shape) == (AnnotationState.NOT_ANNOTATED, None)


def test_a_line_has_a_length(tmp_path):
    points = [point("L-1", [0, 0, 0]), point("L-2", [3, 4, 12])]
    (found,) = read(tmp_path, document({"type": "Line", "name": "L", "controlPoints": points}))
    assert found.concept == "L"
    assert found.shape.is_line
    assert found.shape.length_mm == 13
    assert found.shape.points_mm[1].tolist() == [-3, -4, 12]


def test_a_region_along_the_axes_is_a_plain_box(tmp_path):
    item = {"type": "ROI", "name": "R", "center": [-5, -6, 4], "size": [4, 6, 2]}
    # two axes may be swapped and point the other way: it is the same box
    for orientation in ([1, 0, 0, 0, 1, 0, 0, 0, 1], [-1, 0, 0, 0, -1, 0, 0, 0, 1]):
        (found,) = read(tmp_path, document(item | {"orientation": orientation}))
        assert found.shape == BoxShape((3, 3, 3), (7, 9, 5))
        assert found.mask(GRID).sum() == 4 * 6 * 2
    (swapped,) = read(tmp_path, document(item | {"orientation": [0, -1, 0, 1, 0, 0, 0, 0, 1]}))
    assert swapped.shape == BoxShape((2, 4, 3), (8, 8, 5))


def test_a_turned_region(tmp_path):
    c, s = np.cos(0.5), np.sin(0.5)
    orientation = [c, -s, 0, s, c, 0, 0, 0, 1]  # columns are the edges' directions, in LPS
    item = {"type": "ROI", "center": [-6.2, -5.1, 4.6], "size": [7, 3, 5], "orientation": orientation}
    (found,) = read(tmp_path, document(item))
    assert isinstance(found.shape, TurnedBox)
    k, j, i = np.meshgrid(*map(np.arange, GRID.shape), indexing="ij")
    lps = np.stack([-i, -j, k], axis=-1) - np.array((-6.2, -5.1, 4.6))
    along = lps @ np.reshape(orientation, (3, 3))
    expected = (np.abs(along) <= np.array((3.5, 1.5, 2.5))).all(axis=-1)
    assert expected.sum() > 50
    assert np.array_equal(found.mask(GRID), expected)
    around = found.shape.around
    assert around.hi_mm[0] - around.lo_mm[0] == pytest.approx(7 * c + 3 * s)


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "ROI", "center": [0, 0, 0], "size": [1, 1, 1], "orientation": [1, 1, 0, 0, 1, 0, 0, 0, 1]},
        {"type": "ROI", "center": [0, 0, 0], "size": [1, -1, 1]},
        {"type": "ROI", "center": [0, 0, 0], "size": [1, 1, 1], "insideOut": True},
        {"type": "Fiducial", "controlPoints": [{"position": [0, 1]}]},
        {"type": "Fiducial", "controlPoints": [{"position": [0, 1, float("nan")]}]},
        {"type": "Fiducial", "coordinateSystem": "IJK", "controlPoints": []},
        {"name": "no type"},
    ],
)
def test_what_cannot_be_placed_is_refused(broken, tmp_path):
    with pytest.raises(FormatError):
        read(tmp_path, document(broken))


FCSV = "# Markups fiducial file version = 4.11\n# CoordinateSystem = {}\n# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"


@pytest.mark.parametrize(("system", "sign"), [("LPS", -1), ("1", -1), ("RAS", 1), ("0", 1)])
def test_a_list_of_points_says_its_coordinate_system(system, sign, tmp_path):
    text = FCSV.format(system) + 'vtk_0,1,2,3,0,0,0,1,1,1,0,"apex, left",,\n'
    (found,) = read(tmp_path, text, "a.fcsv")
    assert found.concept == "apex, left"
    assert found.shape.points_mm.tolist() == [[sign, 2 * sign, 3]]


def test_points_by_voxel_number_are_refused(tmp_path):
    with pytest.raises(FormatError) as caught:
        read(tmp_path, FCSV.format("2") + "0,1,2,3,0,0,0,1,1,1,0,a,,\n", "a.fcsv")
    assert caught.value.reason == "file/unsupported"


def test_a_list_that_was_cut_is_refused(tmp_path):
    with pytest.raises(FormatError) as caught:
        read(tmp_path, FCSV.format("LPS") + "0,1,2,3", "a.fcsv")
    assert caught.value.reason == "file/truncated"


def test_points_lie_in_their_voxels():
    shape = PointShape(np.array([[2.4, 3.6, 4.0], [99, 0, 0], [-0.4, 0, 0]]))
    assert np.argwhere(shape.mask(GRID)).tolist() == [[0, 0, 0], [4, 4, 2]]


def test_parts_tell_shapes(tmp_path):
    path = tmp_path / "a.mrk.json"
    path.write_text(
        document({"type": "ROI", "name": "R", "center": [0, 0, 0], "size": [1, 1, 1]}), encoding="utf-8"
    )
    (part,) = ANNOTATIONS.get("slicer-markups").parts(path)
    assert (part.key, part.name, part.shape) == (1, "R", "boxes")
