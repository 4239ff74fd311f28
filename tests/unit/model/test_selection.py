import pytest

from isocenter.model.selection import is_mask, matches, wanted_by
from isocenter.model.task import Channel
from isocenter.testing.rules import a_stack

NIFTI = {"format": "nifti", "modality": ""}
TIME = {"axis": "time", "axis_index": 1, "axis_count": 3, "axis_value": 2.5, "group": "g"}


@pytest.mark.parametrize(
    ("stack", "channel", "is_wanted"),
    [
        ({}, {}, True),
        ({"modality": "MR"}, {}, False),
        ({}, {"path": ("q/*",)}, False),
        ({}, {"path": ("p/*",)}, True),
        (NIFTI, {}, False),
        (NIFTI, {"path": ("p/*",)}, True),
        (NIFTI | {"layout_channel": "ct"}, {}, True),
        ({"modality": ""}, {"path": ("p/*",)}, False),
        ({}, {"where": {"site": "NORTH*"}}, False),
        ({"site": "north-1"}, {"where": {"site": "NORTH*"}}, True),
        ({}, {"where": {"image_type": "primary"}}, True),
        ({"pet_units": "BQML"}, {"where": {"pet_units": "bqml"}}, True),
        ({"pet_units": "GML"}, {"where": {"pet_units": "BQML"}}, False),
        (TIME, {"where": {"axis_index": "0"}}, False),
        (TIME, {"where": {"axis_index": "1"}}, True),
        (TIME, {"where": {"axis": "time", "axis_value": "2.5"}}, True),
        (TIME, {"where": {"axis": "echo"}}, False),
        (TIME | {"axis_value": 1e6}, {"where": {"axis_value": "1000000"}}, True),
        (TIME | {"axis_value": 0.1 + 0.2}, {"where": {"axis_value": "0.3"}}, True),
        ({}, {"where": {"axis_index": "0", "axis_value": ""}}, True),
    ],
)
def test_who_asks_for_a_stack(stack, channel, is_wanted):
    image_type = ("ORIGINAL", "PRIMARY")
    found = wanted_by(
        a_stack(**({"image_type": image_type} | stack)), "p/1.dcm", {"ct": Channel(modality="CT", **channel)}
    )
    assert found == (("ct",) if is_wanted else ())


def test_a_dicom_image_is_never_a_mask_by_its_path():
    assert not is_mask(a_stack(), "p/mask.nii", ["p/mask*"])
    assert is_mask(a_stack(**NIFTI), "p/mask.nii", ["p/mask*"])
    assert is_mask(a_stack(layout_role="mask"), "x", [])


def test_every_condition_must_hold():
    assert matches(a_stack(), "p/1", {"modality": "c?", "path": "p/*"})
    assert not matches(a_stack(), "p/1", {"modality": "CT", "path": "q/*"})
    assert not matches(a_stack(), "p/1", {"convolution_kernel": "?*"})
