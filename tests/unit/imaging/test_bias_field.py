"""A planted bias field is found and removed; an image without one is left as it was."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK

from isocenter.base.errors import UnknownPlugin
from isocenter.imaging.bias_field import BIAS_FIELDS, correct, correct_array, steps_of
from isocenter.model.issue import Severity
from isocenter.testing.rules import a_volume

SHAPE, SPACING_MM = (36, 64, 64), (2.0, 2.0, 2.0)
N4 = BIAS_FIELDS.get("n4")


def phantom() -> np.ndarray:
    """A head: grey around white around dark fluid, in arbitrary units, with noise."""
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    far = np.sqrt((k / 0.85) ** 2 + (j / 0.8) ** 2 + (i / 0.7) ** 2)
    tissue = np.select(
        [((j - 0.2) / 0.2) ** 2 + (i / 0.2) ** 2 + (k / 0.4) ** 2 < 1, far < 0.75, far < 1],
        [300, 900, 600],
        0,
    )
    return tissue.astype(np.float64)


def planted() -> np.ndarray:
    """The logarithm of a smooth field: coils on one side, and a slope; factors of 0.6 to 1.8."""
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    return 0.35 * np.cos(1.4 * (i + 0.5)) + 0.25 * j - 0.15 * k * i


def acquired(log: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 12, SHAPE)
    return np.clip(phantom() * np.exp(log) + noise, 0, None).astype(np.uint16)


def variation(array: np.ndarray) -> float:
    white = array[phantom() == 900].astype(np.float64)
    return float(white.std() / white.mean())


@pytest.fixture(scope="module")
def corrected():
    return correct_array(acquired(planted()), None, SPACING_MM, N4)


def test_a_planted_field_is_removed(corrected):
    """Within white matter the image varies by at most a fifth of what it did: noise alone is left."""
    before, plain = variation(acquired(planted())), variation(acquired(np.zeros(SHAPE)))
    after = variation(corrected.array)
    assert before > 0.08
    assert after < before / 5
    assert after < 1.3 * plain


def test_the_field_that_is_found_is_the_one_that_was_planted(corrected):
    array, tissue = acquired(planted()), phantom() >= 600
    found = np.log(array[tissue] / corrected.array[tissue].astype(np.float64))
    assert np.corrcoef(found, planted()[tissue])[0, 1] > 0.99
    assert corrected.low < 0.8
    assert corrected.high > 1.2


def test_an_image_without_a_field_is_left_nearly_alone():
    array = acquired(np.zeros(SHAPE))
    done = correct_array(array, None, SPACING_MM, N4)
    assert done.low > 0.98
    assert done.high < 1.02
    tissue = phantom() >= 600
    assert np.abs(done.array[tissue] / array[tissue] - 1).max() < 0.02


def test_the_threads_of_the_machine_change_nothing(corrected):
    before = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(3)
        again = correct_array(acquired(planted()), None, SPACING_MM, N4)
        assert SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads() == 3
    finally:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert again.array.tobytes() == corrected.array.tobytes()


def test_a_single_plane_is_corrected_in_the_plane():
    array = acquired(planted())[18:19]
    done = correct_array(array, None, SPACING_MM, N4)
    white = phantom()[18:19] == 900
    after, before = (a[white].std() / a[white].mean() for a in (done.array, array.astype(float)))
    assert after < before / 2


def a_head(array: np.ndarray, **changes):
    grid = replace(a_volume().grid, shape=array.shape)
    return a_volume(array, grid=grid, unit="stored", modality="MR", **changes)


def test_a_volume_says_what_was_done_and_its_padding_stays():
    array = acquired(planted())
    array[:2] = 65_535
    valid = np.ones(SHAPE, bool)
    valid[:2] = False
    before = a_head(array, valid=valid)
    done = correct(before, "n4")
    assert done.array.dtype == np.float32
    assert (done.array[:2] == 65_535).all()
    assert variation(done.array) < variation(array) / 3
    assert [(i.rule, i.severity, i.unit) for i in done.issues] == [
        ("read/bias-corrected", Severity.NOTE, "factor")
    ]
    assert done.provenance["bias_field"] == "n4"
    assert np.array_equal(before.array, array)


def test_an_image_without_foreground_is_told_and_left():
    volume = a_head(np.zeros(SHAPE, np.int16))
    done = correct(volume, "n4")
    assert done.array is volume.array
    assert [(i.rule, i.severity) for i in done.issues] == [("read/no-bias-field", Severity.REVIEW)]


def test_an_unknown_method_is_told():
    with pytest.raises(UnknownPlugin, match="no 'n3'"):
        correct(a_head(acquired(planted())), "n3")


def test_steps_leave_enough_voxels_to_look_at():
    assert steps_of((1, 512, 512), (5.0, 0.5, 0.5)) == (1, 8, 8)
    assert steps_of((20, 40, 300), (9.0, 1.0, 1.0)) == (1, 2, 4)
