"""Hostile NIfTI, NRRD and MetaImage files for the index: sizes, offsets, axes, and data somewhere else (71-100)."""

from __future__ import annotations

import bz2
import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from tests.contracts.files import SHAPE, affine, nifti_bytes, nrrd_bytes, stored
from tests.hostile.corpus import Case, case

CUT, BROKEN, LARGE = "file/truncated", "file/corrupt", "file/too-large"
OUTSIDE, UNSUPPORTED, LIMIT = "file/outside", "file/unsupported", "file/limit"


def set_to(**fields: Any) -> Callable[[Any], None]:
    def change(record: Any) -> None:
        for name, value in fields.items():
            record[name] = value

    return change


def dims(*values: int) -> Callable[[Any], None]:
    def change(record: Any) -> None:
        record["dim"][: len(values)] = values

    return change


def nifti_headers() -> list[Case]:
    """71-77 and 83-87: what a NIfTI header says."""

    def one(name: str, change: Callable[[Any], None], expected: str, **how: Any) -> Case:
        return case(name, nifti_bytes(change=change), expected, path=f"{name}.nii", **how)

    huge = nifti_bytes(np.zeros(SHAPE), dims(3, 32767, 32767, 32767))[:352]
    offsets = {"nan": np.nan, "inf": np.inf, "-100": -100, "1e30": 1e30, "100": 100, "0": 0, "352.5": 352.5}
    types = {0: BROKEN, 1: BROKEN, 32: BROKEN, 128: BROKEN, 1536: BROKEN, 9999: BROKEN}
    mirrored, turned, moved = affine(), affine(), affine()
    mirrored[0] *= -1
    turned[:, [0, 1]] = turned[:, [1, 0]]
    moved[0, 3] += 1
    second = nibabel.Nifti2Image
    return [
        case("71-32767-cubed", huge, f"{LARGE} {CUT}", path="71-a.nii"),
        case("71-32767-cubed-packed", gzip.compress(huge, mtime=0), f"{LARGE} {CUT}", path="71-b.nii.gz"),
        *(one(f"72-axes-{n}", dims(n), BROKEN) for n in (0, 8, -1, 20000)),
        *(one(f"73-axis-{n}", dims(3, n), BROKEN) for n in (0, -8)),
        *(
            one(f"74-offset-{name}", set_to(vox_offset=value), f"{BROKEN} {CUT} {LARGE}")
            for name, value in offsets.items()
        ),
        *(one(f"75-slope-{n}", set_to(scl_slope=n), "nifti") for n in (np.nan, np.inf, 0.0)),
        one("76-sform-singular", set_to(srow_x=0), "nifti"),
        one("76-sform-nan", set_to(srow_y=np.nan), BROKEN),
        one("76-no-form-no-spacing", set_to(sform_code=0, qform_code=0, pixdim=0), f"nifti {BROKEN}"),
        *(
            case(f"77-conflict-{name}", conflicting(matrix), "nifti", path=f"77-{name}.nii", **mm)
            for name, matrix, mm in (
                ("1-mm", moved, {"affine_conflict_mm": 1.0}),
                ("mirror", mirrored, {"affine_conflict_mm": 20.0}),
                ("turned", turned, {}),
            )
        ),
        *(one(f"83-type-{n}", set_to(datatype=n), f"{said} {UNSUPPORTED}") for n, said in types.items()),
        *(
            case(
                f"84-extension-{n}", extended(n), f"{BROKEN} {CUT} nifti", path=f"84-{n}.nii", shape=[3, 6, 8]
            )
            for n in (0, -16, 0x7FFFFFF0)
        ),
        one("85-header-size-1234", set_to(sizeof_hdr=1234), BROKEN),
        case("85-swapped", swapped(), "nifti", path="85-swapped.nii", shape=[3, 6, 8]),
        case(
            "87-overflow",
            nifti_bytes(change=dims(3, 1 << 32, 1 << 32, 2), kind=second),
            LARGE,
            path="87.nii",
        ),
    ]


def conflicting(matrix: np.ndarray) -> bytes:
    """A file whose sform is the usual one and whose qform is another."""
    image = nibabel.Nifti1Image(stored().T, affine())
    image.header.set_xyzt_units("mm")
    image.header.set_sform(affine(), 1)
    image.header.set_qform(matrix, 1)
    return image.to_bytes()


def extended(size: int) -> bytes:
    """A file that says it has an extension of so many bytes."""
    data = nifti_bytes(change=set_to(vox_offset=368))
    return data[:348] + b"\x01\0\0\0" + struct.pack("<ii", size, 6) + bytes(8) + data[352:]


def swapped() -> bytes:
    image = nibabel.Nifti1Image(stored().T.astype(">i2"), affine(), nibabel.Nifti1Header(endianness=">"))
    image.header.set_xyzt_units("mm")
    return image.to_bytes()


def nifti_bytes_of() -> list[Case]:
    """78-82: bytes that end early, or are many more than they seem; check sums are judged when voxels are read."""
    good = nifti_bytes()
    packed = gzip.compress(good, mtime=0)
    zeros = gzip.compress(bytes(1 << 20), 9, mtime=0)

    def bomb(mebibytes: int) -> bytes:
        return gzip.compress(good, mtime=0) + zeros * mebibytes

    honest = gzip.compress(nifti_bytes(change=dims(3, 2000, 2000, 1000)), mtime=0)
    return [
        case("78-bomb-300-mib", bomb(300), f"nifti {LARGE}", path="78-a.nii.gz"),
        case("78-bomb-8-gib", lambda: bomb(8192), f"nifti {LARGE}", path="78-b.nii.gz", is_large=True),
        case("78-honest-bomb", honest, LARGE, path="78-c.nii.gz"),
        *(
            case(f"79-cut-at-{n}", packed[:n], f"{CUT} {BROKEN} nifti gzip", path=f"79-{n}.nii.gz")
            for n in (10, 20, 60, len(packed) // 2, len(packed) - 4)
        ),
        case("81-trailing-garbage", packed + b"garbage", f"nifti {BROKEN}", path="81-a.nii.gz"),
        case(
            "81-two-members",
            gzip.compress(good[:400], mtime=0) + gzip.compress(good[400:], mtime=0),
            "nifti",
            path="81-b.nii.gz",
        ),
        case(
            "81-300000-members",
            packed + gzip.compress(b"", mtime=0) * 200_000,
            f"nifti {LARGE} {BROKEN}",
            path="81-c.nii.gz",
        ),
        case("82-cut", good[:-20], CUT, path="82-a.nii"),
        case("82-cut-in-the-header", good[:100], CUT, path="82-b.nii"),
        case("82-too-long", good + bytes(5000), BROKEN, path="82-c.nii"),
    ]


def nrrd_cases() -> list[Case]:
    """89-98: NRRD."""

    def one(name: str, expected: str, **fields: Any) -> Case:
        return case(name, nrrd_bytes(**fields), expected, path=f"{name}.nrrd")

    sizes = {
        "1e15": "1000000000000000 1 1",
        "2-32": "4294967296 4294967296 2",
        "negative": "-8 6 3",
        "zero": "0 6 3",
    }
    directions = {
        "nan": "(nan,0,0) (0,0.5,0) (0,0,2)",
        "none": "none (0,0.5,0) (0,0,2)",
        "count": "(1,0,0) (0,1,0)",
    }
    zeros = gzip.compress(bytes(1 << 20), 9, mtime=0)
    good = nrrd_bytes()
    return [
        *(
            one(f"93-{k.replace(' ', '-')}-{n}", f"{BROKEN} {UNSUPPORTED}", **{k: n})
            for k, n in (("byte skip", str(2**63 - 1)), ("byte skip", "-2"), ("line skip", "1000000000"))
        ),
        *(one(f"94-sizes-{name}", f"{BROKEN} {CUT} {LARGE}", sizes=text) for name, text in sizes.items()),
        one("95-gzip-bomb", f"nrrd {LARGE}", encoding="gzip", tail=zeros * 200),
        one(
            "95-bzip2-bomb",
            f"nrrd {LARGE} {UNSUPPORTED}",
            encoding="bzip2",
            tail=bz2.compress(bytes(64 << 20)),
        ),
        case(
            "96-line-8-mb",
            b"NRRD0004\ncontent: " + b"x" * (8 << 20),
            f"{BROKEN} {LIMIT}",
            path="96-a.nrrd",
            is_large=True,
        ),
        case(
            "96-line-2-mb", b"NRRD0004\ncontent: " + b"x" * (2 << 20), f"{BROKEN} {LIMIT}", path="96-b.nrrd"
        ),
        *(one(f"97-directions-{name}", BROKEN, space_directions=text) for name, text in directions.items()),
        one("97-origin-infinite", BROKEN, space_origin="(inf,0,0)"),
        one("97-left-handed", "nrrd", space_directions="(-0.75,0,0) (0,0.5,0) (0,0,2)"),
        case("98-field-twice", good.replace(b"kinds:", b"type: short\nkinds:"), BROKEN, path="98-a.nrrd"),
        one("98-encoding-unknown", UNSUPPORTED, encoding="rot13"),
        one("98-encoding-hex", f"nrrd {UNSUPPORTED}", encoding="hex"),
        one("98-no-byte-order", BROKEN, endian=None),
        one("98-type-block", UNSUPPORTED, type="block"),
    ]


# What a header may name: beside it there are, in the folder of the case, a pipe, a folder, and links to the canary.
_DETACHED = {
    "absolute": ("{outside}/canary.raw", OUTSIDE),
    "parent": ("../../../outside/canary.raw", OUTSIDE),
    "dots": ("./x/../../../../outside/canary.raw", OUTSIDE),
    "zeros": ("/dev/zero", OUTSIDE),
    "pipe": ("pipe", OUTSIDE),
    "link": ("link", OUTSIDE),
    "folder": ("folder", OUTSIDE),
    "linked-folder": ("linked/canary.raw", OUTSIDE),
}


def detached(outside: Path) -> list[Case]:
    """89-92, 99 and 86: headers that name the file of their voxels; `outside` is where the canaries are."""
    out = []
    for name, (where, expected) in _DETACHED.items():
        place = where.format(outside=outside)
        for key, suffix in (("data file", "nrrd"), ("datafile", "nhdr")):
            text = nrrd_bytes(**{key: place}, tail=b"")
            path = f"detached/{name}.{suffix}"
            out.append(case(f"89-{name}-{suffix}", text, expected, path=path))
        out.append(case(f"99-{name}", meta_header(place), expected, path=f"detached/{name}.mhd"))
    many = "LIST\n" + "\n".join(f"{n}.raw" for n in range(100_000))
    for name, place in (("list", many), ("pattern", "%03d.raw 1 2147483647 1")):
        text = nrrd_bytes(**{"data file": place}, tail=b"")
        out.append(case(f"92-{name}", text, f"{UNSUPPORTED} {LIMIT} {BROKEN}", path=f"detached/{name}.nhdr"))
    out.append(case("99-list", meta_header("LIST"), UNSUPPORTED, path="detached/list.mhd"))
    out.append(case("99-pattern", meta_header("%03d.raw 1 9 1"), UNSUPPORTED, path="detached/pattern.mhd"))
    pair = nifti_bytes().replace(b"n+1\0", b"ni1\0", 1)
    header, voxels = pair[:348], pair[352:]
    out += [
        case("86-pair-linked", header, f"{OUTSIDE} {UNSUPPORTED}", path="detached/linked-pair.hdr"),
        case("86-pair-alone", header, f"{CUT} {UNSUPPORTED} file/unreadable", path="detached/alone.hdr"),
        case("86-pair-cut", header, f"{CUT} {UNSUPPORTED}", path="detached/cut.hdr"),
        case("86-pair-cut-voxels", voxels[:9], "image-data", path="detached/cut.img"),
        special(
            "86-link", "detached/linked-pair.img", lambda p: p.symlink_to(outside / "canary.raw"), "symlink"
        ),
        special("89-link", "detached/link", lambda p: p.symlink_to(outside / "canary.raw"), "symlink"),
        special("89-linked", "detached/linked", lambda p: p.symlink_to(outside), "symlink"),
        special("89-pipe", "detached/pipe", os.mkfifo, "fifo"),
        special("89-folder", "detached/folder/.keep", Path.touch, "file/empty"),
    ]
    return out


def special(name: str, path: str, make: Callable[[Path], Any], expected: str) -> Case:
    """A case that is no plain file."""
    return Case(id=name, path=path, expected=tuple(expected.split()), make=make)


def meta_header(place: str, **fields: str) -> bytes:
    """A MetaImage header whose voxels are where it says."""
    known = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "-10 -20 0",
        "ElementSpacing": "0.75 0.5 2",
        "DimSize": "8 6 3",
        "ElementType": "MET_SHORT",
    } | fields
    lines = [f"{k} = {v}" for k, v in known.items()]
    return "\n".join([*lines, f"ElementDataFile = {place}"]).encode() + b"\n"


def meta_cases() -> list[Case]:
    """100: MetaImage."""
    body = stored().astype("<i2").tobytes()

    def one(name: str, expected: str, tail: bytes = body, **fields: str) -> Case:
        return case(name, meta_header("LOCAL", **fields) + tail, expected, path=f"{name}.mha")

    return [
        one("100-good", "metaimage"),
        one("100-sizes-huge", f"{CUT} {LARGE}", DimSize="4294967296 4294967296 2"),
        one("100-sizes-negative", BROKEN, DimSize="-8 6 3"),
        one("100-cut", CUT, body[:-20]),
        one(
            "100-packed-size-lies",
            f"metaimage {BROKEN} {CUT}",
            CompressedData="True",
            CompressedDataSize="999999999",
        ),
        one("100-spacing-nan", BROKEN, ElementSpacing="nan 1 1"),
        one("100-matrix-short", BROKEN, TransformMatrix="1 0 0"),
        one("100-type-unknown", UNSUPPORTED, ElementType="MET_OTHER"),
        one("100-type-colours", f"{UNSUPPORTED} file/several-volumes", ElementNumberOfChannels="3"),
    ]


def volume_cases(outside: Path) -> list[Case]:
    """Every file of the corpus that is a volume in another format than DICOM."""
    return [*nifti_headers(), *nifti_bytes_of(), *nrrd_cases(), *detached(outside), *meta_cases()]
