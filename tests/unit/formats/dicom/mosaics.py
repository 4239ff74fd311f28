"""Small Siemens mosaics and CSA headers, made from the description that nibabel gives of them."""

import struct

import numpy as np

from tests.contracts.files import ct_dataset

TILES = 5
SHAPE = (18, 24)


def csa_bytes(values, kind=2):
    """A CSA header of texts by tag; of type 1 the lengths are told with the items of the first tag added."""
    out = [b"SV10\4\3\2\1"] if kind == 2 else []
    out.append(struct.pack("<2I", len(values), 77))
    room = 6
    for name, items in values.items():
        count = room if items else 0
        out.append(struct.pack("<64si4s3i", name.encode(), len(items), b"FD\0\0", 4, count, 77))
        for n in range(count):
            text = items[n].encode() + b"\0" if n < len(items) else b""
            first = len(text) + (room if kind == 1 else 0)
            out.append(struct.pack("<4i", first, len(text), 77, len(text)))
            out.append(text + bytes(-len(text) % 4))
    return b"".join(out)


def scanner(tiles=TILES, normal=(0, 0, 1), **others):
    return {
        "EchoLinePosition": [],
        "NumberOfImagesInMosaic": [str(tiles)],
        "SliceNormalVector": [f"{v:.8f}" for v in normal],
        **others,
    }


def mosaic_dataset(csa=None, count=TILES, distance="3.5", seed=0, **changes):
    """A mosaic of random values; `csa` are the tags of its CSA header, `count` the private number of tiles."""
    rows, columns = SHAPE
    out = ct_dataset(
        Modality="MR",
        ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
        Rows=rows,
        Columns=columns,
        PixelRepresentation=0,
        RescaleSlope=None,
        RescaleIntercept=None,
        PixelSpacing=["2.5", "2"],
        PixelData=np.random.default_rng(seed).integers(0, 4096, SHAPE).astype("<u2").tobytes(),
    )
    out.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    if distance is not None:
        out.SpacingBetweenSlices = distance
    if count is not None:
        out.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", count)
    header = csa_bytes(scanner() if csa is None else csa) if not isinstance(csa, bytes) else csa
    if header:
        out.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", header)
    for keyword, value in changes.items():
        setattr(out, keyword, value)
    return out
