"""Slices of one stack that do not agree on what their numbers mean, read from files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import FormatError
from isocenter.formats.dicom.assembly import Assembly
from isocenter.formats.dicom.planes import Plane
from isocenter.formats.dicom.volume import dtype_of
from isocenter.testing.rules import a_stack
from isocenter.testing.simulate.broken import Scan
from isocenter.testing.simulate.broken.scan import packed, set_stored


def read(folder, objects):
    for name, content in packed(objects).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return iso.read(folder)


def pet(*suv_types):
    objects = Scan(modality="PT", slices=6).objects()
    for n, one in enumerate(objects):
        one.Units = "GML"
        if suv_type := suv_types[n % len(suv_types)]:
            one.SUVType = suv_type
    return objects


@pytest.mark.parametrize(
    ("types", "unit"), [(("BW",), "SUVbw"), (("LBM",), "SUVlbm-unnamed"), (("",), "SUVbw")]
)
def test_one_suv_type_names_the_unit(tmp_path, types, unit):
    assert read(tmp_path, pet(*types)).volume.unit == unit


@pytest.mark.parametrize("types", [("BW", "LBM"), ("", "BW"), ("LBM", "LBM", "LBM", "LBM", "LBM", "BW")])
def test_slices_with_different_suv_types_are_no_volume(tmp_path, types):
    reading = read(tmp_path, pet(*types))
    assert len(reading) == 0
    assert "read/values" in {issue.rule for issue in reading.issues}


@pytest.mark.parametrize("first_is_signed", [False, True])
def test_signed_and_unsigned_slices_keep_their_values(tmp_path, first_is_signed):
    scan = Scan(modality="MR", slices=6)
    objects, truth = scan.objects(), scan.values().astype(np.float32)
    for k, one in enumerate(objects):
        one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 15, int((k == 0) is first_is_signed)
        if one.PixelRepresentation:
            truth[k] -= 300  # below 0, where no unsigned number is
        set_stored(one, truth[k].astype(np.int64))
    volume = read(tmp_path, objects).volume
    order = volume.array if volume.array[0, 1, 1] == truth[0, 1, 1] else volume.array[::-1]
    np.testing.assert_array_equal(order, truth)
    assert "conformance/mixed-signs" in {issue.rule for issue in volume.issues}


@pytest.mark.parametrize("plane", [Plane(slope=2.0), Plane(intercept=5.0), Plane(intercept=0.5)])
def test_a_slice_that_is_rescaled_and_was_not_is_another_file(plane):
    stack = replace(a_stack(modality="MR", dtype="uint16"), rescale_slopes=(), rescale_intercepts=())
    assembly = Assembly(stack, dtype_of(stack))
    stored = np.ones(stack.shape[1:], np.uint16)
    assembly.put(0, stored, Plane())
    with pytest.raises(FormatError) as caught:
        assembly.put(1, stored, plane)
    assert caught.value.reason == "file/changed"
