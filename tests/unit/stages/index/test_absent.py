import pytest

from isocenter.stages.index.absent import absent_from
from tests.unit.stages.grouping import members_of
from tests.unit.stages.rows import a_slice

WHOLE = {
    "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2", "bits_stored": 12, "pixel_representation": 1,
    "image_type": ("ORIGINAL", "PRIMARY"), "rescale_slope": 1.0, "rescale_intercept": 0.0,
}  # fmt: skip


def absent(*rows):
    members = members_of(rows)
    return absent_from(members, members.numbers.argsort())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"position_mm": ()}, ("ImagePositionPatient",)),
        ({"orientation": ()}, ("ImageOrientationPatient",)),
        ({"sop_instance_uid": None}, ("SOPInstanceUID",)),
        ({"series_uid": ""}, ("SeriesInstanceUID",)),
        ({"rescale_slope": None}, ("RescaleSlope",)),
        ({"rescale_slope": None, "modality": "MR"}, ()),
        ({"pet_units": None, "modality": "PT"}, ("Units",)),
        ({"position_mm": (), "orientation": (), "modality": "DX"}, ()),
        ({"rows": None, "format": "nifti"}, ()),
        ({"position_mm": (), "sop_class_uid": "1.2.840.10008.5.1.4.1.1.7"}, ()),
    ],
)
def test_what_one_slice_lacks_is_named(changes, expected):
    fixed = {k: v for k, v in changes.items() if k in {"modality", "format", "sop_class_uid"}}
    assert absent(a_slice(0, **WHOLE | fixed), a_slice(1, **WHOLE | changes)) == expected
    assert absent(a_slice(0, **WHOLE | changes)) == expected
