"""Headers that were damaged at random: the fast reader says nothing that the slow one would not say."""

import os

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless, RLELossless

from isocenter.base.errors import FormatError
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
    exposure(),
    report(),
    encapsulated(JPEGLSLossless),
    encapsulated(RLELossless, 3),
    bare(positron()),
    dicom_bytes(rtstruct_dataset()),
]


def mutants(count, seed):
    rng = np.random.default_rng(seed)
    for n in range(count):
        out = bytearray(SEEDS[n % len(SEEDS)])
        for _ in range(1 if n % 5 else 3):
            first = 0 if n % 7 == 0 else min(128, len(out) - 1)
            at = int(rng.integers(first, len(out)))
            span = int(rng.integers(1, 48))
            match int(rng.integers(7)):
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
            out = out or bytearray(1)
        yield bytes(out)


@pytest.mark.parametrize("head_bytes", [8192, 512])
def test_the_fast_reader_never_differs_from_the_slow_one(head_bytes, tmp_path):
    files = list(mutants(COUNT // 2, head_bytes))
    scans = scans_of(read(files, head_bytes=head_bytes))
    wrong, known = [], 0
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
    assert wrong == []
    # a reader that knew nothing would never be wrong
    assert known > len(files) // 4


def test_the_seeds_are_known_but_for_the_structure_set():
    scans = scans_of(read(SEEDS))
    assert [scan is not None for scan in scans] == [True] * (len(SEEDS) - 1) + [False]
