"""Files made to harm, mislead or stall a reader: each is refused with its reason, or read rightly."""

import gzip
import os
import struct
import zlib

import nibabel
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from isocenter.base.errors import FormatError
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.image import FORMATS, HEAD_BYTES, format_of
from isocenter.model.issue import Severity
from isocenter.model.reasons import REASONS
from isocenter.model.rows import FileRow
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.index.scan import FileToScan, scan_file
from tests.contracts.files import (
    SHAPE,
    affine,
    ct_bytes,
    ct_dataset,
    dicom_bytes,
    nifti_bytes,
    nrrd_bytes,
    stack_of,
    stored,
)
from tests.hostile.bounded import bounded, listening

CPU_SECONDS, MEMORY_BYTES = 2, 512 << 20
CANARY = b"CANARY" * 99


@pytest.fixture(scope="module", autouse=True)
def _compiled(tmp_path_factory):
    """Kernels are compiled before anything is bounded."""
    folder = tmp_path_factory.mktemp("good")
    for data in (
        ct_bytes(),
        ct_bytes(Modality="MR"),
        nifti_bytes(stored(dtype="f4")),
        nifti_bytes(stored(dtype="f8")),
    ):
        assert judged(folder, data, None)[0] == "volume"


def judge(folder, data, good=None):
    """What `judged` says, within two seconds of processor time and half a GiB of memory."""
    with bounded(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES):
        return judged(folder, data, good)


def judged(folder, data, good):
    """Where a file is stopped and why: ("unknown", ""), ("scan", reason), ("read", reason) or ("volume", it).

    `good` is the file that was indexed; without one the file itself is.
    """
    path = folder / "file"
    name = format_of(data[:HEAD_BYTES])
    if name is None:
        return "unknown", ""
    stack = None
    if good is not None:
        path.write_bytes(good)
        stack = stack_of(name, [path])
    path.write_bytes(data)
    step = "scan"
    try:
        FORMATS.get(name).scan(path, "0", 0, "")
        step = "read"
        volume = FORMATS.get(name).read(stack or stack_of(name, [path]), [path])
    except FormatError as error:
        check(error)
        return step, error.reason
    return "volume", volume


def check(error):
    assert error.reason in REASONS


def element(tag, vr, value):
    """One explicit little-endian element."""
    head = struct.pack("<HH", *tag) + vr
    if vr in {b"OB", b"OW", b"SQ", b"UN"}:
        return head + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def replaced(data, tag, vr, value, new_vr=None):
    """A file whose element (short form) has another value, and maybe another VR."""
    at = data.index(struct.pack("<HH", *tag) + vr)
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    return data[:at] + element(tag, new_vr or vr, value) + data[at + 8 + length :]


def inserted(data, raw):
    """A file with more bytes in front of Patient's Name."""
    at = data.index(b"\x10\x00\x10\x00PN")
    return data[:at] + raw + data[at:]


def nested(depth):
    start = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return inserted(ct_bytes(), start * depth + end * depth)


def encapsulated(frame, syntax, **changes):
    dataset = ct_dataset(PixelData=encapsulate([frame]), **changes)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dicom_bytes(dataset, syntax)


def rle(segments, offsets=None):
    starts = [64]
    for segment in segments[:-1]:
        starts.append(starts[-1] + len(segment))
    offsets = starts if offsets is None else offsets
    head = struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(offsets)))
    return head + b"".join(segments)


def siz(rows, columns):
    body = struct.pack(">HHIIIIIIIIH", 41, 0, columns, rows, 0, 0, columns, rows, 0, 0, 1) + b"\x0f\x01\x01"
    return b"\xff\x4f\xff\x51" + body + bytes(60)


def deflated(zeros):
    """A deflated object with so many MiB of zeros in a private element."""
    plain = dicom_bytes(ct_dataset())
    meta = dicom_bytes(ct_dataset(), DeflatedExplicitVRLittleEndian)
    head = meta[: 144 + int.from_bytes(meta[140:144], "little")]
    start, name = plain.index(b"\x08\x00\x16\x00UI"), plain.index(b"\x10\x00\x10\x00PN")
    stream = zlib.compressobj(wbits=-15)
    out = head + stream.compress(plain[start:name])
    if zeros:
        out += stream.compress(b"\x09\x00\x10\x10OB\0\0" + struct.pack("<I", zeros << 20))
        out += b"".join(stream.compress(bytes(1 << 20)) for _ in range(zeros))
    return out + stream.compress(plain[name:]) + stream.flush()


GOOD = ct_bytes()
PIXELS = GOOD.index(b"\xe0\x7f\x10\x00OW")
META_END = 144 + int.from_bytes(GOOD[140:144], "little")
ROWS, COLUMNS, FRAMES = (0x28, 0x10), (0x28, 0x11), (0x28, 0x08)


class TestStructure:
    def test_the_sample_is_good(self, tmp_path):
        step, volume = judge(tmp_path, GOOD)
        assert step == "volume"
        assert np.array_equal(volume.array[0], stored()[0] - 1024)

    @pytest.mark.parametrize("data", [b"", bytes(128), bytes(5000)], ids=["empty", "128 zeros", "zeros"])
    def test_nothing_is_no_dicom(self, data, tmp_path):
        assert judge(tmp_path, data) == ("unknown", "")

    def test_preamble_only(self, tmp_path):
        assert judge(tmp_path, bytes(128) + b"DICM") == ("scan", "file/truncated")

    def test_random_bytes_after_the_preamble(self, tmp_path):
        for seed in range(5):
            noise = np.random.default_rng(seed).bytes(64 << 10)
            step, reason = judge(tmp_path, bytes(128) + b"DICM" + noise)
            assert (step, reason) in {("scan", "file/corrupt"), ("scan", "file/truncated")}

    def test_cut_in_group_2(self, tmp_path):
        for cut in range(132, META_END, 5):
            assert judge(tmp_path, GOOD[:cut], GOOD)[0] == "scan", cut

    def test_cut_anywhere_in_the_header(self, tmp_path):
        """Cut within an element it is truncated; cut between two it is an object without pixels."""
        seen = {judge(tmp_path, GOOD[:cut], GOOD) for cut in range(META_END, PIXELS + 12)}
        assert seen <= {("scan", "file/truncated"), ("scan", "file/corrupt")} | {
            ("read", reason) for reason in ("file/corrupt", "file/truncated")
        }
        assert ("scan", "file/truncated") in seen

    def test_pixel_data_short_by_half(self, tmp_path):
        assert judge(tmp_path, GOOD[: PIXELS + 12 + 48]) == ("scan", "file/truncated")
        honest = ct_bytes(PixelData=bytes(48))
        assert judge(tmp_path, honest) == ("scan", "file/truncated")

    def test_more_pixel_data_than_rows_and_columns(self, tmp_path):
        assert judge(tmp_path, ct_bytes(PixelData=bytes(96 + 2000))) == ("scan", "file/corrupt")
        assert judge(tmp_path, ct_bytes(PixelData=GOOD[PIXELS + 12 :] + bytes(100)))[0] == "volume"

    @pytest.mark.parametrize("length", [0xFFFFFFF0, 0x7FFFFFF0, 0x10000])
    def test_lengths_that_lie(self, length, tmp_path):
        raw = b"\x09\x00\x10\x10OB\0\0" + struct.pack("<I", length)
        assert judge(tmp_path, inserted(GOOD, raw)) == ("scan", "file/truncated")
        wanted = b"\x08\x00\x60\x00UN\0\0" + struct.pack("<I", length)
        assert judge(tmp_path, inserted(GOOD, wanted)) == ("scan", "file/truncated")
        pixels = GOOD[: PIXELS + 8] + struct.pack("<I", length) + GOOD[PIXELS + 12 :]
        assert judge(tmp_path, pixels) == ("scan", "file/truncated")

    def test_nested_sequences(self, tmp_path):
        assert judge(tmp_path, nested(100))[0] == "volume"
        assert judge(tmp_path, nested(1100)) == ("scan", "file/limit")

    def test_an_endless_sequence(self, tmp_path):
        raw = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\0\0\0\0" * 5
        assert judge(tmp_path, inserted(GOOD, raw))[0] == "scan"

    def test_values_of_another_type(self, tmp_path):
        long = replaced(GOOD, ROWS, b"US", b"\x01\0\0\x80", b"UL")
        assert judge(tmp_path, long) == ("scan", "file/truncated")
        text = replaced(GOOD, ROWS, b"US", b"6 rows", b"LO")
        assert judge(tmp_path, text, GOOD)[0] == "read"
        nonsense = replaced(GOOD, ROWS, b"US", b"\x06\0", b"QQ")
        assert judge(tmp_path, nonsense, GOOD)[0] in {"scan", "read", "volume"}

    def test_a_deflate_bomb(self, tmp_path):
        assert judge(tmp_path, deflated(0))[0] == "volume"
        assert judge(tmp_path, deflated(300)) == ("scan", "file/too-large")
        assert judge(tmp_path, deflated(0)[:-9]) == ("scan", "file/truncated")


class TestPixels:
    def test_sizes_beyond_the_data(self, tmp_path):
        assert judge(tmp_path, ct_bytes(Rows=65535, Columns=65535)) == ("scan", "file/truncated")
        for frames in (b"2147483647 ", b"1000000000"):
            data = ct_bytes(NumberOfFrames="1")
            value = frames + b" " * (len(frames) % 2)
            assert judge(tmp_path, replaced(data, FRAMES, b"IS", value), data) == ("scan", "file/truncated")

    def test_frames_that_make_no_sense(self, tmp_path):
        data = ct_bytes(NumberOfFrames="1")
        assert judge(tmp_path, replaced(data, FRAMES, b"IS", b"0 "), data)[0] == "volume"
        for value in (b"-1", b"abc ", b"1.5 "):
            step, _ = judge(tmp_path, replaced(data, FRAMES, b"IS", value), data)
            assert step in {"scan", "read"}, value

    @pytest.mark.parametrize("bits", [0, 7, 64, 255])
    def test_bits_allocated(self, bits, tmp_path):
        data = ct_bytes(BitsAllocated=bits, BitsStored=bits, HighBit=max(bits - 1, 0))
        assert judge(tmp_path, data, GOOD)[0] in {"scan", "read"}

    @pytest.mark.parametrize(("stored_bits", "high"), [(0, 15), (20, 19), (16, 40), (12, 15)])
    def test_bits_stored(self, stored_bits, high, tmp_path):
        data = ct_bytes(BitsStored=stored_bits, HighBit=high)
        assert judge(tmp_path, data, GOOD) == ("read", "file/corrupt")

    @pytest.mark.parametrize("samples", [0, 3, 255])
    def test_samples(self, samples, tmp_path):
        data = ct_bytes(SamplesPerPixel=samples)
        assert judge(tmp_path, data, GOOD) == ("read", "file/unsupported")

    @pytest.mark.parametrize("photometric", ["PALETTE COLOR", "RGB", "YBR_FULL"])
    def test_colours(self, photometric, tmp_path):
        data = ct_bytes(PhotometricInterpretation=photometric)
        assert judge(tmp_path, data, GOOD) == ("read", "file/unsupported")

    @pytest.mark.parametrize("slope", [b"NaN ", b"1e400 ", b"1,5 ", b"0 ", b"inf ", b"1_0 ", b"1\\2 "])
    def test_slopes(self, slope, tmp_path):
        data = replaced(GOOD, (0x28, 0x1053), b"DS", slope)
        assert judge(tmp_path, data) == ("read", "read/values")

    def test_an_empty_slope_is_a_missing_one(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(replaced(GOOD, (0x28, 0x1053), b"DS", b""))
        assert stack_of("dicom", [path]).n_without_rescale == 1

    def test_a_huge_slope_is_told(self, tmp_path):
        _, volume = judge(tmp_path, replaced(GOOD, (0x28, 0x1053), b"DS", b"1e300 "))
        assert [i.rule for i in volume.issues] == ["read/saturated"]

    def test_encapsulated_under_a_native_syntax(self, tmp_path):
        data = encapsulated(bytes(96), RLELossless).replace(
            b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0"
        )
        assert judge(tmp_path, data) == ("scan", "file/corrupt")

    def test_broken_encapsulation(self, tmp_path):
        data = encapsulated(bytes(96), JPEG2000Lossless)
        assert judge(tmp_path, data) == ("read", "file/corrupt")
        assert judge(tmp_path, data[:-8]) == ("scan", "file/truncated")
        assert judge(tmp_path, data[:-40]) == ("scan", "file/truncated")

    def test_codestreams_of_another_size(self, tmp_path):
        assert judge(tmp_path, encapsulated(siz(60000, 60000), JPEG2000Lossless)) == ("read", "file/corrupt")
        assert judge(tmp_path, encapsulated(siz(6, 8), JPEG2000Lossless)) == ("read", "file/corrupt")
        frame = b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB", 11, 16, 60000, 60000, 1) + bytes(60)
        assert judge(tmp_path, encapsulated(frame, JPEGLSLossless)) == ("read", "file/corrupt")

    def test_run_lengths(self, tmp_path):
        plane = [bytes([255 - 47, 0]), bytes([255 - 46, 9])]  # 48 equal bytes each: high, then low
        step, volume = judge(tmp_path, encapsulated(rle(plane), RLELossless, RescaleIntercept="0"))
        assert step == "volume"
        assert (volume.array == 9).all()
        bomb = [bytes([129, 7]) * 200_000] * 2
        assert judge(tmp_path, encapsulated(rle(bomb), RLELossless))[0] == "read"
        for offsets in ([0xFFFFFFFF, 0xFFFFFFFF], [0, 0], [66, 64], [64, 1 << 20]):
            assert judge(tmp_path, encapsulated(rle(plane, offsets), RLELossless))[0] == "read"
        assert judge(tmp_path, encapsulated(rle([b"\x00\x01"] * 2), RLELossless))[0] == "read"

    def test_huge_shapes_are_refused_before_memory_is_taken(self, tmp_path):
        data = encapsulated(bytes(96), JPEG2000Lossless, Rows=65535, Columns=65535)
        assert judge(tmp_path, data)[0] == "read"


@pytest.mark.parametrize(
    "uid",
    [b"../../../../tmp/pwn ", b"/tmp/pwn", b"1.2\x00/x ", b"1." * 150, "١.٢".encode(), b"1.2\n3.4 "],
    ids=range(6),
)
def test_uids_are_never_paths(uid, tmp_path):
    path = tmp_path / "file"
    for tag in ((0x20, 0x0E), (0x20, 0x0D), (0x08, 0x18), (0x20, 0x52)):
        path.write_bytes(replaced(GOOD, tag, b"UI", uid + b"\0" * (len(uid) % 2)))
        with listening() as opened:
            found = FORMATS.get("dicom").scan(path, "f", 0, "").instance
        assert len(found.unparsable) == 1
        assert set(opened) == {str(path)}


def test_pipes_links_and_folders_in_the_place_of_a_file_are_not_read(tmp_path):
    (tmp_path / "canary").write_bytes(GOOD)
    os.mkfifo(tmp_path / "pipe.dcm")
    (tmp_path / "link.dcm").symlink_to(tmp_path / "canary")
    (tmp_path / "folder.dcm").mkdir()
    for name in ("pipe.dcm", "link.dcm", "folder.dcm"):
        row = FileRow(file_id="f", source=0, path=name, size=0, mtime_ns=0, kind="")
        found = scan_file(FileToScan(root=str(tmp_path), row=row, site=""), GOOD[:HEAD_BYTES])
        assert (found.kind, found.instance) == ("dicom-unreadable", None)
        assert found.issue.rule == "file/unreadable"


def dims(*values):
    def change(record):
        record["dim"][: len(values)] = values

    return change


def field(name, value):
    def change(record):
        record[name] = value

    return change


class TestNifti:
    @pytest.mark.parametrize(
        "values",
        [
            (3, 32767, 32767, 32767),
            (0,),
            (8,),
            (-1,),
            (20000,),
            (3, -8),
            (3, 0),
            (3, 9),
            (3, 7),
            (3, 8, 6, 2),
        ],
    )
    def test_dims_that_lie(self, values, tmp_path):
        # two slices more than padding, so that one slice less is seen
        array = np.zeros((3, 32, 32), np.float64)[:, :6, :8] if max(values) > 9 else np.zeros((3, 30, 40))
        values = tuple(v if abs(v) != 8 or n == 0 else 39 for n, v in enumerate(values))
        data = nifti_bytes(array, dims(*values))
        for packed in (data, gzip.compress(data, 1)):
            step, reason = judge(tmp_path, packed, nifti_bytes(array))
            assert step in {"scan", "read"}
            assert reason in {"file/corrupt", "file/truncated", "file/too-large", "file/changed"}

    @pytest.mark.parametrize("offset", [np.nan, np.inf, -np.inf, -100, 1e30, 100, 0, 352.5])
    def test_vox_offset(self, offset, tmp_path):
        data = nifti_bytes(change=field("vox_offset", offset))
        step, reason = judge(tmp_path, data, nifti_bytes())
        assert step == "scan"
        assert reason in {"file/corrupt", "file/truncated", "file/too-large"}

    @pytest.mark.parametrize("name", ["scl_slope", "scl_inter"])
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_scaling_that_is_no_number(self, name, value, tmp_path):
        def change(record):
            record["scl_slope"], record["scl_inter"] = 1, 0
            record[name] = value

        assert judge(tmp_path, nifti_bytes(change=change)) == ("read", "read/values")

    def test_a_slope_of_zero_is_none(self, tmp_path):
        step, volume = judge(tmp_path, nifti_bytes(change=field("scl_slope", 0)))
        assert step == "volume"
        assert np.array_equal(volume.array, stored())

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_an_affine_that_is_not_finite(self, value, tmp_path):
        for name in ("srow_x", "srow_y", "srow_z"):
            assert judge(tmp_path, nifti_bytes(change=field(name, value)))[0] == "scan"

        def quaternion(record):
            record["sform_code"], record["qform_code"], record["quatern_b"] = 0, 1, value

        assert judge(tmp_path, nifti_bytes(change=quaternion)) == ("scan", "file/corrupt")

    def test_a_singular_affine_places_no_mask(self, tmp_path):
        path = tmp_path / "mask.nii"
        path.write_bytes(nifti_bytes(np.ones(SHAPE, np.uint8), field("srow_x", 0)))
        with pytest.raises(FormatError) as caught:
            ANNOTATIONS.get("nifti").read(path, {1: "x"}, annotation_id="a", rater="")
        assert caught.value.reason == "file/corrupt"

    @pytest.mark.parametrize("code", [0, 1, 32, 128, 1536, 2304, 9999])
    def test_types_that_are_no_numbers(self, code, tmp_path):
        step, reason = judge(tmp_path, nifti_bytes(change=field("datatype", code)), nifti_bytes())
        assert (step, reason) in {("scan", "file/corrupt"), ("scan", "file/unsupported")}

    @pytest.mark.parametrize("unit", [4, 5, 7, 255])
    def test_unknown_units(self, unit, tmp_path):
        assert judge(tmp_path, nifti_bytes(change=field("xyzt_units", unit)))[0] == "volume"

    def test_other_headers(self, tmp_path):
        wrong = field("sizeof_hdr", 1234)
        assert judge(tmp_path, nifti_bytes(change=wrong)) == ("scan", "file/corrupt")
        assert judge(tmp_path, nifti_bytes()[:100]) == ("scan", "file/truncated")
        pair = nifti_bytes().replace(b"n+1\0", b"ni1\0", 1)
        assert judge(tmp_path, pair) == ("scan", "file/truncated")  # there is no file of voxels beside it

    def test_counts_that_overflow(self, tmp_path):
        data = nifti_bytes(change=dims(3, 1 << 32, 1 << 32, 2), kind=nibabel.Nifti2Image)
        assert judge(tmp_path, data) == ("scan", "file/too-large")

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_voxels_that_are_no_numbers(self, value, tmp_path):
        array = stored(dtype=np.float32)
        array[1, 2, 3] = value
        step, volume = judge(tmp_path, nifti_bytes(array))
        assert step == "volume"
        assert volume.facts.n_not_finite.tolist() == [0, 1, 0]
        (told,) = [i for i in Engine(ScreenOptions()).check(volume) if i.rule == "values/non-finite-values"]
        assert (told.severity, told.measured) == (Severity.REJECT, "1")

    def test_values_beyond_the_type(self, tmp_path):
        assert judge(tmp_path, nifti_bytes(np.full(SHAPE, 1e300))) == ("read", "read/values")


def realistic():
    k, j, i = np.indices((12, 40, 40))
    rng = np.random.default_rng(5)
    smooth = 800 * np.sin(k / 4) * np.cos(j / 9) * np.sin(i / 7)
    return (smooth + rng.normal(0, 8, smooth.shape)).astype(np.int16)


class TestGzip:
    def test_a_hundred_cuts(self, tmp_path):
        packed = gzip.compress(nifti_bytes(realistic()), mtime=0)
        for cut in np.linspace(20, len(packed) - 1, 100).astype(int):
            step, _ = judge(tmp_path, packed[:cut], packed)
            assert step in {"unknown", "scan", "read"}, cut

    def test_two_hundred_bit_flips(self, tmp_path):
        """Refused, or read as it was: a flip in the file's name or date does no harm."""
        truth = realistic()
        packed = gzip.compress(nifti_bytes(truth), mtime=0)
        rng = np.random.default_rng(6)
        harmless = 0
        for _ in range(200):
            flipped = bytearray(packed)
            flipped[int(rng.integers(len(packed)))] ^= 1 << int(rng.integers(8))
            step, volume = judge(tmp_path, bytes(flipped), packed)
            if step == "volume":
                assert np.array_equal(volume.array, truth)
                assert np.allclose(volume.grid.affine, affine())
                harmless += 1
        assert harmless < 5

    def test_trailers_members_and_garbage(self, tmp_path):
        data, packed = nifti_bytes(), gzip.compress(nifti_bytes(), mtime=0)
        for wrong in (packed[:-8] + bytes(4) + packed[-4:], packed[:-4] + bytes(4), packed + b"garbage"):
            assert judge(tmp_path, wrong, packed) == ("read", "file/corrupt")
        members = gzip.compress(data[:400], mtime=0) + gzip.compress(data[400:], mtime=0)
        assert judge(tmp_path, members + bytes(512))[0] == "volume"

    def test_bombs(self, tmp_path):
        bomb = gzip.compress(nifti_bytes() + bytes(200 << 20), 1)
        assert judge(tmp_path, bomb) == ("read", "file/too-large")
        honest = gzip.compress(nifti_bytes(change=dims(3, 2000, 2000, 1000)), 1)
        assert judge(tmp_path, honest) == ("scan", "file/too-large")
        empty = gzip.compress(nifti_bytes(), mtime=0) + gzip.compress(b"", mtime=0) * 300_000
        assert judge(tmp_path, empty)[0] == "read"


class TestNrrd:
    @pytest.mark.parametrize(
        ("where", "reason"),
        [
            ("{outside}", "file/outside"),
            ("../canary", "file/outside"),
            ("/dev/zero", "file/outside"),
            ("LIST", "file/unsupported"),
            ("%03d.raw 1 9 1", "file/unsupported"),
        ],
    )
    @pytest.mark.parametrize("key", ["data file", "datafile"])
    def test_no_other_file_is_opened(self, where, reason, key, tmp_path):
        canary = tmp_path / "canary"
        canary.write_bytes(CANARY)
        inside = tmp_path / "inside"
        inside.mkdir()
        data = nrrd_bytes(**{key: where.format(outside=canary)})
        with listening() as opened:
            outcome = judge(inside, data, nrrd_bytes())
        assert outcome == ("scan", reason)
        assert str(inside / "file") in opened
        assert not [p for p in opened if "canary" in p or p.startswith("/dev")]

    @pytest.mark.parametrize("skip", ["9223372036854775807", "-1", "-2", "1000000000"])
    @pytest.mark.parametrize("key", ["byte skip", "line skip", "byteskip", "lineskip"])
    def test_skips(self, key, skip, tmp_path):
        assert judge(tmp_path, nrrd_bytes(**{key: skip}), nrrd_bytes()) == ("scan", "file/unsupported")

    @pytest.mark.parametrize(
        "sizes",
        ["1000000000000000 1 1", "4294967296 4294967296 2", "-8 6 3", "0 6 3", "8 6", "9 6 3", "x 6 3", ""],
    )
    def test_sizes(self, sizes, tmp_path):
        step, reason = judge(tmp_path, nrrd_bytes(sizes=sizes), nrrd_bytes())
        assert step == "scan"
        assert reason in {"file/corrupt", "file/truncated", "file/too-large"}

    @pytest.mark.parametrize(
        "directions",
        [
            "(nan,0,0) (0,0.5,0) (0,0,2)",
            "none (0,0.5,0) (0,0,2)",
            "(1,0,0) (0,1,0)",
            "(1,0) (0,1)",
            "(x,0,0)",
        ],
    )
    def test_directions(self, directions, tmp_path):
        data = nrrd_bytes(space_directions=directions)
        assert judge(tmp_path, data, nrrd_bytes()) == ("scan", "file/corrupt")

    def test_origins(self, tmp_path):
        for origin in ("(nan,0,0)", "(1,2)", "(inf,0,0)"):
            assert judge(tmp_path, nrrd_bytes(space_origin=origin)) == ("scan", "file/corrupt")

    def test_other_lies(self, tmp_path):
        good = nrrd_bytes()
        assert judge(tmp_path, nrrd_bytes(endian=None), good) == ("scan", "file/corrupt")
        assert judge(tmp_path, nrrd_bytes(kinds="vector domain domain"))[1] == "file/several-volumes"
        assert judge(tmp_path, nrrd_bytes(encoding="hex"))[1] == "file/unsupported"
        assert judge(tmp_path, nrrd_bytes(type="block"))[1] == "file/unsupported"
        assert judge(tmp_path, nrrd_bytes(space_units='"pixels" "pixels" "pixels"'))[1] == "file/unsupported"
        assert judge(tmp_path, good.replace(b"kinds:", b"type: short\nkinds:")) == ("scan", "file/corrupt")
        assert judge(tmp_path, b"NRRD0004\n" + b"content: " + b"x" * (8 << 20)) == ("scan", "file/limit")
        assert judge(tmp_path, nrrd_bytes(tail=stored().tobytes() + bytes(2000)))[1] == "file/corrupt"

    def test_a_bomb(self, tmp_path):
        tail = gzip.compress(bytes(200 << 20), 1)
        assert judge(tmp_path, nrrd_bytes(encoding="gzip", tail=tail)) == ("read", "file/too-large")
