"""Agreement and consensus against SimpleITK."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as its own documentation has it

from isocenter.agreement.consensus import fuse
from isocenter.agreement.metrics import agreement_of, dice
from isocenter.imaging.masks import volume_ml
from isocenter.model.grid import Grid

SHAPE = (9, 20, 22)
GRID = Grid(SHAPE, np.diag([0.7, 0.8, 2.5, 1.0]))


def masks(count: int, seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    k, j, i = np.indices(SHAPE)
    found = []
    for _ in range(count):
        centre, radius = np.array([4, 10, 11]) + random.uniform(-2, 2, 3), random.uniform(3, 8)
        found.append((2 * k - 2 * centre[0]) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2 < radius**2)
    return found


def to_sitk(mask: np.ndarray) -> sitk.Image:
    return sitk.GetImageFromArray(mask.astype(np.uint8))


@pytest.mark.parametrize("seed", range(10))
def test_dice_equals_the_overlap_measures(seed: int) -> None:
    a, b = masks(2, seed)
    measures = sitk.LabelOverlapMeasuresImageFilter()
    measures.Execute(to_sitk(a), to_sitk(b))
    assert dice(a, b) == pytest.approx(measures.GetDiceCoefficient(1), rel=1e-15)
    (found,) = agreement_of({"a": a, "b": b}, "liver", GRID)
    assert found.dice == dice(a, b)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize(("tie", "undecided"), [("background", 0), ("foreground", 1)])
def test_majority_equals_label_voting(count: int, tie: str, undecided: int) -> None:
    given = masks(count, count)
    voting = sitk.LabelVotingImageFilter()
    voting.SetLabelForUndecidedPixels(undecided)
    expected = sitk.GetArrayFromImage(voting.Execute([to_sitk(mask) for mask in given]))
    raters = {f"rater-{n}": mask for n, mask in enumerate(given)}
    found = fuse({"liver": raters}, grid=GRID, tie=tie).masks["liver"]
    assert np.array_equal(found, expected == 1)
    assert 0 < found.sum() < found.size


def test_volume_equals_shape_statistics() -> None:
    (mask,) = masks(1, 3)
    image = to_sitk(mask)
    image.SetSpacing((0.7, 0.8, 2.5))
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(image)
    assert volume_ml(mask, GRID) == pytest.approx(shape.GetPhysicalSize(1) / 1000, rel=1e-12)
