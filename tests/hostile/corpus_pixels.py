"""Compressed images made to harm a decoder or mislead a reader: each a whole DICOM object, with what may become of it."""

import struct
from dataclasses import dataclass

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite

from tests.oracles.plain_jpeg import lossless_jpeg

ROWS, COLUMNS = 24, 40
CUT, BROKEN, LARGE, LIMIT, DISAGREE = (
    *("file/truncated", "file/corrupt", "file/too-large", "file/limit"),
    "read/decoders-disagree",
)
END = b"\xfe\xff\xdd\xe0\0\0\0\0"


@dataclass(frozen=True)
class Case:
    """A file, and the reasons it may be refused with; none: it is read, and its pixels are right."""

    name: str
    data: bytes
    reasons: frozenset


def plane():
    """Twelve bits of something smooth with noise."""
    rng = np.random.default_rng(11)
    smooth = np.add.outer(np.arange(ROWS) * 40, np.arange(COLUMNS) * 30)
    return (smooth + rng.integers(0, 60, (ROWS, COLUMNS))).astype(np.uint16)


def run_lengths(high, low, offsets=None, count=2):
    """A frame of two segments, most significant bytes first."""
    offsets = offsets or [64, 64 + len(high)]
    head = [count, *offsets]
    return struct.pack(f"<{len(head)}I", *head).ljust(64, b"\0") + high + low


def literal(data):
    out = b""
    for at in range(0, len(data), 128):
        part = data[at : at + 128]
        out += bytes([len(part) - 1]) + part
    return out


def rle():
    values = plane().tobytes()
    return run_lengths(literal(values[1::2]), literal(values[::2]))


def good_frames():
    """One frame of each syntax that is lossless, so that it can be told whether its pixels are right."""
    pixels = plane()
    return {
        uid.RLELossless: rle(),
        uid.JPEGLossless: lossless_jpeg(pixels, precision=12, predictor=6),
        uid.JPEGLosslessSV1: lossless_jpeg(pixels, precision=12),
        uid.JPEGLSLossless: bytes(imagecodecs.jpegls_encode(pixels)),
        uid.JPEG2000Lossless: bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k")),
        uid.HTJ2KLossless: bytes(imagecodecs.htj2k_encode(pixels, reversible=True)),
        uid.HTJ2K: bytes(imagecodecs.htj2k_encode(pixels, reversible=True)),
    }


def lossy_frames():
    pixels = plane()
    return {
        uid.JPEGBaseline8Bit: bytes(imagecodecs.jpeg8_encode((pixels >> 4).astype(np.uint8), level=90)),
        uid.JPEGExtended12Bit: bytes(imagecodecs.jpeg8_encode(pixels, level=95, bitspersample=12)),
        uid.JPEGLSNearLossless: bytes(imagecodecs.jpegls_encode(pixels, level=2)),
        uid.JPEG2000: bytes(imagecodecs.jpeg2k_encode(pixels, level=40, codecformat="j2k")),
    }


def item(data):
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data


def value(*fragments, table=b""):
    """Encapsulated pixel data as bytes, odd lengths and all."""
    return item(table) + b"".join(item(f) for f in fragments) + END


def file(pixel_data, syntax, **changes):
    """A DICOM object whose pixel data are these very bytes."""
    header = Dataset()
    header.SOPClassUID = uid.CTImageStorage
    header.SOPInstanceUID = header.SeriesInstanceUID = "1.2.3"
    header.Modality = "CT"
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.Rows, header.Columns = ROWS, COLUMNS
    header.BitsAllocated = 8 if syntax == uid.JPEGBaseline8Bit else 16
    header.BitsStored = 8 if header.BitsAllocated == 8 else 12
    header.PixelRepresentation = 0
    for name, content in changes.items():
        setattr(header, name, content)
    header.HighBit = header.BitsStored - 1
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    dcmwrite(stream, header, enforce_file_format=True)
    return stream.getvalue() + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + pixel_data


def case(name, data, *reasons):
    return Case(name, data, frozenset(reasons))


def sound():
    for syntax, frame in good_frames().items():
        yield case(f"sound-{syntax.keyword}", file(value(frame), syntax))
        third = len(frame) // 3
        parts = frame[:third], frame[third : third + 1], b"", frame[third + 1 :]
        yield case(f"fragments-{syntax.keyword}", file(value(*parts), syntax))
        if len(frame) % 2:
            yield case(f"padded-{syntax.keyword}", file(value(frame + b"\0"), syntax))


def size_lies():
    """Rows and columns that lie in the codestream, in the header, and in both."""
    side = struct.pack(">HH", 65535, 65535)
    short = struct.pack(">HH", ROWS, COLUMNS)
    for syntax, frame in {**good_frames(), **lossy_frames()}.items():
        if syntax == uid.RLELossless:
            yield case("rle-huge-header", file(value(frame), syntax, Rows=65535, Columns=65535), LARGE)
            yield case("rle-taller", file(value(frame), syntax, Rows=ROWS + 1), CUT)
            yield case("rle-lower", file(value(frame), syntax, Rows=ROWS - 4), BROKEN)
            continue
        if frame.startswith(b"\xff\x4f"):
            size = struct.pack(">II", COLUMNS, ROWS)
            lie, middle = struct.pack(">II", 65535, 65535), struct.pack(">II", 11000, 11000)
        else:
            size, lie, middle = short, side, struct.pack(">HH", 11000, 11000)
        assert size in frame
        name = syntax.keyword
        huge, bomb = frame.replace(size, lie), frame.replace(size, middle)
        yield case(f"huge-codestream-{name}", file(value(huge), syntax), BROKEN)
        yield case(f"huge-header-{name}", file(value(frame), syntax, Rows=65535, Columns=65535), LARGE)
        yield case(f"huge-both-{name}", file(value(huge), syntax, Rows=65535, Columns=65535), LARGE)
        yield case(
            f"bomb-{name}",
            file(value(bomb), syntax, Rows=11000, Columns=11000),
            # a flat image of JPEG 2000 takes hardly a byte, so that what is missing cannot be told
            *(("", BROKEN, LIMIT) if frame.startswith(b"\xff\x4f") else (BROKEN, LIMIT, CUT, DISAGREE)),
        )
        yield case(f"turned-{name}", file(value(frame), syntax, Rows=COLUMNS, Columns=ROWS), BROKEN)
        few = file(value(frame), syntax, BitsAllocated=8, BitsStored=8)
        if syntax != uid.JPEGBaseline8Bit:
            yield case(f"few-bits-{name}", few, BROKEN)


def runs():
    """RLE whose runs swell, and headers that lie."""
    size = ROWS * COLUMNS
    flat = b"\x81\x07" * (size // 128) + bytes([257 - size % 128, 7])
    values = plane().tobytes()
    beyond = run_lengths(literal(values[1::2]) + b"\x90\x07", literal(values[::2] + b"\0\0\0"))
    yield case("rle-a-little-beyond", file(value(beyond), uid.RLELossless))
    yield case("rle-bomb", file(value(run_lengths(b"\x81\x07" * 500_000, flat)), uid.RLELossless), BROKEN)
    yield case(
        "rle-second-bomb", file(value(run_lengths(flat, b"\x81\x07" * 500_000)), uid.RLELossless), BROKEN
    )
    yield case("rle-nothing-but-no-ops", file(value(run_lengths(b"\x80" * 999, flat)), uid.RLELossless), CUT)
    yield case("rle-one-byte", file(value(b"\x02"), uid.RLELossless), BROKEN)
    for name, offsets in {
        "beyond": [64, 1 << 20],
        "back": [64 + len(flat), 64],
        "zero": [0, 0],
        "negative": [0xFFFFFFFF, 0xFFFFFFFF],
        "in-the-header": [8, 64],
    }.items():
        yield case(
            f"rle-offsets-{name}", file(value(run_lengths(flat, flat, offsets)), uid.RLELossless), BROKEN
        )
    for count in (0, 1, 3, 15, 0xFFFFFFFF):
        yield case(
            f"rle-{count}-segments",
            file(value(run_lengths(flat, flat, count=count)), uid.RLELossless),
            BROKEN,
        )


def fragments():
    """Tables, items and ends that lie."""
    syntax, frame = uid.JPEGLosslessSV1, good_frames()[uid.JPEGLosslessSV1]
    frame += b"\0" * (len(frame) % 2)
    whole = value(frame)
    yield case("right-table", file(value(frame, table=bytes(4)), syntax))
    for offset in (2, 8, len(frame), 0x7FFFFFFF, 0xFFFFFFFF):
        table = struct.pack("<I", offset)
        yield case(f"table-{offset:x}", file(value(frame, table=table), syntax), BROKEN)
    yield case("table-of-two", file(value(frame, table=struct.pack("<II", 0, 8)), syntax), BROKEN)
    yield case("table-of-half", file(value(frame, table=b"\0\0"), syntax), BROKEN)
    yield case("several-frames", file(value(frame, frame), syntax), BROKEN)
    yield case("no-fragment", file(value(), syntax), CUT)
    yield case("empty-fragments", file(value(b"", b"", b""), syntax), CUT)
    yield case("no-table", file(item(frame) + END, syntax), CUT)
    yield case("no-end", file(whole[:-8], syntax), CUT)
    for left in (7, 9, 50, len(frame), len(frame) + 4, len(frame) + 9):
        yield case(f"cut-{left}", file(whole[:-left], syntax), CUT, BROKEN)
    for length in (0, len(frame) - 2, len(frame) + 2, len(frame) + 8, 0x7FFFFFFF, 0xFFFFFFFF):
        lie = whole[:12] + struct.pack("<I", length) + whole[16:]
        yield case(f"length-{length:x}", file(lie, syntax), CUT, BROKEN)
    yield case("native-bytes", file(plane().tobytes(), syntax), BROKEN, CUT)


def content():
    """Frames that end early, and those of another syntax."""
    frames = {**good_frames(), **lossy_frames()}
    for syntax, frame in frames.items():
        for share in (0.3, 0.9):
            part = frame[: int(len(frame) * share)]
            yield case(f"half-frame-{share}-{syntax.keyword}", file(value(part), syntax), CUT, BROKEN)
            if syntax != uid.RLELossless:
                closed = part + b"\xff\xd9"
                yield case(
                    f"closed-early-{share}-{syntax.keyword}",
                    file(value(closed), syntax),
                    *(CUT, BROKEN, DISAGREE),
                )
        yield case(f"zeros-{syntax.keyword}", file(value(bytes(500)), syntax), CUT, BROKEN)
        for other, foreign in frames.items():
            is_same = {syntax, other} <= {uid.JPEG2000, uid.JPEG2000Lossless} or {syntax, other} <= {
                *(uid.HTJ2K, uid.HTJ2KLossless, uid.JPEG2000, uid.JPEG2000Lossless)
            }
            is_same |= {syntax, other} <= {uid.JPEGLossless, uid.JPEGLosslessSV1}
            is_same |= {syntax, other} <= {uid.JPEGLSLossless, uid.JPEGLSNearLossless}
            is_same |= syntax == other
            is_same |= {syntax, other} <= {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit}
            if not is_same:
                yield case(
                    f"{other.keyword}-said-{syntax.keyword}", file(value(foreign), syntax), CUT, BROKEN
                )


def cases():
    return [*sound(), *size_lies(), *runs(), *fragments(), *content()]


def flipped(frame, count, seed):
    """Frames of which one bit is another."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        out = bytearray(frame)
        bit = int(rng.integers(0, 8 * len(frame)))
        out[bit // 8] ^= 1 << bit % 8
        yield bytes(out)
