"""Each radiograph in its own window."""

from dataclasses import replace

import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import ConfigError
from isocenter.model.attributes import Attribute
from tests.contracts.packed import build, make_case


def a_store(folder, *windows, prefix=""):
    """One case for each window: centre, width and function, or the attributes themselves."""
    cases = []
    for n, window in enumerate(windows):
        names = ("voi_centre", "voi_width", "voi_function")
        found = window if isinstance(window, dict) else dict(zip(names, window, strict=True))
        own = tuple(Attribute(name=prefix + k, value=v) for k, v in found.items())
        channels = ("ct", "mr") if prefix else ("ct",)
        case = make_case(2 * n * 2, channels=channels)  # all of the training part
        cases.append(replace(case, valid=None, attributes=own, subject="subject-0"))
    return build(folder / "store", cases)


def test_every_case_is_shown_in_its_own_window(tmp_path):
    windows = (("100", "400", "LINEAR"), ("-50", "900", "SIGMOID"), ("7", "33", "LINEAR_EXACT"))
    data = iso.dataset(a_store(tmp_path, *windows), "train", normalise="voi", framework="numpy")
    assert len(data) == 3
    for n, (centre, width, function) in enumerate(windows):
        values = make_case(4 * n).image[0].astype(float)
        c, w = float(centre), float(width)
        if function == "SIGMOID":
            expected = 1 / (1 + np.exp(-4 * (values - c) / w))
        elif function == "LINEAR":
            expected = np.clip((values - (c - 0.5)) / (w - 1) + 0.5, 0, 1)
        else:
            expected = np.clip((values - c) / w + 0.5, 0, 1)
        assert np.abs(np.asarray(data[n]["image"])[0] - expected).max() < 1e-6


def test_another_channel_has_its_own_attributes(tmp_path):
    store = a_store(tmp_path, ("100", "400", "LINEAR"), prefix="mr.")
    iso.dataset(store, "train", normalise={"mr": "voi"}, framework="numpy")
    with pytest.raises(ConfigError, match="channel 'ct'"):
        iso.dataset(store, "train", normalise="voi", framework="numpy")


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "neither window nor look-up table"),
        ({"voi_lut": "yes"}, "a look-up table .* alone"),
        ({"voi_centre": "1", "voi_width": "0", "voi_lut": "yes"}, "alone"),
        ({"voi_centre": "1"}, "neither"),
    ],
)
def test_a_case_without_a_window_is_told_and_never_guessed(tmp_path, attributes, said):
    store = a_store(tmp_path, ("100", "400", "LINEAR"), attributes)
    with pytest.raises(ConfigError, match=said):
        iso.dataset(store, "train", normalise="voi", framework="numpy")
