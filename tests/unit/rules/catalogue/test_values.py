"""Whether numbers are what their unit says."""

import math

import numpy as np
import pytest

from isocenter.base.seeds import stream
from isocenter.model.issue import Severity
from isocenter.rules.catalogue.values.clipped_values import clipped_values
from isocenter.rules.catalogue.values.coarse_hounsfield import coarse_hounsfield
from isocenter.rules.catalogue.values.constant_image import constant_image
from isocenter.rules.catalogue.values.degenerate_rescale import degenerate_rescale
from isocenter.rules.catalogue.values.empty_slices import empty_slices
from isocenter.rules.catalogue.values.implausible_hounsfield import implausible_hounsfield
from isocenter.rules.catalogue.values.missing_rescale import missing_rescale
from isocenter.rules.catalogue.values.mixed_compression import mixed_compression
from isocenter.rules.catalogue.values.mixed_rescale import mixed_rescale
from isocenter.rules.catalogue.values.mixed_rescale_types import mixed_rescale_types
from isocenter.rules.catalogue.values.modality_lut import modality_lut
from isocenter.rules.catalogue.values.non_finite_values import non_finite_values
from isocenter.rules.catalogue.values.not_hounsfield import not_hounsfield
from isocenter.rules.catalogue.values.partial_rescale import partial_rescale
from isocenter.rules.catalogue.values.saturated_values import saturated_values
from isocenter.rules.catalogue.values.shifted_hounsfield import shifted_hounsfield
from isocenter.rules.catalogue.values.slice_unlike_neighbours import slice_unlike_neighbours
from isocenter.rules.catalogue.values.uncalibrated_pet import uncalibrated_pet
from isocenter.rules.catalogue.values.unmarked_padding import unmarked_padding
from isocenter.testing.rules import a_nifti, a_stack, a_volume, issues_of

VOXEL_RULES = (
    *(clipped_values, implausible_hounsfield, saturated_values, unmarked_padding, constant_image),
    *(shifted_hounsfield, coarse_hounsfield, slice_unlike_neighbours, empty_slices),
)


def noisy(mean: float, sigma: float = 15.0) -> np.ndarray:
    return np.rint(stream(1, "noise").normal(mean, sigma, (6, 40, 40))).astype(np.int16)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("a crop inside muscle and fat", np.concatenate([noisy(50), noisy(-90)])),
        ("a crop of brain", noisy(30, 12)),
        ("lung alone", np.concatenate([noisy(-850, 60), noisy(40)])),
        ("bone and muscle", np.concatenate([noisy(700, 200), noisy(50)])),
        ("air clipped at -1024", np.hstack([np.full((6, 20, 40), -1024, np.int16), noisy(40)])),
        ("noise below -1024", np.concatenate([noisy(-1000, 40), noisy(40)])),
    ],
)
def test_honest_scans_raise_nothing(name: str, values: np.ndarray) -> None:
    for rule in VOXEL_RULES:
        assert issues_of(rule, a_volume(values)) == [], name


@pytest.mark.parametrize(
    ("name", "shift", "factor"),
    [("intercept lost", 1024, 1), ("intercept applied twice", -1024, 1), ("slope of another scale", 0, 100)],
)
def test_a_wrong_scale_is_noticed(name: str, shift: int, factor: int) -> None:
    clean = np.clip(a_volume().array, -1024, None).astype(np.int32)
    if name == "intercept applied twice":
        clean = clean[:, 8:24, 8:24]  # a crop without air
    wrong = np.clip(clean * factor + shift, -32768, 32767).astype(np.int16)
    assert len(issues_of(implausible_hounsfield, a_volume(wrong))) == 1, name


def test_padding_does_not_count() -> None:
    array, valid = a_volume().array + 1100, np.ones((5, 32, 32), bool)
    array[:, :4], valid[:, :4] = -1024, False
    assert len(issues_of(implausible_hounsfield, a_volume(array, valid=valid))) == 1
    marked = a_volume().array.copy()
    marked[:, :4] = -1024
    assert issues_of(unmarked_padding, a_volume(marked, valid=valid)) == []
    assert issues_of(constant_image, a_volume(valid=np.zeros((5, 32, 32), bool))) == [
        "all voxels are padding"
    ]


def test_corners_that_differ_are_noise() -> None:
    array = noisy(-1300, 100)
    assert issues_of(unmarked_padding, a_volume(array)) == []


def test_other_units_are_left_alone() -> None:
    pet = np.abs(stream(2, "pet").normal(4, 2, (4, 8, 8))).astype(np.float32)
    for rule in (*VOXEL_RULES, non_finite_values):
        assert issues_of(rule, a_volume(pet, unit="SUVbw", modality="PT")) == []


def test_all_ends_of_the_range_are_counted() -> None:
    array = a_volume().array
    array[0, :, :16] = -2000
    array[1, :, :16] = 4000
    assert issues_of(clipped_values, a_volume(array)) == ["10 % of voxels below -1224 HU, 10 % above 3071 HU"]
    assert issues_of(clipped_values, a_volume(array), low_hu=-2000, high_hu=4000) == []


def test_infinity_is_as_bad_as_no_number() -> None:
    array = np.zeros((2, 3, 4), np.float32)
    array[0, 0, 0], array[1, 2, 3], array[1, 0, 0] = np.nan, np.inf, -np.inf
    assert issues_of(non_finite_values, a_volume(array)) == ["3 voxels hold no finite number"]


def test_the_clean_volume_is_not_changed_by_the_rules() -> None:
    volume = a_volume()
    before = volume.array.copy()
    for rule in (*VOXEL_RULES, non_finite_values):
        list(rule(volume))
    assert np.array_equal(volume.array, before)


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("", None), ("hu", None), ("US", Severity.REVIEW), ("Z_EFF", Severity.REJECT), ("odd", Severity.REJECT)],
)
def test_only_hounsfield_is_hounsfield(kind: str, severity: Severity | None) -> None:
    found = list(not_hounsfield(a_stack(rescale_type=kind)))
    assert [i.severity for i in found] == ([severity] if severity else [])
    assert issues_of(not_hounsfield, a_stack(rescale_type=kind, modality="CR")) == []


def test_rescale_is_all_or_none_and_required_in_ct() -> None:
    mr, ct = a_stack(modality="MR", n_without_rescale=5), a_stack(n_without_rescale=5)
    assert [issues_of(r, mr) for r in (missing_rescale, partial_rescale)] == [[], []]
    assert [len(issues_of(r, ct)) for r in (missing_rescale, partial_rescale)] == [1, 0]
    half = a_stack(modality="MR", n_without_rescale=2)
    assert issues_of(partial_rescale, half) == ["2 of 5 slices have no rescale slope and intercept"]
    assert issues_of(missing_rescale, a_nifti(modality="CT", n_without_rescale=1)) == []


def test_a_table_instead_of_a_slope() -> None:
    for modality, severity in (("CT", Severity.REJECT), ("CR", Severity.REVIEW)):
        found = modality_lut(a_stack(modality=modality, has_modality_lut=True))
        assert [i.severity for i in found] == [severity]
    assert issues_of(missing_rescale, a_stack(has_modality_lut=True, n_without_rescale=5)) == []


def test_pet_slopes_may_differ_but_not_be_zero() -> None:
    assert issues_of(degenerate_rescale, a_stack(modality="PT", rescale_slopes=(0.0001, 0.5, 3.0))) == []
    for spoiled in ({"rescale_slopes": (math.nan,)}, {"rescale_intercepts": (math.inf,)}):
        assert issues_of(degenerate_rescale, a_stack(**spoiled)) == [
            "a rescale slope or intercept is no finite number"
        ]


def test_only_pet_in_dicom_needs_a_unit() -> None:
    assert issues_of(uncalibrated_pet, a_stack(modality="PT", pet_units="gml")) == []
    assert issues_of(uncalibrated_pet, a_nifti(modality="PT")) == []
    assert len(issues_of(uncalibrated_pet, a_stack(modality="PT"))) == 1


def body(shift: int = 0, padding: int | None = None) -> np.ndarray:
    """Air, lung, fat, muscle and bone, with noise; the corners may be padding."""
    rng = stream(3, "a body")
    means = np.array([-1000, -1000, -850, -100, 40, 60, 700])[rng.integers(0, 7, (8, 64, 64))]
    sigmas = np.where(means == 700, 250, 20)
    array = np.rint(rng.normal(means, sigmas)).astype(np.int16) + np.int16(shift)
    if padding is not None:
        array[:, :20, :20] = padding
    return array


@pytest.mark.parametrize("shift", [-2048, -1024, -1000, 500, 976, 1000, 1024, 2048])
def test_a_shift_of_all_values_is_told_with_its_size(shift: int) -> None:
    for padding in (None, -3024):
        (found,) = shifted_hounsfield(a_volume(body(shift, padding)))
        assert abs(int(found.measured) + 1000 - shift) <= 15
        assert found.severity == Severity.REVIEW


@pytest.mark.parametrize("shift", [-60, 0, 60])
@pytest.mark.parametrize("padding", [None, -1024, -2000, -2048, -3024])
def test_padding_and_calibration_are_no_shift(padding: int | None, shift: int) -> None:
    assert issues_of(shifted_hounsfield, a_volume(body(shift, padding))) == []


def test_air_around_an_object_and_padding_around_air_are_no_shift() -> None:
    array = np.rint(stream(4, "air").normal(-1000, 20, (8, 64, 64))).astype(np.int16)
    array[:, :30] = -2000
    array[:, 60:62, 60:62] = 120
    assert issues_of(shifted_hounsfield, a_volume(array)) == []


def test_a_head_without_air_is_no_shift() -> None:
    rng = stream(5, "a head")
    array = np.rint(rng.normal(35, 12, (8, 64, 64))).astype(np.int16)
    array[:, :12] = np.rint(rng.uniform(300, 1900, (8, 12, 64)))
    assert issues_of(shifted_hounsfield, a_volume(array)) == []


@pytest.mark.parametrize("step", [1.5, 2, 3, 4, 16])
def test_steps_wider_than_one_are_told(step: float) -> None:
    array = np.rint(np.round(body() / step) * step).astype(np.int16)
    (found,) = coarse_hounsfield(a_volume(array))
    assert float(found.measured) == pytest.approx(step, abs=0.1)


def test_a_few_tissues_without_noise_are_not_coarse() -> None:
    array = np.array([-1000, -100, 40, 43, 60], np.int16)[stream(6, "clean").integers(0, 5, (6, 40, 40))]
    assert issues_of(coarse_hounsfield, a_volume(array)) == []
    assert issues_of(coarse_hounsfield, a_volume(noisy(40, 3))) == []
    assert issues_of(coarse_hounsfield, a_volume(noisy(40, 1))) == []


def test_one_slice_a_thousand_off_is_told_with_its_place() -> None:
    for k, shift in ((1, 1024), (6, -1024), (3, 600)):
        array = body()
        array[k] += np.int16(shift)
        (found,) = slice_unlike_neighbours(a_volume(array))
        assert found.message.startswith(f"slice {k} lies ")
        assert ("above" in found.message) == (shift > 0)
        assert int(found.measured) == pytest.approx(shift, abs=15)


def test_padding_metal_and_the_ends_of_a_body_are_no_odd_slice() -> None:
    streaks, padded, start = body(), body(), body()
    streaks[3, 30:34] = -3000
    padded[3, :40] = -2000
    start[:3] = noisy(-1000)[:3, :1, :1] + start[:3] // 100
    for array in (streaks, padded, start, body()[:2]):
        assert issues_of(slice_unlike_neighbours, a_volume(array)) == []


def test_empty_slices_inside_are_reviewed_and_at_the_ends_noted() -> None:
    array = body()
    array[[0, 1, 7]] = 0
    array[4] = 17
    found = list(empty_slices(a_volume(array, unit="stored", modality="MR")))
    assert [(i.severity, i.measured) for i in found] == [(Severity.REVIEW, "1"), (Severity.NOTE, "3")]
    assert issues_of(empty_slices, a_volume(np.zeros((3, 4, 5), np.int16))) == []
    valid = np.ones(array.shape, bool)
    valid[5] = False
    assert issues_of(empty_slices, a_volume(body(), valid=valid)) == ["1 slice is empty, the first at 5"]


def test_what_slices_say_of_their_scale_is_one_thing() -> None:
    assert issues_of(mixed_rescale, a_stack(modality="MR", rescale_slopes=(1.0, 2.0))) == []
    assert (
        len(issues_of(mixed_rescale, a_stack(rescale_slopes=(1.0, 2.0), rescale_intercepts=(0.0, -1024.0))))
        == 2
    )
    for kinds, severity in (
        (("HU", "US"), Severity.NOTE),
        (("", "MGML"), Severity.REVIEW),
        (("", "US"), Severity.NOTE),
    ):
        assert [i.severity for i in mixed_rescale_types(a_stack(all_rescale_types=kinds))] == [severity]
    lossless = ("1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90")
    assert issues_of(mixed_compression, a_stack(all_transfer_syntaxes=lossless)) == []
    assert issues_of(mixed_compression, a_stack(all_transfer_syntaxes=("1.2.840.10008.1.2.4.50",))) == []
