"""Masks that are not on the voxels of their image: placed, held or refused, as the cohort says."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter.imaging.alignment import ACCEPTABLE, Cause
from isocenter.imaging.shapes import BoxShape, FractionShape, MaskShape
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.issue import Severity
from isocenter.stages.build.aligned import AlignPolicy, placed_on

AFFINE = np.diag([-0.75, -0.75, 2.0, 1.0])
AFFINE[:3, 3] = 90.5, 120.25, -31
IMAGE = Grid((6, 10, 12), AFFINE, "frame")
MASK = np.zeros(IMAGE.shape, bool)
MASK[2:4, 3:6, 4:9] = True


def drawn(affine=AFFINE, mask=MASK, *, is_part=False, frame="", concept="lesion"):
    grid = Grid(mask.shape, np.array(affine, float), frame)
    shape = MaskShape(mask, grid, is_part=is_part)
    return Annotation(id="annotation-1", concept=concept, rater="r", shape=shape, grid=grid)


def one(annotation, **policy):
    (placed,) = placed_on([annotation], IMAGE, AlignPolicy(**policy))
    return placed


def moved(*voxels):
    affine = AFFINE.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array(voxels[::-1], float)
    return affine


def negated():
    return np.diag([-1.0, -1, 1, 1]) @ AFFINE


def severities(placed):
    return [issue.severity for issue in placed.issues]


def test_a_mask_on_its_images_grid_is_not_touched():
    annotation = drawn()
    placed = one(annotation)
    assert placed.annotation is annotation
    assert (placed.issues, placed.kind, placed.proposal) == ((), Cause.EXACT, None)


def test_what_has_no_voxels_of_its_own_is_not_touched():
    for shape in (None, BoxShape((0, 0, 0), (1, 1, 1))):
        annotation = replace(drawn(), shape=shape)
        assert one(annotation).annotation is annotation
        assert one(annotation).kind is None


def test_rounding_is_noted_with_what_is_left():
    placed = one(drawn(moved(0, 0.02, 0)))
    assert np.array_equal(placed.annotation.mask(IMAGE), MASK)
    (issue,) = placed.issues
    assert (issue.rule, issue.severity, issue.measured) == (
        "read/grid-rounding",
        Severity.NOTE,
        "0.02 voxels",
    )
    assert issue.unit == "corners 0.015 mm apart"


def test_a_part_is_put_in_its_place_and_nothing_is_said_of_the_rest():
    part = MASK[1:5, 2:8, 3:11]
    placed = one(drawn(moved(1, 2, 3), part))
    assert np.array_equal(placed.annotation.mask(IMAGE), MASK)
    assert [i.rule for i in placed.issues] == ["read/grid-part"]
    assert placed.annotation.state is AnnotationState.PARTIAL
    looked = placed.annotation.extent.mask(IMAGE)
    assert looked[1:5, 2:8, 3:11].all()
    assert looked.sum() == part.size


def test_a_format_that_cuts_its_masks_speaks_of_the_whole_image():
    placed = one(drawn(moved(1, 2, 3), MASK[1:5, 2:8, 3:11], is_part=True))
    assert placed.annotation.state is AnnotationState.MARKED
    assert placed.annotation.extent is None
    assert np.array_equal(placed.annotation.mask(IMAGE), MASK)


def test_what_is_marked_outside_the_image_is_refused():
    placed = one(drawn(moved(4, 0, 0), MASK[:4]))
    assert placed.annotation.state is AnnotationState.FAILED
    assert placed.annotation.shape is None
    assert [i.rule for i in placed.issues] == ["read/grid-part", "read/other-grid"]


@pytest.mark.parametrize(
    ("affine", "rule"),
    [
        (moved(0, 0.5, 0.5), "read/grid-half-voxel"),
        (negated(), "read/grid-negated"),
        (np.diag([10, 10, 10, 1.0]) @ AFFINE, "read/grid-unit"),
        (np.eye(4), "read/grid-without-position"),
    ],
)
def test_a_suspected_mistake_is_held_until_a_person_accepts_it(affine, rule):
    placed = one(drawn(affine))
    assert placed.annotation.state is AnnotationState.FAILED
    assert [(i.rule, i.severity) for i in placed.issues] == [(rule, Severity.REVIEW)]
    assert np.array_equal(placed.proposal, MASK)
    placed = one(drawn(affine), accept=(str(placed.kind),))
    assert placed.annotation.state is AnnotationState.MARKED
    assert np.array_equal(placed.annotation.mask(IMAGE), MASK)
    assert [(i.rule, i.severity) for i in placed.issues] == [(rule, Severity.NOTE)]
    assert placed.proposal is None


def test_one_slice_less_is_refused_unless_it_is_accepted():
    short = drawn(AFFINE, MASK[:5])
    assert [(i.rule, i.severity) for i in one(short).issues] == [("read/other-grid", Severity.REJECT)]
    placed = one(short, accept=("off-by-one",))
    assert np.array_equal(placed.annotation.mask(IMAGE), MASK)
    assert placed.annotation.state is AnnotationState.PARTIAL
    assert not placed.annotation.extent.mask(IMAGE)[5].any()


def test_a_turn_in_doubt_is_shown_as_its_header_says():
    centred = AFFINE.copy()
    centred[:2, 3] = 0.75 * 11 / 2, 0.75 * 9 / 2
    image, other = Grid(IMAGE.shape, centred), np.diag([-1.0, -1, 1, 1]) @ centred
    for accept, severity, mask in (
        ((), Severity.REVIEW, MASK[:, ::-1, ::-1]),
        (("turn",), Severity.NOTE, MASK[:, ::-1, ::-1]),
        (("negated",), Severity.NOTE, MASK),
    ):
        (placed,) = placed_on([drawn(other)], image, AlignPolicy(accept=accept))
        assert [(i.rule, i.severity) for i in placed.issues] == [("read/grid-turn", severity)]
        assert np.array_equal(placed.annotation.mask(image), mask)
        assert (placed.proposal is None) == bool(accept)
        assert accept or np.array_equal(placed.proposal, MASK)


def test_other_voxels_are_resampled_and_held_with_volumes_and_pieces():
    fine = np.repeat(np.repeat(np.repeat(MASK, 2, 0), 2, 1), 2, 2)
    affine = AFFINE @ np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] = AFFINE[:3, 3] - AFFINE[:3, :3] @ [0.25, 0.25, 0.25]
    placed = one(drawn(affine, fine))
    assert np.array_equal(placed.annotation.mask(IMAGE), MASK)
    assert placed.annotation.state is AnnotationState.MARKED
    (issue,) = placed.issues
    assert (issue.rule, issue.severity) == ("read/grid-resampled", Severity.REVIEW)
    assert placed.change.drawn_before_ml == pytest.approx(placed.change.drawn_after_ml) == 0.03375
    assert issue.expected == "0.03375 ml in 1 pieces"
    assert issue.measured.startswith("0.03375 ml in 1 pieces (")
    assert severities(one(drawn(affine, fine), other_grid="resample")) == [Severity.NOTE]
    refused = one(drawn(affine, fine), other_grid="reject")
    assert refused.annotation.state is AnnotationState.FAILED
    assert [(i.rule, i.severity) for i in refused.issues] == [("read/other-grid", Severity.REJECT)]


def test_masks_of_one_file_come_over_together_without_gaps():
    """Three labels of a third each: each by itself would leave a hole where they meet."""
    rng = np.random.default_rng(0)
    labels = rng.integers(1, 4, (12, 20, 24))
    affine = AFFINE @ np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] = AFFINE[:3, 3] - AFFINE[:3, :3] @ [0.25, 0.25, 0.25]
    grid = Grid(labels.shape, affine)
    drawings = [
        replace(drawn(), shape=MaskShape(labels == n, grid), grid=grid, concept=str(n)) for n in (1, 2, 3)
    ]
    found = placed_on(drawings, IMAGE, AlignPolicy())
    assert [p.annotation.concept for p in found] == ["1", "2", "3"]
    assert (sum(p.annotation.mask(IMAGE).astype(int) for p in found) == 1).all()


def test_a_grid_that_covers_a_part_of_the_image_leaves_the_rest_unknown():
    affine = moved(0, 0, 0) @ np.diag([1.3, 1.3, 1.3, 1])
    placed = one(drawn(affine, np.ones((3, 4, 5), bool)))
    assert placed.annotation.state is AnnotationState.PARTIAL
    assert np.array_equal(placed.annotation.extent.mask(IMAGE), placed.annotation.mask(IMAGE))


def test_a_mask_as_large_as_its_image_and_beside_it_is_never_taken_unseen():
    annotation = drawn(moved(0, 1, 0))
    for policy in ({}, {"other_grid": "resample"}):
        placed = one(annotation, **policy)
        assert [(i.rule, i.severity) for i in placed.issues] == [("read/grid-shifted", Severity.REVIEW)]
        assert np.array_equal(placed.annotation.mask(IMAGE)[:, 1:], MASK[:, :-1])
    assert severities(one(annotation, accept=("shifted",))) == [Severity.NOTE]


def nothing(affine=AFFINE, size=MASK.shape, source="nifti"):
    grid = Grid(size, np.array(affine, float))
    state = AnnotationState.ABSENT
    return Annotation(id="annotation-1", concept="cyst", state=state, grid=grid, source=source)


def test_nothing_found_speaks_of_the_voxels_that_were_there():
    assert one(nothing()).annotation.state is AnnotationState.ABSENT
    placed = one(nothing(moved(1, 2, 3), (4, 6, 8)))
    assert placed.annotation.state is AnnotationState.PARTIAL
    assert placed.annotation.extent.mask(IMAGE).sum() == 4 * 6 * 8
    coarse = one(nothing(AFFINE @ np.diag([1.3, 1.3, 1.3, 1]), (3, 4, 5)))
    assert coarse.annotation.state is AnnotationState.PARTIAL
    assert coarse.annotation.extent.mask(IMAGE).any()
    assert [i.rule for i in coarse.issues] == ["read/grid-resampled"]
    assert one(nothing(moved(1, 2, 3), (4, 6, 8), "dicom-seg")).annotation.state is AnnotationState.ABSENT


def test_nothing_found_on_a_grid_that_is_not_trusted_is_not_known():
    for affine in (negated(), np.eye(4)):
        placed = one(nothing(affine))
        assert placed.annotation.state is AnnotationState.FAILED
        assert placed.proposal is None
        assert one(nothing(affine), accept=(str(placed.kind),)).annotation.state is AnnotationState.ABSENT


def test_what_is_true_of_a_file_is_told_once():
    grid = Grid(MASK.shape, negated())
    both = [replace(drawn(), shape=MaskShape(MASK, grid), grid=grid), replace(nothing(), grid=grid)]
    first, second = placed_on(both, IMAGE, AlignPolicy())
    assert len(first.issues) == 1
    assert second.issues == ()
    assert second.annotation.state is AnnotationState.FAILED


def test_another_frame_is_refused():
    placed = one(drawn(frame="another"))
    assert placed.annotation.state is AnnotationState.FAILED
    assert [(i.rule, i.severity) for i in placed.issues] == [("read/other-frame", Severity.REJECT)]
    assert placed.proposal is None


def test_fractions_keep_their_values_on_the_images_voxels_and_are_cut_elsewhere():
    grid = Grid(MASK.shape, AFFINE)
    fraction = replace(drawn(), shape=FractionShape(MASK.astype(np.uint8) * 9, 10, grid))
    assert one(fraction).annotation is fraction
    elsewhere = replace(fraction, shape=replace(fraction.shape, grid=Grid(MASK.shape, moved(0, 1, 0))))
    assert np.array_equal(one(elsewhere).annotation.mask(IMAGE)[:, 1:], MASK[:, :-1])


def test_what_may_be_accepted_are_causes_of_which_something_follows():
    assert set(ACCEPTABLE) == {
        *("half-voxel", "negated", "no-position", "off-by-one", "shifted", "turn", "unit"),
    }
