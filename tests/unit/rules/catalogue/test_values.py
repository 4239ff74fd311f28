"""Whether numbers are what their unit says."""

import math

import numpy as np
import pytest

from isocenter.base.seeds import stream
from isocenter.model.issue import Severity
from isocenter.rules.catalogue.values.clipped_values import clipped_values
from isocenter.rules.catalogue.values.constant_image import constant_image
from isocenter.rules.catalogue.values.degenerate_rescale import degenerate_rescale
from isocenter.rules.catalogue.values.implausible_hounsfield import implausible_hounsfield
from isocenter.rules.catalogue.values.missing_rescale import missing_rescale
from isocenter.rules.catalogue.values.modality_lut import modality_lut
from isocenter.rules.catalogue.values.non_finite_values import non_finite_values
from isocenter.rules.catalogue.values.not_hounsfield import not_hounsfield
from isocenter.rules.catalogue.values.partial_rescale import partial_rescale
from isocenter.rules.catalogue.values.saturated_values import saturated_values
from isocenter.rules.catalogue.values.uncalibrated_pet import uncalibrated_pet
from isocenter.rules.catalogue.values.unmarked_padding import unmarked_padding
from isocenter.testing.rules import a_nifti, a_stack, a_volume, issues_of

VOXEL_RULES = (clipped_values, implausible_hounsfield, saturated_values, unmarked_padding, constant_image)


def noisy(mean: float, sigma: float = 15.0) -> np.ndarray:
    return np.rint(stream(1, "noise").normal(mean, sigma, (6, 40, 40))).astype(np.int16)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("a crop inside muscle and fat", np.concatenate([noisy(50), noisy(-90)])),
        ("a crop of brain", noisy(30, 12)),
        ("lung alone", np.concatenate([noisy(-850, 60), noisy(40)])),
        ("bone and muscle", np.concatenate([noisy(700, 200), noisy(50)])),
        ("air clipped at -1024", np.concatenate([np.full((6, 40, 40), -1024, np.int16), noisy(40)])),
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
