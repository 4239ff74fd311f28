"""The tracers of many PET headers at once, against `tracer_texts` of the whole data set, read by pydicom alone."""

import io

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from isocenter.formats.dicom.tracer import tracer_texts
from isocenter.formats.header_reader import HEADER_READERS
from isocenter.formats.images import dicom
from isocenter.formats.limits import DEFAULT_LIMITS
from tests.contracts.files import ct_dataset, dicom_bytes, item
from tests.contracts.headers import differences, heads_of, read, scans_of, slow_scan

LE, IM = ExplicitVRLittleEndian, ImplicitVRLittleEndian
PET = "1.2.840.10008.5.1.4.1.1.128"
GE, PHILIPS = (0x0009, "GEMS_PETD_01"), (0x7053, "Philips PET Private Group")
FACTORS = ["PhilipsActivityFactor=1.62", "PhilipsSUVFactor=0.000551"]


def tracer(**changes):
    code = item(CodeValue="C-111A1", CodingSchemeDesignator="SRT", CodeMeaning="^18^Fluorine")
    told = {"RadionuclideTotalDose": "300000000", "RadiopharmaceuticalStartTime": "091500"}
    return item(**told | {"RadionuclideCodeSequence": Sequence([code])} | changes)


def pet(*tracers, is_undefined=False, **changes):
    told = {"PatientWeight": " 060.0", "CorrectedImage": ["DECY", "ATTN"], "AcquisitionTime": "101500.0"}
    out = ct_dataset(0, **{"SOPClassUID": PET, "Modality": "PT"} | told | changes)
    out.RadiopharmaceuticalInformationSequence = Sequence(tracers)
    out["RadiopharmaceuticalInformationSequence"].is_undefined_length = is_undefined
    for one in tracers:
        one.is_undefined_length_sequence_item = is_undefined
    return out


def with_factors(dataset, block=0x10, creator=PHILIPS[1], vr="DS"):
    dataset.add_new(0x70530000 + block, "LO", creator)
    dataset.add_new(0x70530000 + (block << 8), vr, "0.000551")
    dataset.add_new(0x70530009 + (block << 8), vr, "1.62")
    return dataset


def known(data, **options):
    (scan,) = scans_of(read([data], **options))
    return scan


def agreed(dataset, tmp_path, syntax=LE, **options):
    """The texts of a PET that is known, which must be what its whole data set says."""
    data = dicom_bytes(dataset, syntax)
    scan = known(data, **options)
    assert scan is not None
    assert differences(scan, slow_scan(tmp_path / "file.dcm", data)) == []
    whole = pydicom.dcmread(io.BytesIO(data))
    assert scan.instance.pet == tracer_texts(whole)
    return scan.instance.pet


@pytest.mark.parametrize("syntax", [LE, IM])
@pytest.mark.parametrize("is_undefined", [False, True])
@pytest.mark.parametrize("head_bytes", [300, 700, 900, 1000, 1100, 8192])
def test_the_tracer_is_found_wherever_the_head_ends(syntax, is_undefined, head_bytes, tmp_path):
    found = agreed(pet(tracer(), is_undefined=is_undefined), tmp_path, syntax, head_bytes=head_bytes)
    assert found == (
        *("AcquisitionTime=101500.0", "CorrectedImage=DECY\\ATTN", "Nuclide=F-18", "PatientWeight=060.0"),
        *("RadionuclideTotalDose=300000000", "RadiopharmaceuticalStartTime=091500", "Tracers=1"),
    )


@pytest.mark.parametrize("head_bytes", range(600, 1300, 7))
def test_no_end_of_the_head_gives_another_tracer(head_bytes, tmp_path):
    data = dicom_bytes(pet(tracer(), tracer(), is_undefined=True))
    assert known(data, head_bytes=head_bytes).instance.pet == known(data).instance.pet


@pytest.mark.parametrize("tracers", [(), (Dataset(),), (tracer(), tracer(RadionuclideTotalDose="1"))])
@pytest.mark.parametrize("is_undefined", [False, True])
def test_none_and_several(tracers, is_undefined, tmp_path):
    found = agreed(pet(*tracers, is_undefined=is_undefined), tmp_path)
    assert [t for t in found if t.startswith("Tracers=")] == ([f"Tracers={len(tracers)}"] if tracers else [])


@pytest.mark.parametrize("characters", ["ISO_IR 100", "ISO_IR 192"])
def test_names_are_read_in_the_character_set_of_the_object(characters, tmp_path):
    named = tracer(Radiopharmaceutical="Flüssiges ⁶⁸Ga" if characters == "ISO_IR 192" else "Flüssiges 68Ga")
    del named.RadionuclideCodeSequence
    found = agreed(pet(named, SpecificCharacterSet=characters), tmp_path)
    assert ("Nuclide=Ga-68" in found) == (characters == "ISO_IR 100")


@pytest.mark.parametrize("syntax", [LE, IM])
@pytest.mark.parametrize("vr", ["DS", "LO", "UN"])
def test_factors_in_the_first_block_are_taken(syntax, vr, tmp_path):
    one = with_factors(pet(tracer()), vr="DS" if syntax == IM else vr) if vr != "UN" else pet(tracer())
    if vr == "UN":
        one.add_new(0x70530010, "LO", PHILIPS[1])
        one.add_new(0x70531000, "UN", b"0.000551")
        one.add_new(0x70531009, "UN", b"1.62")
    assert [t for t in agreed(one, tmp_path, syntax) if t.startswith("Philips")] == FACTORS


def test_the_date_of_the_scan_is_taken(tmp_path):
    one = pet(tracer())
    one.private_block(*GE, create=True).add_new(0x0D, "DT", "20240311101500.00")
    assert "GEScanDateTime=20240311101500.00" in agreed(one, tmp_path)


def test_another_block_is_left_to_the_slow_reader_unless_the_first_is_the_one(tmp_path):
    other = dicom_bytes(with_factors(pet(tracer()), block=0x42))
    assert known(other) is None
    slow = slow_scan(tmp_path / "file.dcm", other)
    assert [t for t in slow.instance.pet if t.startswith("Philips")] == FACTORS
    both = with_factors(with_factors(pet(tracer())), block=0x42, creator="Somebody else")
    assert [t for t in agreed(both, tmp_path) if t.startswith("Philips")] == FACTORS


def test_another_block_of_what_is_no_pet_is_no_reason(tmp_path):
    data = dicom_bytes(with_factors(ct_dataset(0), block=0x42))
    assert known(data).instance.pet == ()


def test_the_block_of_another_maker_is_not_taken(tmp_path):
    found = agreed(with_factors(pet(tracer()), creator="Somebody else"), tmp_path)
    assert not any(t.startswith("Philips") for t in found)


@pytest.mark.parametrize("changes", [{"SeriesTime": "10é"}, {"CorrectedImage": "DÉCY"}])
@pytest.mark.filterwarnings("ignore")
def test_odd_values_are_left_to_the_slow_reader(changes):
    assert known(dicom_bytes(pet(tracer(), SpecificCharacterSet="ISO_IR 192", **changes))) is None


def test_an_end_that_is_out_of_sight_is_left_to_the_slow_reader(tmp_path):
    one = pet(
        *(tracer(RadiopharmaceuticalVolume="1", RadionuclideHalfLife="6") for _ in range(40)),
        is_undefined=True,
    )
    data = dicom_bytes(one)
    assert known(data, head_bytes=700) is None
    assert "Tracers=40" in known(data).instance.pet


def test_objects_of_all_kinds_keep_their_own(tmp_path):
    """Rows that are left out and rows of other modalities shift nothing."""
    files = [
        dicom_bytes(ct_dataset(0)),
        dicom_bytes(pet(tracer(RadionuclideTotalDose="1"))),
        dicom_bytes(with_factors(pet(tracer()), block=0x42)),
        dicom_bytes(pet(tracer(RadionuclideTotalDose="2"), is_undefined=True), IM),
        dicom_bytes(ct_dataset(1)),
    ]
    scans = scans_of(read(files))
    assert [scan is not None for scan in scans] == [True, True, False, True, True]
    assert [scan.instance.pet for scan in (scans[0], scans[4])] == [(), ()]
    assert "RadionuclideTotalDose=1" in scans[1].instance.pet
    assert "RadionuclideTotalDose=2" in scans[3].instance.pet


def test_the_slow_reader_reads_a_file_once(tmp_path, monkeypatch):
    path = tmp_path / "file.dcm"
    path.write_bytes(dicom_bytes(with_factors(pet(tracer()))))
    monkeypatch.setattr(dicom, "read_header", None)
    assert {*FACTORS} <= {*dicom.scan(path, "f", 0, "s").instance.pet}


def test_the_sequence_is_read_on_only_once():
    data = dicom_bytes(pet(tracer(), is_undefined=True))
    heads = heads_of([data], 700)
    assert HEADER_READERS.get("dicom").read(heads, DEFAULT_LIMITS).is_known.tolist() == [True]
    assert len(heads.more.asked) == 1
