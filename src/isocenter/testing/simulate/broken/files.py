"""Faults of files: cut, foreign, empty, and slices that are written in several ways."""

from __future__ import annotations

from collections.abc import Callable

from pydicom.uid import RLELossless

from isocenter.testing.simulate.broken.fault import Fault, Outcome
from isocenter.testing.simulate.broken.scan import Planted, Scan, encoded, file_name, packed, stored

_FIELD = "eighteen broken series"
_ALL = ("CT", "MR", "PT")
_OK, _NO = Outcome.REBUILT, Outcome.REFUSED
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"


def _spoiled(change: Callable[[bytes], bytes]) -> Callable[[Scan], Planted]:
    """The bytes of one file are others."""

    def make(scan: Scan) -> Planted:
        files = packed(scan.objects())
        name = file_name(6)
        return Planted(files=files | {name: change(files[name])})

    return make


def _position_twice(data: bytes, *, is_same: bool) -> bytes:
    """Image Position (Patient) twice in one header, the second time with another digit or with the same."""
    at = data.index(b"\x20\x00\x32\x00DS")
    end = at + 8 + int.from_bytes(data[at + 6 : at + 8], "little")
    again = bytearray(data[at:end])
    last = max(n for n, letter in enumerate(again) if letter in b"0123456789")
    again[last] = again[last] if is_same else ord("7") - (again[last] == ord("7"))
    return data[:end] + bytes(again) + data[end:]


def _same_twice(scan: Scan) -> Planted:
    files = packed(scan.objects())
    files[file_name(6)] = _position_twice(files[file_name(6)], is_same=True)
    return Planted(files=files, volumes=(scan.truth(),))


def _beside(name: str, data: bytes) -> Callable[[Scan], Planted]:
    """Another file lies beside the slices."""
    return lambda scan: Planted(files=packed(scan.objects()) | {name: data}, volumes=(scan.truth(),))


def _short_pixels(scan: Scan) -> Planted:
    """Pixel Data that is honest about its length and has too few of them."""
    objects = scan.objects()
    objects[6].PixelData = objects[6].PixelData[:-200]
    return Planted(files=packed(objects))


def in_syntaxes(scan: Scan) -> dict[str, bytes]:
    """The slices in turn big endian, deflated, run-length encoded and plain."""
    files = {}
    for k, one in enumerate(scan.objects()):
        name = file_name(k)
        if k % 4 == 0:
            plane = stored(one).astype(">u2")
            one.PixelData = plane.tobytes()
            files[name] = encoded(one, BIG_ENDIAN)
        elif k % 4 == 1:
            encoded(one)  # pydicom asks for the meta information of what it compresses
            one.compress(RLELossless, generate_instance_uid=False)
            files[name] = encoded(one, str(RLELossless))
        else:
            files[name] = encoded(one, DEFLATED) if k % 4 == 2 else encoded(one)
    return files


def _mixed(scan: Scan) -> Planted:
    return Planted(files=in_syntaxes(scan), volumes=(scan.truth(),))


def _big_endian_slice(scan: Scan) -> Planted:
    objects = scan.objects()
    files = packed(objects)
    objects[6].PixelData = stored(objects[6]).astype(">u2").tobytes()
    files[file_name(6)] = encoded(objects[6], BIG_ENDIAN)
    return Planted(files=files, volumes=(scan.truth(),))


def _fault(
    name: str,
    does: str,
    make: Callable[[Scan], Planted],
    outcome: Outcome,
    rules: tuple[str, ...],
    source: str = "own",
) -> Fault:
    return Fault(
        name=name, does=does, rules=rules, outcome=outcome, make=make, modalities=_ALL, source=source
    )


_SYNTAXES = ("conformance/mixed-transfer-syntaxes",)

FAULTS = (
    _fault("file-cut", "One file ends within its pixels.", _spoiled(lambda b: b[:-1000]), _NO, ("file/truncated",), _FIELD),
    _fault(
        "text-file", "A text is named as an image.", _beside("notes.dcm", b"Nothing to see here.\n" * 40), _OK,
        ("file/not-an-image",), _FIELD,
    ),
    _fault("file-empty", "One file has no bytes.", _spoiled(lambda _: b""), _NO, ("file/empty",)),
    _fault("empty-file-beside", "An empty file lies beside the slices.", _beside("empty.dcm", b""), _OK, ("file/empty",)),
    _fault(
        "header-only", "One file ends after its header.", _spoiled(lambda b: b[: b.rindex(b"\xe0\x7f\x10\x00OW")]), _NO,
        ("content/without-pixels", "file/truncated"),
    ),
    _fault(
        "pixels-too-few", "Pixel Data of one slice is shorter than rows and columns ask for.", _short_pixels, _NO,
        ("file/truncated", "file/corrupt"),
    ),
    _fault(
        "position-twice", "The header of one slice holds two different positions.",
        _spoiled(lambda b: _position_twice(b, is_same=False)), _NO, ("file/corrupt",),
    ),
    _fault(
        "position-repeated", "The header of one slice holds its position twice.", _same_twice, _OK,
        ("conformance/repeated-elements",),
    ),
    _fault("big-endian-slice", "One slice is big endian.", _big_endian_slice, _OK, _SYNTAXES),
    _fault("mixed-syntaxes", "Slices are written in four transfer syntaxes.", _mixed, _OK, _SYNTAXES),
)  # fmt: skip
