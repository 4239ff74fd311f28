"""b-values of private elements: only behind their creators, in both header readers, as pydicom has them."""

import io
import struct

import pytest
from pydicom.dataelem import DataElement
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from isocenter import index
from tests.contracts.files import ct_dataset, dicom_bytes
from tests.contracts.headers import differences, read, scans_of, slow_scan
from tests.oracles.plain_pydicom import disagreements

SIEMENS, GE, PHILIPS = "SIEMENS MR HEADER", "GEMS_PARM_01", "Philips Imaging DD 001"
PLACES = {SIEMENS: (0x0019, 0x0C), GE: (0x0043, 0x39), PHILIPS: (0x2001, 0x03)}


def magnetic(creator, vr, value, *, place=None, **attributes):
    out = ct_dataset(0, SOPClassUID="1.2.840.10008.5.1.4.1.1.4", Modality="MR", **attributes)
    group, number = PLACES[place or creator]
    out.add_new((group, 0x0010), "LO", creator)
    out[group, 0x1000 + number] = DataElement((group, 0x1000 + number), vr, value)
    return out


def both(dataset, path, syntax=ExplicitVRLittleEndian):
    """The b-value that both readers say."""
    data = dicom_bytes(dataset, syntax)
    (fast,), slow = scans_of(read([data])), slow_scan(path / "file.dcm", data)
    assert differences(fast, slow) == []
    return data, fast.instance


@pytest.mark.parametrize(
    ("creator", "vr", "value", "b_value"),
    [
        (SIEMENS, "IS", "800", 800),
        (SIEMENS, "OB", b"1000", 1000),
        (SIEMENS, "UN", b"50  ", 50),
        (SIEMENS, "IS", "0", 0),
        (GE, "IS", [1000000750, 8, 0, 0], 750),
        (GE, "IS", [500, 8, 0, 0], 500),
        (GE, "UN", b"1000001500\\8\\0\\0", 1500),
        (PHILIPS, "FL", 600.0, 600),
        (PHILIPS, "UN", struct.pack("<f", 25.5), 25.5),
    ],
)
def test_what_scanners_write(creator, vr, value, b_value, tmp_path):
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        data, found = both(magnetic(creator, vr, value), tmp_path, syntax)
        assert found.b_value == b_value
        if not (creator == PHILIPS and vr == "UN" and syntax == ExplicitVRLittleEndian):
            # of a private UN in explicit VR the library does not say what it is made of
            assert disagreements(found, io.BytesIO(data)) == []


@pytest.mark.parametrize(
    "dataset",
    [
        magnetic("SOMEBODY ELSE", "IS", "800", place=SIEMENS),
        magnetic(GE, "IS", "800", place=SIEMENS),
        magnetic(SIEMENS, "IS", "800", place=GE),
        magnetic(SIEMENS, "LO", "many"),
        magnetic(SIEMENS, "IS", "-5"),
        magnetic(GE, "IS", "500000000"),
        magnetic(PHILIPS, "FL", float("nan")),
        magnetic(PHILIPS, "FL", -1.0),
        magnetic(PHILIPS, "FL", [1.0, 2.0]),
    ],
)
def test_what_is_none(dataset, tmp_path):
    assert both(dataset, tmp_path)[1].b_value is None


def test_only_of_mr_and_only_where_there_is_no_public_one(tmp_path):
    assert both(magnetic(SIEMENS, "IS", "800", DiffusionBValue=400.0), tmp_path)[1].b_value == 400
    computed = magnetic(SIEMENS, "IS", "800")
    computed.Modality = "CT"
    assert both(computed, tmp_path)[1].b_value is None


def test_no_creator_at_all(tmp_path):
    dataset = magnetic(SIEMENS, "IS", "800")
    del dataset[0x0019, 0x0010]
    assert both(dataset, tmp_path)[1].b_value is None


def test_the_other_byte_order(tmp_path):
    for creator, vr, value in ((PHILIPS, "FL", 600.0), (SIEMENS, "IS", "600")):
        data = dicom_bytes(magnetic(creator, vr, value), ExplicitVRBigEndian)
        assert slow_scan(tmp_path / "file.dcm", data).instance.b_value == 600


def test_an_element_of_a_stack(tmp_path):
    """What nothing but private b-values tells apart becomes a stack for each of them."""
    for n, b_value in enumerate(("50", "800")):
        for k in range(4):
            dataset = magnetic(SIEMENS, "IS", b_value, InstanceNumber=4 * n + k + 1)
            dataset.SOPInstanceUID = f"2.25.{4 * n + k + 1}"
            dataset.ImagePositionPatient = [0, 0, 3 * k]
            (tmp_path / f"{n}{k}.dcm").write_bytes(dicom_bytes(dataset))
    found = sorted(index(tmp_path, workspace=tmp_path / "work").stacks, key=lambda s: s.axis_index)
    assert [(s.axis, s.axis_value, s.shape[0], s.attribute("b_value")) for s in found] == [
        ("b-value", 50, 4, "50"),
        ("b-value", 800, 4, "800"),
    ]
