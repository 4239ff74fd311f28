"""Hostile DICOM files for the index: broken structure, lying lengths, bombs, values that make no sense (1-55)."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from isocenter.formats.limits import DEFAULT_LIMITS
from tests.contracts.files import ct_dataset, dicom_bytes, item
from tests.hostile.corpus import Case, case, number_of

IMAGE, CUT, BROKEN, LIMIT = "dicom-image", "file/truncated", "file/corrupt", "file/limit"
# What stands in what nobody may read, or keep.
CANARY = "CANARY5417"
ROWS, COLUMNS, SLOPE = (0x28, 0x10), (0x28, 0x11), (0x28, 0x1053)
_LONG = {b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT"}
_NOBODY = b"\xff\xff\xff\xff"


def dataset(name: str, **changes: Any) -> Dataset:
    """One CT slice that shares no UID and no patient with another case."""
    n = number_of(name)
    own = {
        "SOPInstanceUID": f"2.25.61{n}",
        "SeriesInstanceUID": f"2.25.62{n}",
        "StudyInstanceUID": f"2.25.63{n}",
        "FrameOfReferenceUID": f"2.25.64{n}",
        "PatientID": f"hostile-{n}",
        "PatientName": f"Hostile^{n}",
    }
    return ct_dataset(1, **(own | changes))


def ct(name: str, **changes: Any) -> bytes:
    """The file of it."""
    return dicom_bytes(dataset(name, **changes))


def element(tag: tuple[int, int], vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """One explicit little-endian element; `length` is what it says of itself."""
    stated = len(value) if length is None else length
    head = struct.pack("<HH", *tag) + vr
    if vr in _LONG:
        return head + b"\0\0" + struct.pack("<I", stated) + value
    return head + struct.pack("<H", stated) + value


def padded(value: bytes) -> bytes:
    return value + b" " * (len(value) % 2)


def replaced(
    data: bytes, tag: tuple[int, int], vr: bytes, value: bytes, new_vr: bytes | None = None
) -> bytes:
    """A file whose element (short form) has another value, and maybe another VR."""
    at = data.index(struct.pack("<HH", *tag) + vr)
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    return data[:at] + element(tag, new_vr or vr, value) + data[at + 8 + length :]


def inserted(data: bytes, raw: bytes, before: bytes = b"\x10\x00\x10\x00PN") -> bytes:
    """A file with more bytes in front of Patient's Name, or of what is named."""
    at = data.index(before)
    return data[:at] + raw + data[at:]


def with_text(name: str, tag: tuple[int, int], vr: bytes, value: bytes) -> bytes:
    return replaced(ct(name), tag, vr, padded(value))


def meta_end(data: bytes) -> int:
    return 144 + int.from_bytes(data[140:144], "little")


def pixels_at(data: bytes) -> int:
    return data.index(b"\xe0\x7f\x10\x00OW")


_SQ = struct.pack("<HH", 0x08, 0x1140) + b"SQ\0\0"
_LUT = struct.pack("<HH", 0x28, 0x3000) + b"SQ\0\0"
_OPEN = b"\xfe\xff\x00\xe0"
_CLOSE_ITEM, _CLOSE = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_AFTER_SLOPE = b"\xe0\x7f\x10\x00OW"


def nested(name: str, depth: int) -> bytes:
    start, end = _SQ + _NOBODY + _OPEN + _NOBODY, _CLOSE_ITEM + _CLOSE
    return inserted(ct(name), start * depth + end * depth)


def nested_by_length(
    name: str, depth: int, outer: bytes = _SQ, before: bytes = b"\x10\x00\x10\x00PN"
) -> bytes:
    raw = b""
    for n in range(depth):
        inner = _OPEN + struct.pack("<I", len(raw)) + raw
        raw = (outer if n == depth - 1 else _SQ) + struct.pack("<I", len(inner)) + inner
    return inserted(ct(name), raw, before)


def items(name: str, count: int) -> bytes:
    return inserted(ct(name), _SQ + _NOBODY + (_OPEN + b"\0\0\0\0") * count + _CLOSE)


def elements(name: str, count: int) -> bytes:
    """Empty private elements, each with a tag of its own as far as there are tags."""
    tags = np.zeros((count, 2), "<u2")
    n = np.arange(count)
    tags[:, 0], tags[:, 1] = 0x0029 + 2 * (n // 0xE000), 0x1000 + n % 0xE000
    raw = np.zeros((count, 8), np.uint8)
    raw[:, :4], raw[:, 4:6] = tags.view(np.uint8), np.frombuffer(b"LO", np.uint8)
    return inserted(ct(name), raw.tobytes(), _AFTER_SLOPE)


def deflated(name: str, mebibytes: int, **changes: Any) -> bytes:
    """A deflated object with so many MiB of zeros in a private element."""
    plain = ct(name, **changes)
    packed = dicom_bytes(dataset(name), DeflatedExplicitVRLittleEndian)
    start, patient = meta_end(plain), plain.index(b"\x10\x00\x10\x00PN")
    stream = zlib.compressobj(wbits=-15)
    out = [packed[: meta_end(packed)], stream.compress(plain[start:patient])]
    if mebibytes:
        out.append(stream.compress(element((9, 0x1010), b"OB", b"", min(mebibytes << 20, 0xFFFFFFFE))))
        out.append(stream.flush(zlib.Z_FULL_FLUSH))
        piece = zlib.compressobj(9, wbits=-15)
        zeros = piece.compress(bytes(1 << 20)) + piece.flush(zlib.Z_FULL_FLUSH)
        out.append(zeros * mebibytes)
    return b"".join([*out, stream.compress(plain[patient:]), stream.flush()])


def long_name(name: str, length: int) -> bytes:
    """A Patient's Name of so many bytes, in implicit VR, whose lengths have 32 bits."""
    plain = dicom_bytes(dataset(name), ImplicitVRLittleEndian)
    at = plain.index(b"\x10\x00\x10\x00", meta_end(plain))
    old = int.from_bytes(plain[at + 4 : at + 8], "little")
    value = b"Long^" + b"x" * (length - 5)
    return plain[: at + 4] + struct.pack("<I", length) + value + plain[at + 8 + old :]


def compressed(name: str, frame: bytes, syntax: str, **changes: Any) -> bytes:
    out = dataset(name, PixelData=encapsulate([frame]), **changes)
    out["PixelData"].VR = "OB"
    out["PixelData"].is_undefined_length = True
    return dicom_bytes(out, syntax)


def in_syntax_of(name: str, body_syntax: str, said: bytes) -> bytes:
    """A data set in one syntax whose meta information names another one of the same length."""
    data = dicom_bytes(dataset(name), body_syntax)
    at = data.index(b"\x02\x00\x10\x00UI")
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    return data[: at + 8] + said.ljust(length, b"\0") + data[at + 8 + length :]


def directory(name: str, file_id: list[str], offset: int = 0) -> bytes:
    """A DICOMDIR with one record, that names a file and where the next record is."""
    record = item(
        OffsetOfTheNextDirectoryRecord=offset,
        RecordInUseFlag=0xFFFF,
        OffsetOfReferencedLowerLevelDirectoryEntity=offset,
        DirectoryRecordType="IMAGE",
        ReferencedFileID=file_id,
        ReferencedSOPClassUIDInFile="1.2.840.10008.5.1.4.1.1.2",
        ReferencedSOPInstanceUIDInFile="2.25.1",
        ReferencedTransferSyntaxUIDInFile="1.2.840.10008.1.2.1",
    )
    out = Dataset()
    out.SOPClassUID, out.SOPInstanceUID = "1.2.840.10008.1.3.10", f"2.25.65{number_of(name)}"
    out.FileSetID = "SET"
    out.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = offset
    out.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = offset
    out.DirectoryRecordSequence = Sequence([record])
    return dicom_bytes(out)


def sparse(content: bytes, size: int) -> Any:
    """Writes a file with nothing but holes behind its content."""

    def write(place: Path) -> None:
        place.write_bytes(content)
        os.truncate(place, size)

    return write


def structure() -> list[Case]:
    """1-23: what a file is made of."""
    good = ct("structure")
    pixels = pixels_at(good)
    noise = np.random.default_rng(4).bytes(64 << 10)
    limits = DEFAULT_LIMITS
    lengths = [
        case(f"8-length-{n:08x}", inserted(ct(f"8{n}"), element((9, 0x1010), b"OB", b"", n)), CUT)
        for n in (0xFFFFFFF0, 0x7FFFFFF0, 0x10000)
    ]
    depths = [limits.depth + 1, 1_100, 10_000, 100_000]
    return [
        case("1-empty", b"", "file/empty"),
        case("2-zeros-128", bytes(128), "unknown"),
        case("2-zeros-5000", bytes(5000), "unknown"),
        case("3-preamble-only", bytes(128) + b"DICM", CUT),
        case("4-preamble-and-noise", bytes(128) + b"DICM" + noise, f"{BROKEN} {CUT}"),
        case("5-cut-in-group-2", good[:200], CUT),
        case("6-cut-in-an-element", good[: good.index(b"\x28\x00\x30\x00DS") + 11], CUT),
        case("7-half-of-the-pixels", good[: pixels + 12 + 48], CUT),
        *lengths,
        case("8-length-of-a-wanted-value", with_length("8-wanted", 0xFFF0), CUT),
        case("9-pixels-2-gib", ct("9")[: pixels + 8] + struct.pack("<I", 0x7FFFFFF0) + bytes(500), CUT),
        case("10-nested-100", nested("10", limits.depth), IMAGE, rows=6),
        *(case(f"11-nested-{d}", nested(f"11-{d}", d), LIMIT) for d in depths),
        case("12-nested-by-length", nested_by_length("12a", 2_000), f"{LIMIT} {IMAGE}"),
        case("12-nested-by-length-in-a-lut", nested_by_length("12b", 2_000, _LUT, _AFTER_SLOPE), LIMIT),
        case(
            "13-sequence-without-end",
            inserted(ct("13"), _SQ + _NOBODY + (_OPEN + b"\0\0\0\0") * 5),
            f"{BROKEN} {CUT}",
        ),
        case("14-item-beyond-its-parent", long_item("14a", _SQ), f"{BROKEN} {CUT} {IMAGE}"),
        case("14-item-beyond-a-wanted-parent", long_item("14b", _LUT), f"{BROKEN} {CUT}"),
        case("15-items-at-the-limit", items("15a", limits.items), IMAGE, rows=6),
        case("15-items-beyond", items("15b", limits.items + 1), LIMIT),
        case("15-items-1000000", lambda: items("15c", 1_000_000), LIMIT, is_large=True),
        case("16-elements-below-the-limit", lambda: elements("16a", limits.elements - 100), IMAGE, rows=6),
        case("16-elements-beyond", lambda: elements("16b", limits.elements + 1), LIMIT),
        case("16-elements-1000000", lambda: elements("16c", 1_000_000), LIMIT, is_large=True),
        case(
            "17-two-patient-ids",
            inserted(ct("17"), element((0x10, 0x20), b"LO", b"another "), b"\x10\x00\x20\x00LO"),
            BROKEN,
        ),
        case("18-tags-out-of-order", moved("18"), IMAGE, rows=6, rescale_intercept=-1024.0),
        case(
            "19-unknown-syntax",
            in_syntax_of("19", "1.2.840.10008.1.2.1", b"1.2.840.10008.9.9.1"),
            f"{IMAGE} file/unsupported",
            rows=6,
            transfer_syntax_uid="1.2.840.10008.9.9.1",
        ),
        case("20-garbage-j2k", compressed("20", noise[:2000], JPEG2000Lossless), IMAGE, rows=6),
        case("21-deflated", deflated("21a", 0), IMAGE, rows=6, rescale_intercept=-1024.0),
        case("21-deflated-bomb-300-mib", deflated("21b", 300), "file/too-large"),
        case("21-deflated-bomb-4-gib", lambda: deflated("21c", 4096), "file/too-large", is_large=True),
        case("21-deflated-and-cut", deflated("21d", 0)[:-9], CUT),
        *meta_cases(),
    ]


def with_length(name: str, length: int) -> bytes:
    """Pixel Spacing that says it is so long."""
    data = ct(name)
    at = data.index(b"\x28\x00\x30\x00DS") + 6
    return data[:at] + struct.pack("<H", length) + data[at + 2 :]


def long_item(name: str, sequence: bytes) -> bytes:
    before = _AFTER_SLOPE if sequence is _LUT else b"\x10\x00\x10\x00PN"
    return inserted(
        ct(name), sequence + struct.pack("<I", 16) + _OPEN + struct.pack("<I", 1000) + bytes(8), before
    )


def moved(name: str) -> bytes:
    """Rows and Columns stand at the very beginning."""
    data = ct(name)
    raw = element(ROWS, b"US", b"\x06\0")
    end = meta_end(data)
    return data[:end] + raw + data[end:].replace(raw, b"", 1)


def meta_cases() -> list[Case]:
    """22-23: the meta information lies about its own length."""

    def group_length(name: str, length: int) -> bytes:
        data = ct(name)
        return data[:140] + struct.pack("<I", length) + data[144:]

    def without(name: str) -> bytes:
        data = ct(name)
        return data[:132] + data[144:]

    zz = ct("23")
    at = zz.index(b"\x02\x00\x02\x00UI")
    odd = zz[:at] + struct.pack("<HH", 2, 2) + b"ZZ\0\0" + struct.pack("<I", 0x7FFFFFFF) + zz[at:]
    # a length of group 2 that is wrong makes it end elsewhere: right values, or a refusal
    repaired = {"rows": 6, "columns": 8, "rescale_intercept": -1024.0, "modality": "CT"}
    return [
        case("22-meta-length-too-big", group_length("22a", 5000), f"{IMAGE} {BROKEN} {CUT}", **repaired),
        case("22-meta-length-too-small", group_length("22b", 4), IMAGE, **repaired),
        case("22-meta-length-zero", group_length("22c", 0), IMAGE, **repaired),
        case("22-no-meta-length", without("22d"), IMAGE, **repaired),
        case("23-meta-vr-zz", odd, f"{BROKEN} {CUT}"),
    ]


def texts() -> list[Case]:
    """24-25, 36-37: texts that harm where they are shown, and bytes behind the data set."""
    charset = (0x08, 0x05)
    no_charset = inserted(ct("24a"), element(charset, b"CS", b"ISO_IR 9999 "), b"\x08\x00\x08\x00CS")
    broken = inserted(
        replaced(ct("24b"), (0x10, 0x10), b"PN", b"A\x1b$B\xff\xfe^B "),
        element(charset, b"CS", b"\\ISO 2022 IR 87 "),
        b"\x08\x00\x08\x00CS",
    )
    harm = {
        "escape": b"\x1b[31mred\x1b[0m",
        "lines": b"one\r\ntwo\nthree",
        "script": b"</script><script>alert(1)</script>",
        "formula": b"=cmd|' /C calc'!A0",
        "right-to-left": "\u202egnp.exe".encode(),
        "nul": b"be\0hind",
        "bell": b"\x07\x9b31m",
    }
    limit = DEFAULT_LIMITS.value_bytes
    return [
        case("24-unknown-character-set", no_charset, IMAGE, rows=6),
        case("24-broken-iso-2022", broken, IMAGE, rows=6),
        case("25-name-at-the-limit", long_name("25a", limit), IMAGE, rows=6),
        case("25-name-beyond", long_name("25b", limit + 2), LIMIT),
        case("25-name-1-mb", long_name("25c", 1 << 20), LIMIT),
        case("25-name-10-mb", lambda: long_name("25d", 10 << 20), LIMIT, is_large=True),
        case("36-bytes-behind", ct("36") + CANARY.encode() + b"xx", IMAGE, rows=6),
        *(
            case(f"37-text-{name}", with_text(f"37-{name}", (0x08, 0x103E), b"LO", value), IMAGE, rows=6)
            for name, value in harm.items()
        ),
    ]


# A18: what must never become a path. None of it may be a UID but the empty one, which is as good as absent.
HOSTILE_UIDS: dict[str, bytes] = {
    "parent": b"../../../../tmp/pwn",
    "absolute": b"/tmp/pwn",
    "nul": b"1.2\x00/x",
    "300": b"1." * 150,
    "digits": "١.٢".encode(),
    "newline": b"1.2\n3.4",
    "dot-dot": b"..",
    "home": b"~/pwn",
    "drive": b"C:\\pwn",
    "share": b"\\\\host\\pwn",
    "device": b"/dev/zero",
    "variable": b"$HOME/pwn",
    "command": b"1.2;touch pwn",
    "escaped": b"%2e%2e%2fpwn",
}


def uids() -> list[Case]:
    """28 and 29: UIDs that are paths, and UIDs that are not unique."""
    out = []
    for name, uid in HOSTILE_UIDS.items():
        data = ct(f"28-{name}")
        for tag in ((0x20, 0x0E), (0x20, 0x0D), (0x08, 0x18), (0x20, 0x52)):
            data = replaced(data, tag, b"UI", uid + b"\0" * (len(uid) % 2))
        if name in {"drive", "share"}:  # the backslash parts values
            data = replaced(data, (0x10, 0x20), b"LO", padded(b"../../../../tmp/pwn"))
        named = "FrameOfReferenceUID SOPInstanceUID SeriesInstanceUID StudyInstanceUID"
        # ".." is made of legal characters
        is_legal = name == "dot-dot"
        # nothing but the pixels tells the two of one patient apart, and those are equal
        told = f"{IMAGE} index/duplicate-pixels" if name in {"drive", "share"} else IMAGE
        out.append(case(f"28-uid-{name}", data, told, unparsable="" if is_legal else named))
    empty = replaced(replaced(ct("28"), (0x20, 0x0E), b"UI", b""), (0x08, 0x18), b"UI", b"")
    same, other = ct("29a"), ct("29b")
    return [
        *out,
        case("28-uid-empty", empty, IMAGE, series_uid=None, sop_instance_uid=None),
        case("29-same-object-a", same, f"{IMAGE} index/duplicate-object"),
        case("29-same-object-b", same, f"{IMAGE} index/duplicate-object"),
        case("29-same-uid-a", other, "index/conflicting-object"),
        case("29-same-uid-b", ct("29b", PixelData=bytes(96)), "index/conflicting-object"),
    ]


def syntaxes() -> list[Case]:
    """30-34: other byte orders, directories, and files that are two things at once."""
    right = {"rows": 6, "columns": 8, "rescale_intercept": -1024.0, "modality": "CT"}
    outcomes = f"{IMAGE} {BROKEN} {CUT}"
    explicit, implicit = b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2"
    heads = {
        "pe": b"MZ" + bytes(58) + b"\x80\0\0\0",
        "elf": b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0",
        "mach-o": b"\xcf\xfa\xed\xfe\x07\0\0\x01",
        "tiff": b"II*\0\x08\0\0\0",
        "html": b"<html><script>alert(1)</script></html>",
    }
    tail = b"PK\x05\x06" + bytes(18)
    return [
        case(
            "30-implicit-said-explicit",
            in_syntax_of("30a", ImplicitVRLittleEndian, explicit[:18]),
            outcomes,
            **right,
        ),
        case(
            "30-explicit-said-implicit",
            in_syntax_of("30b", "1.2.840.10008.1.2.1", implicit),
            outcomes,
            **right,
        ),
        case("31-big-endian", dicom_bytes(big_endian("31"), ExplicitVRBigEndian), IMAGE, **right),
        case(
            "32-dicomdir-parent",
            directory("32a", ["UP", "UP", "OUTSIDE", "CANARY"]).replace(b"UP", b".."),
            "dicom-directory",
        ),
        case("32-dicomdir-absolute", directory("32b", ["", "ETC", "PASSWD"]), "dicom-directory"),
        case("32-dicomdir-link", directory("32c", ["LINK"]), "dicom-directory"),
        case("33-dicomdir-loop", directory("33a", ["A"], 350), "dicom-directory"),
        case("33-dicomdir-beyond", directory("33b", ["A"], 0xFFFFFFF0), "dicom-directory"),
        *(
            case(f"34-polyglot-{name}", head.ljust(128, b"\0") + ct(f"34-{name}")[128:], IMAGE, **right)
            for name, head in heads.items()
        ),
        case("34-polyglot-zip-tail", ct("34-zip") + tail, IMAGE, **right),
    ]


def big_endian(name: str) -> Dataset:
    out = dataset(name)
    out.PixelData = np.frombuffer(out.PixelData, "<i2").astype(">i2").tobytes()
    return out


def pixel_headers() -> list[Case]:
    """38-53: what the header says of the pixels."""

    def number(
        name: str, tag: tuple[int, int], vr: bytes, value: bytes, new_vr: bytes | None = None
    ) -> bytes:
        return replaced(ct(name), tag, vr, value, new_vr)

    frames = {"2147483647": CUT, "1000000000": CUT, "0": IMAGE, "-1": IMAGE, "1.5": IMAGE, "abc": IMAGE}
    any_of = f"{IMAGE} {BROKEN} file/unsupported"
    bits = {0: any_of, 7: any_of, 64: f"{any_of} {CUT}", 255: f"{any_of} {CUT}"}
    j2k = (
        b"\xff\x4f\xff\x51"
        + struct.pack(">HHIIIIIIIIH", 41, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0, 1)
        + bytes(60)
    )
    rle = struct.pack("<16I", 2, *[0xFFFFFFFF] * 15) + bytes(100)
    both = inserted(ct("53"), element((0x7FE0, 8), b"OF", bytes(192)), _AFTER_SLOPE)
    whole = compressed("49", bytes(96), RLELossless)
    return [
        case("38-65535-by-65535", ct("38", Rows=65535, Columns=65535), CUT),
        *(
            case(
                f"39-frames-{text}" if said == CUT else f"40-frames-{text}",
                replaced(ct(f"39-{text}", NumberOfFrames="1"), (0x28, 8), b"IS", padded(text.encode())),
                said,
                unparsable="NumberOfFrames" if text in {"-1", "1.5", "abc"} else "",
            )
            for text, said in frames.items()
        ),
        *(
            case(f"41-bits-{n}", ct(f"41-{n}", BitsAllocated=n, BitsStored=n, HighBit=max(n - 1, 0)), said)
            for n, said in bits.items()
        ),
        case("42-rows-ul", number("42a", ROWS, b"US", b"\x01\0\0\x80", b"UL"), f"{CUT} {BROKEN}"),
        case(
            "42-rows-text",
            number("42b", ROWS, b"US", b"6 rows", b"LO"),
            f"{IMAGE} {BROKEN}",
            unparsable="Rows",
        ),
        case("43-samples-0", ct("43a", SamplesPerPixel=0), any_of),
        case("43-samples-255", ct("43b", SamplesPerPixel=255), f"{any_of} {CUT}"),
        case("44-rle-bomb", lambda: rle_bomb("44"), IMAGE, is_large=True),
        case("45-j2k-60000", compressed("45", j2k, JPEG2000Lossless, Rows=60000, Columns=60000), IMAGE),
        case("46-j2k-other-size", compressed("46", j2k, JPEG2000Lossless), IMAGE, rows=6),
        case("47-rle-offsets", compressed("47", rle, RLELossless), IMAGE, rows=6),
        case("48-offset-table-beyond", offset_table("48"), IMAGE, rows=6),
        case("49-no-end-of-fragments", whole[:-8], CUT),
        case("49-cut-in-a-fragment", whole[:-40], CUT),
        case("49-encapsulated-said-native", in_native("49n"), BROKEN),
        case("51-high-bit-40", ct("51a", HighBit=40), any_of),
        case("51-bits-stored-0", ct("51b", BitsStored=0), any_of),
        case("51-bits-stored-20", ct("51c", BitsStored=20, HighBit=19), any_of),
        case("52-sign-2", ct("52", PixelRepresentation=2), any_of, unparsable="PixelRepresentation"),
        case("53-two-kinds-of-pixels", both, f"{IMAGE} {BROKEN} {CUT}"),
    ]


def rle_bomb(name: str) -> bytes:
    """Runs of 128 equal bytes that would become 4.2 GB."""
    return compressed(name, struct.pack("<16I", 1, 64, *[0] * 14) + bytes([129, 7]) * (33 << 20), RLELossless)


def offset_table(name: str) -> bytes:
    table = _OPEN + struct.pack("<III", 8, 0, 0x7FFFFFFF)
    fragments = (_OPEN + struct.pack("<I", 64) + bytes(64)) * 2
    data = compressed(name, b"ab", RLELossless, NumberOfFrames="2")
    at = data.index(b"\xe0\x7f\x10\x00OB")
    return data[: at + 12] + table + fragments + _CLOSE


def in_native(name: str) -> bytes:
    return compressed(name, bytes(96), RLELossless).replace(
        b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0"
    )


def values() -> list[Case]:
    """26-27, 54-55: numbers of geometry and scale that are none, or make no sense; rules judge what is a number."""
    slopes: dict[str, tuple[bytes, Any]] = {
        "nan": (b"NaN", None),
        "1e400": (b"1e400", None),
        "comma": (b"1,5", None),
        "infinite": (b"inf", None),
        "underscore": (b"1_0", None),
        "two": (b"1\\2", None),
        "empty": (b"", None),
        "zero": (b"0", 0.0),
        "1e300": (b"1e300", 1e300),
    }
    spacings = {"zero": b"0\\0", "negative": b"-1\\-1", "nan": b"nan\\nan", "three": b"1\\1\\1", "empty": b""}
    axes = {
        "zero": b"0\\0\\0\\0\\0\\0",
        "long": b"9\\0\\0\\0\\9\\0",
        "oblique": b"1\\0\\0\\1\\1\\0",
        "five": b"1\\0\\0\\0\\1",
        "nan": b"nan\\0\\0\\0\\1\\0",
    }
    is_number = {"zero", "1e300", "empty", "negative", "long", "oblique"}
    return [
        *(
            case(
                f"26-slope-{name}",
                with_text(f"26-{name}", SLOPE, b"DS", text),
                IMAGE,
                unparsable="" if name in is_number else "RescaleSlope",
                rescale_slope=value,
            )
            for name, (text, value) in slopes.items()
        ),
        case(
            "27-intercept-only",
            ct("27", RescaleSlope=None),
            IMAGE,
            rescale_slope=None,
            rescale_intercept=-1024.0,
        ),
        *(
            case(
                f"54-spacing-{name}",
                with_text(f"54-{name}", (0x28, 0x30), b"DS", text),
                IMAGE,
                unparsable="" if name in is_number else "PixelSpacing",
            )
            for name, text in spacings.items()
        ),
        *(
            case(
                f"55-axes-{name}",
                with_text(f"55-{name}", (0x20, 0x37), b"DS", text),
                IMAGE,
                unparsable="" if name in is_number else "ImageOrientationPatient",
            )
            for name, text in axes.items()
        ),
    ]


def dicom_cases() -> list[Case]:
    """Every DICOM file of the corpus."""
    return [*structure(), *texts(), *uids(), *syntaxes(), *pixel_headers(), *values()]
