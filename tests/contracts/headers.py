"""Heads of files as a header reader takes them, and its columns as rows again."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np

from isocenter.base.errors import FormatError
from isocenter.formats.header_reader import HEADER_READERS, Heads, Numbers, Texts
from isocenter.formats.image import FORMATS, Scan
from isocenter.formats.limits import DEFAULT_LIMITS
from isocenter.model.rows import Instance

HEAD_BYTES = 8192


class More:
    """Reads on in files that are bytes, and remembers what was asked for."""

    def __init__(self, files):
        self.files, self.asked = files, []

    def __call__(self, number, offset, count):
        self.asked.append((number, offset, count))
        return self.files[number][offset : offset + count]


def heads_of(files, head_bytes=HEAD_BYTES):
    heads = [data[:head_bytes] for data in files]
    counts = np.array([len(h) for h in heads], np.int64)
    starts = np.cumsum([0, *counts[:-1]], dtype=np.int64)[: len(files)]
    sizes = np.array([len(data) for data in files], np.int64)
    return Heads(np.frombuffer(b"".join(heads), np.uint8), starts, counts, sizes, More(files))


def read(files, format_name="dicom", limits=DEFAULT_LIMITS, head_bytes=HEAD_BYTES):
    return HEADER_READERS.get(format_name).read(heads_of(files, head_bytes), limits)


def values_of(column):
    if isinstance(column, Texts):
        data, ends = column.data.tobytes(), column.offsets.tolist()
        cells = [data[a:b].decode() for a, b in pairwise(ends)]
        return [c if v else None for c, v in zip(cells, column.is_valid.tolist(), strict=True)]
    if isinstance(column, Numbers):
        pairs = zip(column.values.tolist(), column.is_valid.tolist(), strict=True)
        return [n if v else None for n, v in pairs]
    items, ends = values_of(column.items), column.offsets.tolist()
    return [tuple(items[a:b]) for a, b in pairwise(ends)]


def scans_of(headers):
    """A scan for each file, None where it was left out."""
    columns = {name: values_of(column) for name, column in headers.columns.items()}
    rows = [
        Instance(file_id="f", source=0, site="s", **{name: values[n] for name, values in columns.items()})
        for n in range(len(headers.kinds))
    ]
    known = (Scan(kind=k, instance=r) for k, r in zip(headers.kinds, rows, strict=True))
    return [next(known) if is_known else None for is_known in headers.is_known.tolist()]


def slow_scan(path: Path, data=None, format_name="dicom"):
    """What the image format says of a file, or the reason why it refuses it."""
    if data is not None:
        path.write_bytes(data)
    try:
        return FORMATS.get(format_name).scan(path, "f", 0, "s")
    except FormatError as error:
        return error.reason


def differences(fast, slow):
    """Fields of two scans that are not the same, bit for bit; all of them where there is no second."""
    if isinstance(slow, str):
        return [("refused", slow)]
    # repr tells -0.0 from 0.0 and 1 from 1.0
    out = [
        (name, getattr(fast, name), getattr(slow, name))
        for name in ("kind", "frames", "annotation")
        if repr(getattr(fast, name)) != repr(getattr(slow, name))
    ]
    for field in dataclasses.fields(Instance):
        one, other = getattr(fast.instance, field.name), getattr(slow.instance, field.name, "none")
        if repr(one) != repr(other):
            out.append((field.name, one, other))
    return out
