import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import FormatError
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.image import FORMATS
from isocenter.imaging.pixel_outlines import PixelOutlines, PixelPoints
from isocenter.imaging.shapes import Contours, EllipsoidShape, PointShape
from isocenter.model.grid import Grid
from tests.contracts.files import content, dicom_bytes, in_space, item, measurement_group, report_dataset

GRID = Grid((12, 20, 22), np.diag([-1.0, -1.0, 1.0, 1.0]))


def pixels(kind, points):
    return content("SCOORD", GraphicType=kind, GraphicData=np.asarray(points, float).ravel().tolist())


def length(*children):
    return content("NUM", ("410668003", "Length", "SCT"), children=children)


def group(*children, name="lesion 1", **more):
    return measurement_group(*children, name=name, **more)


def read(tmp_path, *groups):
    path = tmp_path / "report.dcm"
    path.write_bytes(dicom_bytes(report_dataset(*groups)))
    return path, iso.read_annotations(path)


def test_a_polygon_is_a_contour_in_ras(tmp_path):
    corners = [(2.5, 3.5, 4), (9.5, 3.5, 4), (9.5, 8.5, 4), (2.5, 8.5, 4), (2.5, 3.5, 4)]
    path, (found,) = read(tmp_path, group(in_space("POLYGON", corners)))
    assert isinstance(found.shape, Contours)
    mask = found.mask(GRID)
    assert mask[4, 4:9, 3:10].all()
    assert mask.sum() == 5 * 7
    (part,) = ANNOTATIONS.get("dicom-report").parts(path)
    assert (part.name, part.code, part.shape) == ("lesion 1", "SCT:52988006", "contours")


def test_coordinates_below_a_measurement_are_found_once(tmp_path):
    ends = [(1, 2, 3), (4, 6, 3)]
    _, (found,) = read(
        tmp_path, group(length(in_space("POLYLINE", ends)), length(in_space("POLYLINE", ends)))
    )
    assert isinstance(found.shape, PointShape)
    assert found.shape.length_mm == 5
    assert found.shape.points_mm.tolist() == [[-1, -2, 3], [-4, -6, 3]]


def test_groups_of_several_planes_points_and_names(tmp_path):
    square = [(2.5, 2.5), (6.5, 2.5), (6.5, 6.5), (2.5, 6.5), (2.5, 2.5)]
    planes = [in_space("POLYGON", [(x, y, k) for x, y in square]) for k in (2, 3, 5)]
    _, found = read(
        tmp_path,
        group(*planes, name="volume"),
        group(in_space("POINT", [(7, 8, 9)]), name="", finding=("1", "Apex", "99X")),
        group(length(), name="no place"),
    )
    assert [a.concept for a in found] == ["volume", "Apex"]
    assert [bool(p.any()) for p in found[0].mask(GRID)[1:7]] == [0, 1, 1, 0, 1, 0]
    assert np.argwhere(found[1].mask(GRID)).tolist() == [[9, 8, 7]]


def test_ellipse_and_ellipsoid(tmp_path):
    middle = np.array((10.2, 9.4, 5.0))
    ends = [middle + v for v in ((7, 0, 0), (-7, 0, 0), (0, 4, 0), (0, -4, 0), (0, 0, 3.2), (0, 0, -3.2))]
    _, (flat, solid) = read(
        tmp_path, group(in_space("ELLIPSE", ends[:4])), group(in_space("ELLIPSOID", ends))
    )
    k, j, i = np.meshgrid(*map(np.arange, GRID.shape), indexing="ij")
    level = ((i - 10.2) / 7) ** 2 + ((j - 9.4) / 4) ** 2
    assert np.count_nonzero(flat.mask(GRID)[5] != (level[5] < 1)) <= 1
    assert isinstance(solid.shape, EllipsoidShape)
    assert np.array_equal(solid.mask(GRID), level + ((k - 5) / 3.2) ** 2 < 1)


def test_what_is_given_in_pixels_is_told(tmp_path):
    _, (found,) = read(tmp_path, group(length(pixels("POLYLINE", [(1, 2), (3, 4)]))))
    assert (found.state, found.shape) == ("not_annotated", None)
    assert [i.rule for i in found.issues] == ["read/in-pixels"]


@pytest.mark.parametrize(
    "broken",
    [
        [in_space("ELLIPSE", [(0, 0, 0), (1, 0, 0)])],
        [
            in_space(
                "ELLIPSOID", [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0.5, 0.5, 1), (-0.5, -0.5, -1)]
            )
        ],
        [in_space("SPIRAL", [(0, 0, 0)])],
        [in_space("POINT", [(0, 0, 0)]), in_space("POINT", [(0, 0, 0)], frame="2.25.9")],
        [content("SCOORD3D", GraphicType="POINT", GraphicData=[1.0, 2.0])],
        [content("SCOORD3D", GraphicType="POINT", GraphicData=[1.0, 2.0, float("nan")])],
    ],
)
def test_what_makes_no_sense_is_refused(broken, tmp_path):
    with pytest.raises(FormatError):
        read(tmp_path, group(*broken))


def on_image(kind, points, uid="1.2.3", frame=None):
    """Coordinates in pixels, selected from one image."""
    reference = {"ReferencedSOPInstanceUID": uid, "ReferencedSOPClassUID": "1.2"}
    if frame:
        reference["ReferencedFrameNumber"] = frame
    image = content("IMAGE", ReferencedSOPSequence=[item(**reference)])
    flat = np.asarray(points, float).ravel().tolist()
    return content("SCOORD", GraphicType=kind, GraphicData=flat, children=[image])


def test_what_is_given_in_pixels_of_a_named_image_is_on_that_image(tmp_path):
    ring = [(2, 3), (9, 3), (9, 8), (2, 8), (2, 3)]
    path, found = read(
        tmp_path,
        group(on_image("POLYLINE", ring), length(on_image("POLYLINE", [(1, 2), (4, 6)]))),
        group(on_image("CIRCLE", [(10, 9), (14.2, 9)], uid="1.2.4", frame=3), name="round"),
    )
    picture = Grid((1, 20, 22), np.eye(4))
    region, line, circle = found
    assert isinstance(region.shape, PixelOutlines)
    assert region.mask(picture)[0, 3:8, 2:9].all()
    assert region.mask(picture).sum() == 5 * 7
    assert isinstance(line.shape, PixelPoints)
    assert line.shape.is_line
    j, i = np.mgrid[:20, :22] + 0.5
    assert np.count_nonzero(circle.mask(picture)[0] != (np.hypot(i - 10, j - 9) < 4.2)) <= 2
    parts = ANNOTATIONS.get("dicom-report").parts(path)
    assert [p.picture for p in parts] == ["1.2.3", "1.2.3", "1.2.4#3"]


def test_the_row_of_a_report_names_the_images_of_its_content(tmp_path):
    path, _ = read(tmp_path, group(on_image("POINT", [(1, 2)])), group(in_space("POINT", [(1, 2, 3)])))
    row = FORMATS.get("dicom").scan(path, "fil", 2, "s").annotation
    assert (row.format, row.source, row.referenced_instance_uids) == ("dicom-report", 2, ("1.2.3",))
    assert (row.pictures, row.samples_mm) == (("", "1.2.3")[::-1], (-1.0, -2.0, 3.0))
    assert row.labels == ("lesion 1", "lesion 1")
    other = tmp_path / "other.dcm"
    other.write_bytes(dicom_bytes(report_dataset()))
    assert FORMATS.get("dicom").scan(other, "fil", 2, "s").annotation is None
