"""Headers that were damaged at random: the fast reader says nothing that the slow one would not say."""

import os
import re
from dataclasses import replace

import numpy as np
import pytest
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless, RLELossless

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.fields import FIELDS
from isocenter.formats.dicom.file import read_header
from isocenter.formats.dicom.tracer import tracer_texts
from tests.contracts.files import ct_dataset, dicom_bytes, item, rtstruct_dataset
from tests.contracts.headers import differences, read, scans_of, slow_scan

COUNT = int(os.environ.get("ISOCENTER_MUTANTS", "2500"))
EXTREMES = [n.to_bytes(4, "little") for n in (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000)]
MR, PET, DX, SR = (
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.128",
    "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.88.11",
)


def nested(syntax):
    """Sequences in sequences, of stated and of unstated length."""
    inner = item(CodeValue="1", CodingSchemeDesignator="99", CodeMeaning="one")
    outer = item(ReferencedSOPInstanceUID="1.2.3", PurposeOfReferenceCodeSequence=Sequence([inner]))
    out = ct_dataset(
        0,
        ReferencedImageSequence=Sequence([outer, item(ReferencedSOPInstanceUID="1.2.4")]),
        ModalityLUTSequence=Sequence([item(LUTExplanation="none")]),
        RequestAttributesSequence=Sequence([]),
    )
    out["ReferencedImageSequence"].is_undefined_length = True
    out.ReferencedImageSequence[0].is_undefined_length_sequence_item = True
    out.private_block(0x0029, "MAKER", create=True).add_new(0x10, "SQ", Sequence([item(PatientID="x")]))
    out[0x00291010].is_undefined_length = True
    return dicom_bytes(out, syntax)


def magnetic():
    return dicom_bytes(
        ct_dataset(
            0,
            SOPClassUID=MR,
            Modality="MR",
            SpecificCharacterSet="ISO_IR 100",
            PatientName="Müller^Jörg",
            EchoTime="4.6",
            RepetitionTime="2e3",
            DiffusionBValue=1000.0,
            MagneticFieldStrength="1.5",
            PatientWeight="071.50",
            SeriesNumber=4,
            InstanceNumber="12",
            SoftwareVersions=["VA", "VB"],
            PatientIdentityRemoved="YES",
            PixelPaddingValue=0,
            PixelPaddingRangeLimit=7,
        ),
        ImplicitVRLittleEndian,
    )


def positron():
    return dicom_bytes(
        ct_dataset(
            0, SOPClassUID=PET, Units="BQML", SpecificCharacterSet="ISO_IR 192", PatientName="山田^太郎"
        )
    )


def emission(syntax, is_undefined, group, creator, elements):
    """A PET with all that its uptake hangs on, the private elements of a maker among it."""
    fluorine = item(CodeValue="C-111A1", CodingSchemeDesignator="SRT", CodeMeaning="^18^Fluorine")
    tracer = item(
        Radiopharmaceutical="Flüssiges FDG",
        RadiopharmaceuticalStartTime="091500.00",
        RadiopharmaceuticalStartDateTime="20240311091500",
        RadionuclideTotalDose="300000000",
        RadionuclideHalfLife="6586.2",
        RadionuclideCodeSequence=Sequence([fluorine]),
    )
    out = ct_dataset(
        0,
        SOPClassUID=PET,
        Modality="PT",
        SpecificCharacterSet="ISO_IR 100",
        Units="BQML",
        DecayCorrection="START",
        CorrectedImage=["DECY", "ATTN"],
        SeriesDate="20240311",
        SeriesTime="101500",
        AcquisitionDate="20240311",
        AcquisitionTime="101500.00",
        TimezoneOffsetFromUTC="+0100",
        FrameReferenceTime="89858.0",
        ActualFrameDuration="180000",
        DecayFactor="1.0095",
        PatientWeight="060.0",
        PatientSize="1.6",
        PatientSex="F",
        RadiopharmaceuticalInformationSequence=Sequence([tracer]),
    )
    block = out.private_block(group, creator, create=True)
    for number, (vr, value) in elements.items():
        block.add_new(number, vr, value)
    sequence = out["RadiopharmaceuticalInformationSequence"]
    sequence.is_undefined_length = sequence.value[0].is_undefined_length_sequence_item = is_undefined
    return dicom_bytes(out, syntax)


def general_electric():
    return emission(ExplicitVRLittleEndian, True, 0x0009, "GEMS_PETD_01", {0x0D: ("DT", "20240311101500.00")})


def philips():
    factors = {0x00: ("DS", "0.000551"), 0x09: ("DS", "1.62")}
    return emission(ImplicitVRLittleEndian, False, 0x7053, "Philips PET Private Group", factors)


def encapsulated(syntax, pieces=1):
    out = ct_dataset(0, NumberOfFrames=pieces)
    out.PixelData = encapsulate([bytes(40)] * pieces)
    out["PixelData"].is_undefined_length = True
    return dicom_bytes(out, syntax)


def exposure():
    wanted = {"PixelSpacing": None, "ImagePositionPatient": None, "ImageOrientationPatient": None}
    return dicom_bytes(
        ct_dataset(
            0,
            SOPClassUID=DX,
            Modality="DX",
            ImagerPixelSpacing=["0.1", "0.1"],
            PresentationIntentType="FOR PRESENTATION",
            **wanted,
        )
    )


def report():
    out = Dataset()
    out.SOPClassUID, out.SOPInstanceUID, out.Modality = SR, "2.25.9", "SR"
    out.StudyInstanceUID, out.SeriesInstanceUID, out.PatientID = "2.25.7", "2.25.8", "A"
    out.ContentSequence = Sequence([item(ValueType="TEXT", TextValue="all well")])
    return dicom_bytes(out)


def bare(data):
    """A data set without preamble and group 0002."""
    return data[data.index(b"\x08\x00\x05\x00") :]


SEEDS = [
    dicom_bytes(ct_dataset()),
    dicom_bytes(ct_dataset(), ImplicitVRLittleEndian),
    nested(ExplicitVRLittleEndian),
    nested(ImplicitVRLittleEndian),
    magnetic(),
    positron(),
    general_electric(),
    philips(),
    exposure(),
    report(),
    encapsulated(JPEGLSLossless),
    encapsulated(RLELossless, 3),
    bare(positron()),
    dicom_bytes(rtstruct_dataset()),
]


def _repeat(out, rng):
    """Write an element of 8 bytes and a short value once more, with a bit of it changed now and then."""
    heads = [
        m.start()
        for m in re.finditer(rb"[\x08\x10\x18\x20\x28]\0..[A-Z][A-Z][\x02-\x20]\0", out[132:], re.DOTALL)
    ]
    if heads:
        at = 132 + heads[int(rng.integers(len(heads)))]
        element = bytearray(out[at : at + 8 + out[at + 6]])
        element[-1] ^= int(rng.integers(2)) << int(rng.integers(8))
        out[at:at] = element


def mutants(count, seed):
    rng = np.random.default_rng(seed)
    for n in range(count):
        out = bytearray(SEEDS[n % len(SEEDS)])
        for _ in range(1 if n % 5 else 3):
            first = 0 if n % 7 == 0 else min(128, len(out) - 1)
            at = int(rng.integers(first, len(out)))
            span = int(rng.integers(1, 48))
            match int(rng.integers(8)):
                case 0 | 1:
                    out[at] ^= 1 << int(rng.integers(8))
                case 2:
                    out[at] = int(rng.integers(256))
                case 3:
                    out[at : at + 4] = EXTREMES[int(rng.integers(len(EXTREMES)))]
                case 4:
                    del out[at : at + span]
                case 5:
                    out[at:at] = out[at : at + span]
                case 6 if n % 3 == 0:
                    del out[at:]
                case 7:
                    _repeat(out, rng)
            out = out or bytearray(1)
        yield bytes(out)


def tracer_differences(fast, path):
    """Where the whole data set, read anew, says something else of the tracer."""
    if not fast.instance.pet:
        return []
    try:
        whole = tracer_texts(read_header(path)[0])
    except FormatError:  # of an element that nobody asks for
        return []
    return [] if fast.instance.pet == whole else [("pet", fast.instance.pet, whole)]


@pytest.mark.parametrize("head_bytes", [8192, 512])
def test_the_fast_reader_never_differs_from_the_slow_one(head_bytes, tmp_path):
    files = list(mutants(COUNT // 2, head_bytes))
    scans = scans_of(read(files, head_bytes=head_bytes))
    wrong, known, tracers = [], 0, set()
    for n, (data, fast) in enumerate(zip(files, scans, strict=True)):
        try:
            slow = slow_scan(tmp_path / "file.dcm", data)
        except FormatError:
            raise
        except Exception as error:
            raise AssertionError(f"mutant {n} of {head_bytes} escapes: {error!r}") from error
        if fast is not None:
            known += 1
            wrong += [(n, found) for found in differences(fast, slow)]
            tracers |= {n} if fast.instance.pet else set()
            wrong += [(n, found) for found in tracer_differences(fast, tmp_path / "file.dcm")]
    assert wrong == []
    # a third of those whose seed is a PET
    assert len(tracers) > len(files) // 25
    # a reader that knew nothing would never be wrong
    assert known > len(files) // 4


@pytest.mark.parametrize("is_same", [False, True])
def test_what_is_there_twice_is_told(is_same, tmp_path):
    """Of two values the last would be believed: no field of the index is silently one of them (PS3.5 7.1)."""
    data = bytearray(magnetic())
    elements = list(elements_of(data))
    names = {"PatientID", "EchoTime", "Rows", "DiffusionBValue", "PixelPaddingValue", "SoftwareVersions"}
    assert names <= {name for name, *_ in elements}
    known = {keyword for field in FIELDS for keyword in field.keywords}
    for name, start, end in elements:
        if name not in known or start + 8 == end:
            continue
        again = bytearray(data[start:end])
        again[8] ^= 0 if is_same else 1
        both = bytes(data[:end] + again + data[end:])
        (fast,) = scans_of(read([both]))
        slow = slow_scan(tmp_path / "file.dcm", both)
        assert fast is None, name
        if is_same:
            alone = slow_scan(tmp_path / "file.dcm", bytes(data)).instance
            assert replace(slow.instance, pixel_offset=alone.pixel_offset, repeated=()) == alone, name
            assert slow.instance.repeated == (name,)
        else:
            assert slow == "file/corrupt", name


def elements_of(data):
    """Keyword, beginning and end of each element of a data set in implicit VR."""
    at = 132 + 12 + int.from_bytes(data[140:144], "little")
    while at < len(data):
        group, number, length = (
            int.from_bytes(data[at + n : at + n + k], "little") for n, k in ((0, 2), (2, 2), (4, 4))
        )
        yield keyword_for_tag(group << 16 | number), at, at + 8 + length
        at += 8 + length


def test_the_seeds_are_known_but_for_the_structure_set_and_the_report():
    scans = scans_of(read(SEEDS))
    unknown = {SEEDS.index(report()), len(SEEDS) - 1}
    assert {n for n, scan in enumerate(scans) if scan is None} == unknown
