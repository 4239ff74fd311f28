"""Names of UIDs: PS3.6 Annex A is the truth, and what it does not know has no name."""

import pytest

from isocenter.formats.dicom.names import RT_STRUCTURE_SET, sop_class_name, transfer_syntax_name


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "CT Image Storage"),
        ("1.2.840.10008.5.1.4.1.1.128", "Positron Emission Tomography Image Storage"),
        (RT_STRUCTURE_SET, "RT Structure Set Storage"),
        ("1.2.840.10008.1.2.1", ""),  # a transfer syntax
        ("1.3.46.670589.11.0.0.12.1", ""),  # private
        ("", ""),
        ("no uid \x1b[2J", ""),
        ("1" * 5000, ""),
    ],
)
def test_a_sop_class_has_the_name_of_the_standard(uid, name):
    assert sop_class_name(uid) == name


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.10008.1.2", "Implicit VR Little Endian"),
        ("1.2.840.10008.1.2.4.90", "JPEG 2000 Image Compression (Lossless Only)"),
        ("1.2.840.10008.5.1.4.1.1.2", ""),
        ("", ""),
    ],
)
def test_a_transfer_syntax_has_the_name_of_the_standard(uid, name):
    assert transfer_syntax_name(uid) == name
