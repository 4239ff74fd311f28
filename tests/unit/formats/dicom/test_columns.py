import random

import numpy as np
import pytest
from pydicom.sequence import Sequence

from isocenter.formats.dicom.values import decimal
from tests.contracts.files import ct_bytes, ct_dataset, dicom_bytes, item
from tests.contracts.headers import differences, read, scans_of, slow_scan


def parsed(text):
    data = np.frombuffer(text.encode(), np.uint8)
    is_read, value = decimal(data, 0, len(data))
    return value if is_read else None


def numbers(count):
    rng = random.Random(7)
    for n in range(count):
        digits = "".join(rng.choices("0123456789", k=rng.randint(1, 19)))
        at = rng.randint(0, len(digits))
        text = rng.choice(["", "-", "+"]) + digits[:at] + rng.choice([".", ""]) + digits[at:]
        yield text + (f"{rng.choice('eE')}{rng.randint(-30, 30)}" if n % 3 == 0 else "")
    for _ in range(count):
        yield repr(rng.uniform(-1, 1) * 10 ** rng.randint(-5, 6))


def test_decimals_are_those_of_python_to_the_last_bit():
    n_read = 0
    for text in numbers(20_000):
        value = parsed(text)
        if value is not None:
            n_read += 1
            assert repr(value) == repr(float(text)), text
    assert n_read > 37_000


@pytest.mark.parametrize(
    "text", ["0.1", "-152.398437500000", "0.97265625", "1.25e-2", "-0", "16777217", " 5 ", "9007199254740992"]
)
def test_usual_decimals_are_read_at_once(text):
    assert repr(parsed(text)) == repr(float(text))


@pytest.mark.parametrize(
    "text", ["", ".", "-", "1e", "e5", "1_0", "0x1", "nan", "inf", "1,5", "1 2", "--1", "1e+-2", "1.2.3"]
)
def test_what_is_no_plain_decimal_is_not_guessed(text):
    assert parsed(text) is None


CASES = {
    "nothing of note": {},
    "unparsable numbers": {"SliceThickness": None, "KVP": ["120", "140"], "Rows": 6},
    "a legal second choice": {"PixelSpacing": None, "ImagerPixelSpacing": ["0.1", "0.2"]},
    "no series date": {"SeriesDate": "20240102", "AcquisitionDate": "20240103"},
    "frames of zero": {"NumberOfFrames": 0},
    "empty values": {"PatientID": "", "KVP": "", "ImageType": "", "PatientName": ""},
    "several values": {"SoftwareVersions": ["A", " B ", ""], "ConvolutionKernel": ["H30s", "3"]},
    "a lookup table": {"ModalityLUTSequence": Sequence([item(LUTExplanation="x")])},
    "removed identity and lossy": {"PatientIdentityRemoved": "YES", "LossyImageCompression": "01"},
    "signed padding": {"PixelPaddingValue": -2000},
    "colours": {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0},
    "no pixels": {"PixelData": None},
    "negative zero": {"ImagePositionPatient": ["-0", "0", "-0"], "RescaleIntercept": "-0"},
}


@pytest.mark.parametrize("name", CASES)
def test_rows_are_those_of_the_slow_reader(name, tmp_path):
    dataset = ct_dataset()
    for keyword, value in CASES[name].items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    data = dicom_bytes(dataset)
    (scan,) = scans_of(read([data]))
    assert differences(scan, slow_scan(tmp_path / "file.dcm", data)) == []


def test_what_a_row_says():
    (scan,) = scans_of(
        read([ct_bytes(2, PatientName="Doe^Jane", KVP="120", SeriesNumber=3, InstitutionName="Here")])
    )
    row = scan.instance
    assert scan.kind == "dicom-image"
    assert (row.patient_name, row.kvp, row.series_number, row.institution) == ("Doe^Jane", 120.0, 3, "Here")
    assert row.position_mm == (10.0, 20.0, 4.0)
    assert row.orientation == (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
    assert row.pixel_spacing_mm == (0.5, 0.75)
    assert row.image_type == ("ORIGINAL", "PRIMARY", "AXIAL")
    assert row.unparsable == ()


def test_senseless_values_are_named():
    data = ct_bytes(0, InstanceNumber="99").replace(b"99", b"x9").replace(b"2.25.47114712", b"2.25.47114x12")
    (scan,) = scans_of(read([data]))
    assert scan.instance.unparsable == ("InstanceNumber", "StudyInstanceUID")
    assert (scan.instance.instance_number, scan.instance.study_uid) == (None, None)


@pytest.mark.parametrize(
    ("uid", "kind"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "dicom-image"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "dicom-presentation"),
        ("1.2.840.10008.5.1.4.1.1.481.5", "dicom-rtplan"),
        ("1.2.840.10008.5.1.4.1.1.66.1", "dicom-registration"),
        ("1.2.3", "dicom-other"),
    ],
)
def test_kinds_go_by_sop_class(uid, kind):
    data = dicom_bytes(ct_dataset(0, SOPClassUID=uid, PixelData=None, Rows=None))
    (scan,) = scans_of(read([data]))
    assert scan.kind == kind


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.5.1.4.1.1.481.3",
        "1.2.840.10008.5.1.4.1.1.481.2",
        "1.2.840.10008.5.1.4.1.1.88.33",
    ],
)
def test_objects_with_other_rows_are_left_out(uid):
    assert scans_of(read([ct_bytes(0, SOPClassUID=uid)])) == [None]


def test_a_sop_class_that_is_no_uid_is_known_without_a_warning():
    stated = b"1.2.840.10008.5.1.4.1.1.2\0"
    data = ct_bytes().replace(stated, b"1.2.0040.1.".ljust(len(stated), b"\0"))
    (scan,) = scans_of(read([data]))
    assert (scan.kind, scan.instance.sop_class_uid) == ("dicom-image", "1.2.0040.1.")
