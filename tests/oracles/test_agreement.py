"""Agreement and consensus against SimpleITK and published values."""

import krippendorff
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as its own documentation has it
from sklearn.metrics import cohen_kappa_score

from isocenter.agreement.consensus import fuse
from isocenter.agreement.kappa import cohen_kappa, fleiss_kappa, gwet_ac1, krippendorff_alpha
from isocenter.agreement.metrics import agreement_of, dice, overlap, overlaps_of_labels
from isocenter.agreement.staple import MARGIN, estimate
from isocenter.imaging.masks import volume_ml
from isocenter.model.grid import Grid

FLEISS = 0.4972769166317554
AC1 = 0.523107196907
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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_label_equals_the_overlap_measures(dtype: type) -> None:
    random = np.random.default_rng(7)
    first = np.repeat(random.integers(0, 25, (6, 20, 5)), 6, axis=2).astype(dtype)
    second = np.where(random.random(first.shape) < 0.8, first, random.integers(0, 25, first.shape)).astype(
        dtype
    )
    measures = sitk.LabelOverlapMeasuresImageFilter()
    measures.Execute(sitk.GetImageFromArray(first), sitk.GetImageFromArray(second))
    found = overlaps_of_labels(first, second)
    assert list(found) == list(range(1, 25))
    for label, each in found.items():
        assert each.dice == pytest.approx(measures.GetDiceCoefficient(label), rel=1e-14)
        assert each.iou == pytest.approx(measures.GetJaccardCoefficient(label), rel=1e-14)
        # ITK subtracts the target from the source, and means the same mean
        assert each.volume_difference == pytest.approx(
            -measures.GetVolumeSimilarity(label), rel=1e-13, abs=1e-15
        )
        assert each == overlap(first == label, second == label)


@pytest.mark.parametrize("seed", range(4))
def test_staple_equals_that_of_itk_on_the_same_box(seed: int) -> None:
    given = [np.pad(mask, MARGIN + 2) for mask in masks(3 + seed % 2, seed)]
    places = np.argwhere(np.any(given, axis=0))
    low, high = places.min(axis=0) - MARGIN, places.max(axis=0) + 1 + MARGIN
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    staple = sitk.STAPLEImageFilter()
    staple.SetForegroundValue(1)
    shares = staple.Execute([to_sitk(np.ascontiguousarray(mask[box])) for mask in given])
    found = estimate({str(n): mask for n, mask in enumerate(given)}, tie_is_foreground=False)
    assert np.array_equal(found.mask[box], sitk.GetArrayFromImage(shares) > 0.5)
    assert [p.sensitivity for p in found.performances] == pytest.approx(staple.GetSensitivity(), abs=1e-5)
    assert [p.specificity for p in found.performances] == pytest.approx(staple.GetSpecificity(), abs=1e-5)


# K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011: 4 observers, 12 units
RELIABILITY = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, np.nan, np.nan, np.nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, np.nan, 3],
        [np.nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, np.nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, np.nan],
    ]
).T


def test_alpha_equals_that_of_its_author() -> None:
    assert krippendorff_alpha(RELIABILITY) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(RELIABILITY, level="ordinal") == pytest.approx(0.815, abs=5e-4)
    assert krippendorff_alpha(RELIABILITY, level="interval") == pytest.approx(0.849, abs=5e-4)


def test_ac1_equals_that_of_its_author() -> None:
    """K. L. Gwet, Handbook of Inter-Rater Reliability, 4th ed., 2014: the same data, 0.77544 by irrCAC."""
    assert gwet_ac1(RELIABILITY) == pytest.approx(0.77544, abs=5e-6)


def ratings_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Four raters of 40 items in four classes, whole, and with one rating in five left out."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, 40)
    full = np.stack(
        [np.where(random.random(40) < 0.7, truth, random.integers(0, 4, 40)) for _ in range(4)], axis=1
    ).astype(float)
    some = full.copy()
    some[random.random(full.shape) < 0.2] = np.nan
    return full, some


@pytest.mark.parametrize("seed", range(8))
def test_kappa_and_alpha_equal_those_of_other_libraries(seed: int) -> None:
    full, some = ratings_of(seed)
    assert cohen_kappa(full[:, :2]) == pytest.approx(cohen_kappa_score(full[:, 0], full[:, 1]), abs=1e-12)
    for level in ("nominal", "ordinal", "interval"):
        expected = krippendorff.alpha(some.T, level_of_measurement=level)
        assert krippendorff_alpha(some, level=level) == pytest.approx(expected, abs=1e-12)


def test_kappas_equal_what_other_libraries_gave() -> None:
    """statsmodels 0.15.0 and irrCAC 0.4.4 on the same ratings."""
    full, some = ratings_of(11)
    assert fleiss_kappa(full) == pytest.approx(FLEISS, abs=1e-12)
    assert gwet_ac1(some) == pytest.approx(AC1, abs=1e-11)
