"""Limits hold on every way into a file; functional groups stay out of the library's hands."""

import gzip
import struct
import time

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.dicom import file as module
from isocenter.formats.dicom.file import Bounded, read_dataset, read_header, read_identity, read_object
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from tests.contracts.files import SERIES, ct_bytes, ct_dataset, dicom_bytes, item, rtstruct_dataset

NOTHING = np.zeros(0, np.int64)
KEYWORDS = ["SOPClassUID", "Rows", "PatientID", "PerFrameFunctionalGroupsSequence"]
READERS = [
    lambda path, limits: read_object(path, KEYWORDS, NOTHING, limits),
    lambda path, limits: read_header(path, None, limits),
    lambda path, limits: read_header(path, KEYWORDS, limits),
    read_dataset,
]


@pytest.fixture
def at(tmp_path):
    def write(data):
        path = tmp_path / "file"
        path.write_bytes(data)
        return path

    return write


def refusal(run, *args):
    with pytest.raises(FormatError) as caught:
        run(*args)
    return caught.value


def before_the_name(data, raw):
    place = data.index(b"\x10\x00\x10\x00PN")
    return data[:place] + raw + data[place:]


def enhanced(count=2):
    out = ct_dataset(PixelData=bytes(96 * count))
    out.NumberOfFrames = count
    out.SharedFunctionalGroupsSequence = [item()]
    rows = [item(PlanePositionSequence=[item(ImagePositionPatient=["1", "2", str(n)])]) for n in range(count)]
    out.PerFrameFunctionalGroupsSequence = rows
    return out


@pytest.mark.parametrize("read", READERS)
class TestEveryWayIn:
    def test_limits_hold(self, read, at):
        path = at(ct_bytes())
        read(path, DEFAULT_LIMITS)
        error = refusal(read, path, Limits(elements=10))
        assert (error.reason, error.measured, error.expected) == ("file/limit", "11 elements", "at most 10")

    def test_the_clock_is_looked_at(self, read, at):
        error = refusal(read, at(ct_bytes()), Limits(seconds=1e-9))
        assert (error.reason, error.expected) == ("file/limit", "at most 1e-09 s")
        assert error.measured.endswith(" s")

    def test_an_element_that_is_there_twice(self, read, at):
        twice = before_the_name(ct_bytes(), b"\x10\x00\x20\x00LO\x04\0OTHE")
        assert refusal(read, at(twice), DEFAULT_LIMITS).measured == "PatientID"


@pytest.mark.parametrize("read", READERS[:3])
def test_an_object_of_private_elements_is_not_cut(read, at):
    """Only where nothing at all follows the file meta information has the file ended early."""
    data = ct_bytes()
    head = data[: data.index(b"\x08\x00\x08\x00CS")]
    private = b"\x09\x00\x10\x00LO\x04\0OURS"
    reasons = [refusal(read, at(head + rest), DEFAULT_LIMITS).reason for rest in (b"", private)]
    assert reasons == ["file/truncated", "file/corrupt"]


class TestBounded:
    def test_the_clock(self, at, monkeypatch):
        with at(bytes(100_000)).open("rb") as file:
            bounded = Bounded(file, Limits(seconds=5))
            now = time.monotonic()
            for _ in range(2000):
                bounded.read(8)
            monkeypatch.setattr(module.time, "monotonic", lambda: now + 6)
            error = refusal(lambda: [bounded.read(8) for _ in range(300)])
            assert (error.reason, error.expected) == ("file/limit", "at most 5 s")

    def test_long_reads_are_no_fault_of_the_header(self, at, monkeypatch):
        with at(bytes(4 << 20)).open("rb") as file:
            bounded = Bounded(file, Limits(seconds=5))
            ticks = iter([time.monotonic() + 7, time.monotonic() + 400])
            with monkeypatch.context() as patch:
                patch.setattr(module.time, "monotonic", lambda: next(ticks))
                bounded.read(2 << 20)
            for _ in range(1000):
                bounded.read(8)

    def test_reads(self, at):
        with at(bytes(1000)).open("rb") as file:
            bounded = Bounded(file, DEFAULT_LIMITS, reads=10)
            error = refusal(lambda: [bounded.read(8) for _ in range(11)])
            assert (error.reason, error.expected) == ("file/limit", "at most 10")

    def test_bytes_of_long_values(self, at):
        with at(bytes(100_000)).open("rb") as file:
            bounded = Bounded(file, Limits(header_bytes=30_000))
            bounded.read(10_000)
            bounded.read(20_000)
            error = refusal(bounded.read, 9000)
            assert (error.reason, error.measured) == ("file/limit", "39,000 bytes")


class TestGroups:
    def test_they_are_left_out_of_the_data_set(self, at):
        parsed = read_object(at(dicom_bytes(enhanced())), KEYWORDS, NOTHING)
        assert "PerFrameFunctionalGroupsSequence" not in parsed.dataset
        assert parsed.dataset.Rows == 6
        assert parsed.groups.frames == 2
        assert parsed.pixels

    def test_pixels_behind_them_are_checked(self, at):
        data = dicom_bytes(enhanced())
        assert refusal(read_object, at(data[:-20]), KEYWORDS, NOTHING).reason == "file/truncated"
        place = data.rindex(b"\xe0\x7f\x10\x00OW")
        assert not read_object(at(data[:place]), KEYWORDS, NOTHING).pixels

    def test_what_stands_behind_them_is_read(self, at):
        dataset = enhanced()
        del dataset.Rows
        data = dicom_bytes(dataset)
        place = data.rindex(b"\xe0\x7f\x10\x00OW")
        late = data[:place] + b"\x28\x00\x10\x00US\x02\0\x06\0" + data[place:]
        parsed = read_object(at(late), KEYWORDS, NOTHING)
        assert (parsed.dataset.Rows, parsed.groups.frames, bool(parsed.pixels)) == (6, 2, True)

    def test_broken_ones_are_refused(self, at):
        data = dicom_bytes(enhanced())
        place = data.index(b"\x00\x52\x30\x92SQ")
        broken = data[: place + 12] + b"\xfe\xff\x01\xe0" + data[place + 16 :]
        error = refusal(read_object, at(broken), KEYWORDS, NOTHING)
        assert (error.reason, error.message) == ("file/corrupt", "the functional groups are broken")

    def test_empty_ones_are_none(self, at):
        dataset = enhanced()
        dataset.PerFrameFunctionalGroupsSequence = []
        dataset.SharedFunctionalGroupsSequence = []
        assert read_object(at(dicom_bytes(dataset)), KEYWORDS, NOTHING).groups is None


class TestIdentity:
    def test_of_a_file_beyond_a_limit(self, at):
        path = at(ct_bytes())
        assert read_identity(path, Limits(elements=10)).SeriesInstanceUID == SERIES

    def test_what_is_beyond_a_limit_costs_the_same_however_much_it_is(self, at):
        def seconds(items):
            raw = (
                b"\x08\x00\x40\x11SQ\0\0"
                + struct.pack("<I", 0xFFFFFFFF)
                + b"\xfe\xff\x00\xe0\0\0\0\0" * items
            )
            path = at(before_the_name(ct_bytes(), raw + b"\xfe\xff\xdd\xe0\0\0\0\0"))
            taken = []
            for _ in range(3):
                began = time.process_time()
                assert refusal(read_identity, path).reason == "file/limit"
                taken.append(time.process_time() - began)
            return min(taken)

        few = seconds(150_000)
        assert seconds(3_000_000) < 5 * few


def test_structure_sets_of_many_contours_are_read(at):
    data = dicom_bytes(rtstruct_dataset())
    dataset, has_pixels = read_header(at(data))
    assert len(dataset.ROIContourSequence) == 2
    assert not has_pixels


class TestGzip:
    def test_it_is_read_as_what_it_holds(self, at):
        plain = read_object(at(ct_bytes()), KEYWORDS, NOTHING)
        packed = read_object(at(gzip.compress(ct_bytes())), KEYWORDS, NOTHING)
        assert packed.dataset == plain.dataset
        assert packed.pixels
        # nobody may look for the pixel data there in the file
        assert getattr(plain.pixels, "offset", None) is not None
        assert getattr(packed.pixels, "offset", None) is None

    def test_a_cut_one_is_refused_and_still_named(self, at):
        rng = np.random.default_rng(0)
        whole = gzip.compress(ct_bytes(PixelData=rng.bytes(96)))
        path = at(whole[:-30])
        assert refusal(read_object, path, KEYWORDS, NOTHING).reason == "file/truncated"
        assert read_identity(path).SeriesInstanceUID == SERIES

    def test_limits_hold(self, at):
        error = refusal(read_object, at(gzip.compress(ct_bytes())), KEYWORDS, NOTHING, Limits(elements=10))
        assert error.measured == "11 elements"
