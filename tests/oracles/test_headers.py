"""The fast header reader against pydicom alone, on files that have every attribute in every way it may be written."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from isocenter.formats.dicom.fields import FIELDS
from tests.contracts.files import ct_dataset, dicom_bytes
from tests.contracts.headers import read, scans_of
from tests.oracles.plain_pydicom import LISTS, NUMBERS, PAIRS, TEXTS, TUPLES, disagreements

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
# Of each VR that occurs: plain, padded, with blanks in front, at its limits, of several values, empty.
WRITTEN = {
    "LO": ["A", " lead", "trail ", "a\\b", "x" * 64, "", "tab\tin"],
    "SH": ["k", "B30f", "B30f\\3", "", " x "],
    "CS": ["YES", "CHEST", "", "A\\B "],
    "PN": ["Doe^Jane", "Doe^Jane^^Dr^", "A=B=C", "", " ^"],
    "DA": ["20240229", "", "20240229 "],
    "TM": ["235959.999999", "12", ""],
    "AS": ["042Y", "003M", ""],
    "UI": ["1.2.840.10008.5.1.4.1.1.2", "2.25.1", ""],
    "IS": ["0", "-0", "+7", "2147483647", "-2147483648", "12 ", " 12", "12.0", "", "1\\2"],
    "DS": [
        *(
            "0",
            "-0",
            "1",
            ".5",
            "-.5",
            "5.",
            "1e3",
            "1E-7",
            "+1.25E+2",
            "0.1",
            "-123.456789012345",
            "1e22",
            "1e-22",
        ),
        *(
            "3.14159265358979",
            "9007199254740993",
            "0.30000000000000004",
            "1e23",
            "123456789012345678901",
            "1e400",
        ),
        *("", "2 ", " 2", "1\\2", "nan", "1_0", "0x1", "abc"),
    ],
    "US": [0, 1, 16, 65535],
    "US or SS": [0, 1, 32768, 65535],
    "FD": [0.0, -0.0, 1000.0, 1e-300, float("inf"), float("nan")],
}


def variants():
    """One data set for each attribute of each field and each way to write it."""
    for field in FIELDS:
        for keyword in field.keywords:
            vr = pydicom.datadict.dictionary_VR(keyword)
            if vr == "SQ" or keyword == "SOPClassUID":
                continue
            for value in WRITTEN[vr]:
                if (keyword, value) != ("SOPInstanceUID", ""):  # group 0002 would lack it
                    yield keyword, vr, value


def element(vr, value, count):
    if isinstance(value, str):
        raw = value.encode()
        return "\\".join([value] * count).encode() if count > 1 and "\\" not in value else raw
    return np.array([value] * count, {"FD": "<f8"}.get(vr, "<u2")).tobytes()


def with_value(keyword, vr, value, syntax):
    """A file in which one attribute has certain bytes, which no library is let to mend."""
    counts = {"ImageOrientationPatient": 6, "ImagePositionPatient": 3, "DiffusionGradientOrientation": 3}
    count = counts.get(keyword, 2 if "Spacing" in keyword else 1)
    raw = element(vr, value, 1 if keyword == "SpacingBetweenSlices" else count)
    raw += b"\0" * (len(raw) % 2) if vr == "UI" else b" " * (len(raw) % 2)
    dataset = ct_dataset()
    tag = pydicom.datadict.tag_for_keyword(keyword)
    is_implicit = syntax == ImplicitVRLittleEndian
    written = "US" if vr == "US or SS" else vr
    dataset[tag] = pydicom.dataelem.RawDataElement(
        pydicom.tag.Tag(tag), None if is_implicit else written, len(raw), raw, 0, is_implicit, True
    )
    return dicom_bytes(dataset, syntax)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.filterwarnings("ignore")
def test_every_attribute_however_written_is_what_pydicom_says(syntax):
    cases = list(variants())
    files = [with_value(*case, syntax) for case in cases]
    wrong, left = [], []
    for case, data, scan in zip(cases, files, scans_of(read(files)), strict=True):
        if scan is None:
            left.append(case)
        else:
            wrong += [(case, found) for found in disagreements(scan.instance, io.BytesIO(data))]
    assert wrong == []
    # what contradicts its pixel data is left to the slow reader, which refuses it
    assert {keyword for keyword, _, _ in left} <= {
        "Rows",
        "Columns",
        "BitsAllocated",
        "NumberOfFrames",
        "SamplesPerPixel",
    }


def test_every_vr_of_the_fields_is_written_here():
    wanted = {pydicom.datadict.dictionary_VR(k) for f in FIELDS for k in f.keywords}
    assert wanted - {"SQ"} == set(WRITTEN)


def test_the_oracle_knows_every_field():
    known = {*TEXTS, *NUMBERS, *TUPLES, *LISTS, *PAIRS, "study_date", "view_code", "has_voi_lut"}
    known |= {"identity_removed", "is_lossy", "lossy_ratio", "has_modality_lut", "frames", "samples"}
    assert {f.name for f in FIELDS} == known


@pytest.mark.parametrize(
    ("characters", "name", "encoded"),
    [
        (None, "Müller", "latin-1"),
        ("ISO_IR 100", "Müller^Jörg", "latin-1"),
        ("ISO_IR 192", "王^小东", "utf-8"),
        ("GB18030", "王^小东", "gb18030"),
        ("ISO_IR 144", "Люкceмбypг", "iso8859_5"),
        ("ISO_IR 13", "ﾔﾏﾀﾞ^ﾀﾛｳ", "shift_jis"),
        ("ISO_IR 192", "broken", "utf-16"),
        ("NO SUCH SET", "Müller", "latin-1"),
        ("ISO 2022 IR 6\\ISO 2022 IR 87", "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "ascii"),
    ],
)
@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.filterwarnings("ignore")
def test_names_of_the_world(characters, name, encoded, syntax):
    dataset = Dataset()
    dataset.update(ct_dataset())
    if characters:
        dataset.SpecificCharacterSet = characters.split("\\")
    raw = name.encode(encoded)
    raw += b" " * (len(raw) % 2)
    is_implicit = syntax == ImplicitVRLittleEndian
    for keyword, vr in (("PatientName", "PN"), ("StudyDescription", "LO"), ("BodyPartExamined", "CS")):
        tag = pydicom.tag.Tag(keyword)
        dataset[tag] = pydicom.dataelem.RawDataElement(
            tag, None if is_implicit else vr, len(raw), raw, 0, is_implicit, True
        )
    out = io.BytesIO()
    data = dicom_bytes(dataset, syntax)
    (scan,) = scans_of(read([data]))
    out.write(data)
    out.seek(0)
    assert disagreements(scan.instance, out) == []
    assert scan.instance.patient_name
