"""Every way to estimate a bias field keeps the promise of `isocenter.imaging.bias_field`."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from isocenter.imaging.bias_field import BIAS_FIELDS

SHAPE = (16, 24, 20)
SPACING_MM = (4.0, 3.0, 3.0)


def image(shape=SHAPE) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A block in noise, brighter on one side; its mask; and the logarithm of what makes it so."""
    log = np.broadcast_to(np.linspace(-0.4, 0.4, shape[2]), shape).astype(np.float32)
    mask = np.zeros(shape, bool)
    mask[..., 3:-3, 3:-3] = True
    noise = np.random.default_rng(1).normal(20, 4, shape)
    return (np.where(mask, 500 * np.exp(log), 0) + np.abs(noise)).astype(np.float32), mask, log


@pytest.fixture(params=BIAS_FIELDS.names())
def method(request):
    return BIAS_FIELDS.get(request.param)


@pytest.mark.parametrize("shape", [SHAPE, (1, 40, 36)])
@pytest.mark.parametrize("steps", [(1, 1, 1), (1, 2, 2)])
def test_the_field_is_that_of_every_voxel_and_follows_the_planted_one(method, shape, steps):
    array, mask, log = image(shape)
    before, marked = array.copy(), mask.copy()
    field = method.log_field(array, mask, SPACING_MM, steps)
    assert (field.shape, field.dtype) == (shape, np.float32)
    assert field.flags.c_contiguous
    assert np.isfinite(field).all()
    assert np.corrcoef(field[mask], log[mask])[0, 1] > 0.95
    assert np.array_equal(array, before)
    assert np.array_equal(mask, marked)


def digest(name: str) -> str:
    array, mask, _ = image()
    return hashlib.sha256(
        BIAS_FIELDS.get(name).log_field(array, mask, SPACING_MM, (1, 1, 1)).tobytes()
    ).hexdigest()


@pytest.mark.parametrize("name", BIAS_FIELDS.names())
def test_the_same_image_gives_the_same_bytes_whatever_the_threads(name):
    code = f"from tests.contracts.test_bias_fields import digest; print(digest({name!r}))"
    for threads in ("1", "5"):
        environment = {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": threads, "PATH": "", "PYTHONPATH": "."}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == digest(name)
