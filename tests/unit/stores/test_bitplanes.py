"""Bits that are sorted and put together are compared with NumPy's."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from isocenter.stores.bitplanes import (
    GROUP,
    LINE,
    STAGE,
    gather,
    interleave_2,
    interleave_4,
    interleave_8,
    sort_bits,
)


@numba.njit
def _put_together(size, to, planes, stride, stage):
    for byte in range(size):
        gather(stage + byte * LINE * GROUP if size > 1 else to, planes + 8 * byte * stride, stride)
    for group in range(LINE):
        if size == 2:
            interleave_2(to + 2 * GROUP * group, stage + GROUP * group)
        elif size == 4:
            interleave_4(to + 4 * GROUP * group, stage + GROUP * group)
        elif size == 8:
            interleave_8(to + 8 * GROUP * group, stage + GROUP * group)


def planes_of(numbers):
    """(8 * bytes, count / 8), the lowest bits first."""
    size = numbers.dtype.itemsize
    bits = np.unpackbits(numbers.view(np.uint8).reshape(-1, size), axis=1, bitorder="little")
    return np.packbits(np.ascontiguousarray(bits.T), axis=1, bitorder="little")


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8"])
def test_lines_are_put_together_as_numpy_does(dtype):
    size = np.dtype(dtype).itemsize
    numbers = np.random.default_rng(size).integers(0, 256, 3 * LINE * GROUP * size, np.uint8).view(dtype)
    planes = planes_of(numbers)
    out, stage = np.full(LINE * GROUP + 8, 77, dtype), np.empty(STAGE, np.uint8)
    for line in range(3):
        at = planes.ctypes.data + 8 * LINE * line
        _put_together(size, out.ctypes.data, at, planes.shape[1], stage.ctypes.data)
        np.testing.assert_array_equal(out[: LINE * GROUP], numbers[line * LINE * GROUP :][: LINE * GROUP])
        assert (out[LINE * GROUP :] == 77).all()


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8"])
@pytest.mark.parametrize("groups", [1, 7, 8, 19])
def test_bits_are_sorted_as_numpy_does(dtype, groups):
    size = np.dtype(dtype).itemsize
    numbers = np.random.default_rng(size).integers(0, 256, groups * GROUP * size, np.uint8).view(dtype)
    out, stage = np.full(numbers.nbytes + 64, 77, np.uint8), np.empty(STAGE, np.uint8)
    sort_bits(numbers.ctypes.data, numbers.size, size, out.ctypes.data, stage.ctypes.data)
    assert out[: numbers.nbytes].tobytes() == planes_of(numbers).tobytes()
    assert (out[numbers.nbytes :] == 77).all()


def test_a_processor_without_any_special_instructions_does_the_same():
    code = "import runpy, sys; check = runpy.run_path(sys.argv[1])[sys.argv[2]]; check('u1'); check('u2')"
    env = {**os.environ, "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    test = "test_lines_are_put_together_as_numpy_does"
    subprocess.run([sys.executable, "-c", code, __file__, test], env=env, check=True)
