"""What was looked at, on grids of other order and other voxels."""

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.imaging.affine import canonical, match
from isocenter.imaging.shapes import MaskShape
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.rows import PlannedAnnotation
from isocenter.model.volume import Slice, Volume
from isocenter.stages.build.extents import Extents

NATIVE = Grid((4, 3, 2), np.array([[-1, 0, 0, 10], [0, -1, 0, 20], [0, 0, -2, 30], [0, 0, 0, 1.0]]))


def volume(grid=NATIVE):
    slices = tuple(Slice(position_mm=2.0 * k, instance=f"slice-{k}") for k in range(grid.shape[0]))
    return Volume(
        id="v", array=np.zeros(grid.shape, np.int16), grid=grid, unit="HU", modality="CT", slices=slices
    )


def upside_down():
    reorder = canonical(NATIVE)
    return Extents(volume(), reorder.grid, reorder)


def plan(**more):
    return PlannedAnnotation(id="a", kind="mask", format="nifti", rater="", on="v", **more)


def test_slices_by_name_where_the_case_runs_the_other_way():
    extents = upside_down()
    assert extents.of_slices(["slice-1", "slice-3"]).all(axis=(1, 2)).tolist() == [True, False, True, False]
    assert [extents.packed_number_of(f"slice-{n}") for n in range(4)] == [3, 2, 1, 0]
    assert extents.of_slices(["", ""]) is None
    assert not extents.of_slices((), is_some=True).any()


def test_a_slice_that_is_not_there():
    with pytest.raises(FormatError):
        upside_down().of_slices(["slice-9"])


def test_slices_on_a_finer_grid():
    """Each of the case's slices takes what is known from the slice that it is nearest to."""
    fine = Grid((8, 3, 2), np.array([[-1, 0, 0, 10], [0, -1, 0, 20], [0, 0, -1, 30.5], [0, 0, 0, 1.0]]))
    extents = Extents(volume(), fine, None)
    assert extents.of_slices(["slice-1"]).any(axis=(1, 2)).tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_slices_across_the_cases_planes_have_no_number():
    sagittal = Grid((2, 3, 4), np.array([[0, 0, -1, 10], [0, -1, 0, 20], [-2, 0, 0, 30], [0, 0, 0, 1.0]]))
    assert Extents(volume(), sagittal, None).packed_number_of("slice-1") is None


def drawn(*voxels, concept="lesion", **more):
    mask = np.zeros(NATIVE.shape, bool)
    for voxel in voxels:
        mask[voxel] = True
    return Annotation(id="a", concept=concept, shape=MaskShape(mask, NATIVE), **more)


def same():
    return Extents(volume(), NATIVE, match(NATIVE, NATIVE).reorder)


def test_what_a_source_covers():
    both = [drawn((1, 1, 1)), drawn((3, 0, 0), concept="heart")]
    assert same().of_drawings(both, plan()) == {"lesion": None, "heart": None}
    slices = same().of_drawings(both, plan(covers="slices"))
    # whoever marked the heart on a slice looked there for lesions too
    assert slices["lesion"].all(axis=(1, 2)).tolist() == [False, True, False, True]
    np.testing.assert_array_equal(slices["heart"], slices["lesion"])
    assert not same().of_drawings(both, plan(covers="marks"))["lesion"].any()


def test_what_an_annotation_says_of_itself():
    top = np.zeros(NATIVE.shape, bool)
    top[:2] = True
    said = drawn((1, 1, 1), state=AnnotationState.PARTIAL, extent=MaskShape(top, NATIVE))
    np.testing.assert_array_equal(same().of_drawings([said], plan())["lesion"], top)
    nothing = drawn((1, 1, 1), state=AnnotationState.PARTIAL)
    assert not same().of_drawings([nothing], plan())["lesion"].any()
    assert same().of_drawings([said, drawn((0, 0, 0))], plan())["lesion"] is None


def test_slices_that_were_searched():
    found = same().of_drawings([drawn((1, 1, 1))], plan(searched_slices=("slice-0", "slice-1")))
    assert found["lesion"].all(axis=(1, 2)).tolist() == [True, True, False, False]
    marks = plan(covers="marks", searched_slices=("slice-0",))
    assert not same().of_drawings([drawn((1, 1, 1))], marks, ["slice-1"])["lesion"].any()


def test_slices_that_boxes_reach_over():
    inside = same().of_boxes([(8.5, 17.5, 25.0, 10.5, 20.5, 29.0)])  # 25 to 29 mm: slices at 28 and 26
    assert inside.all(axis=(1, 2)).tolist() == [False, True, True, False]
