import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import FormatError
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.imaging.pixel_outlines import PixelOutlines, PixelPoints
from isocenter.imaging.shapes import Contours, EllipsoidShape, PointShape
from isocenter.model.grid import Grid
from tests.contracts.files import aim_bytes

PICTURE = Grid((1, 20, 24), np.eye(4))
# version 3, as it is written by older programs
OLD = b"""<?xml version="1.0"?>
<ImageAnnotation xmlns="gme://caCORE.caCORE/3.2/edu.northwestern.radiology.AIM"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="Lesion 1" codeMeaning="Mass" codeValue="RID3874"
 codingSchemeDesignator="RadLex">
 <user><User name="A Reader" loginName="reader1"/></user>
 <imageReferenceCollection><ImageReference xsi:type="DICOMImageReference"><study><Study instanceUID="1.1"><series>
  <Series instanceUID="1.2"><imageCollection><Image sopInstanceUID="1.3"/></imageCollection></Series>
 </series></Study></study></ImageReference></imageReferenceCollection>
 <patient><Patient name="Someone" patientID="P-1"/></patient>
 <geometricShapeCollection>
  <GeometricShape includeFlag="true" shapeIdentifier="0" xsi:type="Polyline"><spatialCoordinateCollection>
   <SpatialCoordinate coordinateIndex="1" imageReferenceUID="1.3" referencedFrameNumber="1" x="9" y="2"/>
   <SpatialCoordinate coordinateIndex="0" imageReferenceUID="1.3" referencedFrameNumber="1" x="2" y="2"/>
   <SpatialCoordinate coordinateIndex="2" imageReferenceUID="1.3" referencedFrameNumber="1" x="9" y="8"/>
   <SpatialCoordinate coordinateIndex="3" imageReferenceUID="1.3" referencedFrameNumber="1" x="2" y="8"/>
  </spatialCoordinateCollection></GeometricShape>
 </geometricShapeCollection>
</ImageAnnotation>"""


def read(tmp_path, data):
    path = tmp_path / "a.xml"
    path.write_bytes(data)
    return path, iso.read_annotations(path)


def test_version_3_is_read_in_the_order_of_its_points(tmp_path):
    path, (found,) = read(tmp_path, OLD)
    mask = found.mask(PICTURE)
    assert mask[0, 2:8, 2:9].all()
    assert mask.sum() == 6 * 7
    known = ANNOTATIONS.get("aim")
    [part] = known.parts(path)
    assert (part.name, part.code, part.id, part.picture) == ("Lesion 1", "RadLex:RID3874", "Mass", "1.3")
    row = known.row(path, "fil", 0, "s")
    assert (row.patient_id, row.referenced_series_uids, row.referenced_instance_uids) == (
        "P-1",
        ("1.2",),
        ("1.3",),
    )
    assert row.raters == ("reader1",)


def test_regions_holes_circles_and_ellipses(tmp_path):
    square = [(2, 2), (18, 2), (18, 18), (2, 18)]
    hole = [(6, 6), (10, 6), (10, 10), (6, 10)]
    _, (found,) = read(
        tmp_path,
        aim_bytes(("TwoDimensionPolyline", "1.3", square), ("TwoDimensionPolyline", "1.3", hole, False)),
    )
    assert isinstance(found.shape, PixelOutlines)
    assert found.mask(PICTURE).sum() == 16 * 16 - 4 * 4
    middle = np.array((10.0, 9.0))
    j, i = np.mgrid[:20, :24] + 0.5
    _, (circle,) = read(tmp_path, aim_bytes(("TwoDimensionCircle", "1.3", [(10, 9), (10, 14.2)])))
    inside = np.hypot(i - middle[0], j - middle[1]) < 5.2
    assert np.count_nonzero(circle.mask(PICTURE)[0] != inside) <= 2
    ends = [(3, 9), (17, 9), (10, 5), (10, 13)]
    _, (ellipse,) = read(tmp_path, aim_bytes(("TwoDimensionEllipse", "1.3", ends)))
    inside = ((i - middle[0]) / 7) ** 2 + ((j - middle[1]) / 4) ** 2 < 1
    assert np.count_nonzero(ellipse.mask(PICTURE)[0] != inside) <= 2


def test_images_of_one_annotation_stay_apart_and_points_are_points(tmp_path):
    path, found = read(
        tmp_path,
        aim_bytes(
            ("TwoDimensionPoint", "1.3", [(4.5, 6.5)]),
            ("TwoDimensionMultiPoint", "1.3", [(1, 1), (5, 4)]),
            ("TwoDimensionPoint", "1.4", [(1.2, 3.9)]),
        ),
    )
    assert [type(a.shape) for a in found] == [PixelPoints] * 3
    assert sorted(p.picture for p in ANNOTATIONS.get("aim").parts(path)) == ["1.3", "1.3", "1.4"]
    point = next(a for a in found if a.on == "1.3" and not a.shape.is_line)
    assert np.argwhere(point.mask(PICTURE)).tolist() == [[0, 6, 4]]


def test_three_dimensions_are_millimetres_in_ras(tmp_path):
    grid = Grid((12, 20, 22), np.diag([-1.0, -1.0, 1.0, 1.0]))
    corners = [(2.5, 3.5, 4), (9.5, 3.5, 4), (9.5, 8.5, 4), (2.5, 8.5, 4), (2.5, 3.5, 4)]
    _, (plane,) = read(tmp_path, aim_bytes(("ThreeDimensionPolyline", "1.9", corners)))
    assert isinstance(plane.shape, Contours)
    assert plane.mask(grid)[4, 4:9, 3:10].all()
    assert plane.mask(grid).sum() == 5 * 7
    _, (point,) = read(tmp_path, aim_bytes(("ThreeDimensionPoint", "1.9", [(1, 2, 3)])))
    assert isinstance(point.shape, PointShape)
    assert point.shape.points_mm.tolist() == [[-1, -2, 3]]
    ends = [(3, 9, 5), (17, 9, 5), (10, 5, 5), (10, 13, 5), (10, 9, 2), (10, 9, 8)]
    _, (solid,) = read(tmp_path, aim_bytes(("ThreeDimensionEllipsoid", "1.9", ends)))
    assert isinstance(solid.shape, EllipsoidShape)
    assert solid.shape.centre_mm.tolist() == [-10, -9, 5]


def test_an_annotation_of_an_image_alone_is_a_label(tmp_path):
    path, (found,) = read(tmp_path, aim_bytes())
    assert (found.state, found.shape) == ("not_annotated", None)
    assert [p.shape for p in ANNOTATIONS.get("aim").parts(path)] == ["labels"]


@pytest.mark.parametrize(
    "data",
    [
        aim_bytes(("TwoDimensionSpiral", "1.3", [(1, 2)])),
        aim_bytes(("TwoDimensionEllipse", "1.3", [(1, 2), (3, 4)])),
        aim_bytes(("TwoDimensionPoint", "1.3", [("x", 2)])),
        aim_bytes(("TwoDimensionPoint", "1.3", [("nan", 2)])),
        aim_bytes(("ThreeDimensionPoint", "1.3", [(1, 2, "")])).replace(b'<x value="1"/>', b""),
        OLD.replace(b'imageReferenceUID="1.3"', b'imageReferenceUID="1.4"', 1),
        OLD.replace(b'coordinateIndex="1"', b'coordinateIndex="0"'),
    ],
)
def test_what_makes_no_sense_is_refused(data, tmp_path):
    with pytest.raises(FormatError):
        read(tmp_path, data)


def test_a_drawing_on_a_volume_or_beyond_its_image_is_refused(tmp_path):
    _, (found,) = read(tmp_path, OLD)
    with pytest.raises(FormatError):
        found.mask(Grid((2, 20, 24), np.eye(4)))
    with pytest.raises(FormatError):
        found.mask(Grid((1, 4, 4), np.eye(4)))
