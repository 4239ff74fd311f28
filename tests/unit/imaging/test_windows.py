import math

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_windowing

from isocenter.base.errors import ConfigError
from isocenter.imaging.windows import WINDOWS, apply, limits
from isocenter.model.task import Window

VALUES = np.arange(-2000, 3000, dtype=np.int16)


def window(function: str, centre: float = 40.0, width: float = 80.0) -> Window:
    return Window(name="test", centre=centre, width=width, function=function)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [(40, 80), (-600, 1500), (0.5, 3.25), (100, 2)])
def test_every_function_equals_pydicom(function: str, centre: float, width: float) -> None:
    header = pydicom.Dataset()
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsStored = 16
    header.PixelRepresentation = 1
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = centre, width, function
    with np.errstate(over="ignore"):
        theirs = apply_windowing(VALUES, header)  # black is -2^15, white 2^15 - 1
    found = apply(VALUES, window(function, centre, width))
    assert found.dtype == np.float32
    assert np.abs(found - (theirs + 32768) / 65535).max() < 1e-6


def test_linear_by_hand() -> None:
    # PS3.3 C.11.2.1.2.1, note 3: centre 2048 and width 4096 are 0 to 4095.
    assert limits(window("LINEAR", 2048, 4096)) == (0, 4095)
    assert apply(np.array([0, 4095]), window("LINEAR", 2048, 4096)).tolist() == [0, 1]
    assert limits(window("LINEAR_EXACT", 2048, 4096)) == (0, 4096)


def test_a_linear_window_of_width_1_is_a_threshold() -> None:
    assert apply(np.array([99, 100]), window("LINEAR", 100, 1)).tolist() == [0, 1]


def test_sigmoid_by_hand() -> None:
    found = apply(np.array([[40.0, 60.0]]), window("SIGMOID"))
    assert found.shape == (1, 2)
    assert found[0].tolist() == pytest.approx([0.5, 1 / (1 + math.exp(-1))])


@pytest.mark.parametrize(
    ("function", "width"), [("LINEAR", 0.5), ("LINEAR_EXACT", 0), ("SIGMOID", -1), ("GAMMA", 10)]
)
def test_impossible_windows_are_wrong_questions(function: str, width: float) -> None:
    with pytest.raises(ConfigError):
        apply(VALUES, window(function, 0, width))


def test_named_windows_say_where_they_come_from() -> None:
    assert {"lung", "mediastinum", "bone", "brain", "stroke", "subdural", "liver", "abdomen"} <= set(WINDOWS)
    assert list(WINDOWS) == sorted(WINDOWS)
    for name, entry in WINDOWS.items():
        assert entry.name == name
        assert entry.source
        assert entry.unit == "HU"
        low, high = limits(entry)
        assert low < high
    assert limits(WINDOWS["full"]) == (-1024, 3071)


def test_the_array_need_not_be_contiguous() -> None:
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    assert np.array_equal(
        apply(array[..., ::-1], window("LINEAR")), apply(array, window("LINEAR"))[..., ::-1]
    )
