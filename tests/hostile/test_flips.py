"""One bit of a file is flipped, two hundred times: who has a check sum or says a thing twice must notice.

What each format can tell is written down in docs/explanation/what-a-format-can-tell.md.
"""

import zlib
from dataclasses import dataclass

import nibabel
import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.image import FORMATS, HEAD_BYTES, format_of
from isocenter.model.issue import Severity
from isocenter.model.reasons import REASONS
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from tests.contracts.files import Sample, image_samples, nifti_bytes, stack_of, stored

FLIPS = 200
# Samples are single slices of chance numbers.
TOO_SMALL = ("geometry/too-few-slices", "values/implausible-hounsfield")
ENGINE = Engine(ScreenOptions(ignore=dict.fromkeys(TOO_SMALL, "samples are small")))
SAMPLES = image_samples()
# Files of which a check sum covers what lies behind the header; of one in gzip it covers every byte.
BODY_COVERED = {"packed.nrrd": b"\n\n", "packed.mha": b"ElementDataFile = LOCAL\n"}


@dataclass(frozen=True)
class Seen:
    """What came of a file: whether it may be used, what was told of it, and what it holds."""

    is_refused: bool
    told: frozenset = frozenset()
    volume: object = None


def look(folder, sample, data, beside=None):
    """Scan, screen and read a file as a run does."""
    path = sample.write(folder, data)
    if beside is not None:
        path.with_name(sample.beside[0]).write_bytes(beside)
    if format_of(data[:HEAD_BYTES]) != sample.format and not sample.name.endswith(".gz"):
        return Seen(is_refused=True)
    known = FORMATS.get(sample.format)
    try:
        stack = stack_of(sample.format, [path])
        issues = ENGINE.check(stack)
        if not any(i.severity is Severity.REJECT for i in issues):
            volume = known.read(stack, [path])
            issues += [*volume.issues, *ENGINE.check(volume)]
    except FormatError as error:
        return Seen(is_refused=error.reason in REASONS)
    is_refused = any(i.severity is Severity.REJECT for i in issues)
    told = frozenset((i.rule, i.message, i.measured) for i in issues)
    return Seen(is_refused=is_refused, told=told, volume=None if is_refused else volume)


def outcome(seen, good):
    """ "refused", "told", "equal", or "silent": another volume, and nothing said."""
    if seen.is_refused:
        return "refused"
    a, b = seen.volume, good.volume
    same_grid = a.grid.shape == b.grid.shape and np.allclose(a.grid.affine, b.grid.affine, rtol=0, atol=1e-9)
    if (a.unit, a.modality) == (b.unit, b.modality) and same_grid and np.array_equal(a.array, b.array):
        return "equal"
    return "silent" if seen.told <= good.told else "told"


def flipped(data, at, bit):
    out = bytearray(data)
    out[at] ^= 1 << bit
    return bytes(out)


def flips(data, name, count=FLIPS):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for at, bit in zip(rng.integers(0, len(data), count), rng.integers(0, 8, count), strict=True):
        yield int(at), flipped(data, int(at), int(bit))


def first_covered(name, data):
    """Where the part of a file begins that a check sum covers; its end where none does."""
    if name.endswith(".gz"):
        return 0
    mark = BODY_COVERED.get(name)
    return len(data) if mark is None else data.index(mark) + len(mark)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)
def test_two_hundred_flips_of_a_file(sample, tmp_path):
    good = look(tmp_path, sample, sample.data)
    assert not good.is_refused
    start = first_covered(sample.name, sample.data)
    found = [
        (at, outcome(look(tmp_path, sample, data), good)) for at, data in flips(sample.data, sample.name)
    ]
    assert [at for at, what in found if at >= start and what == "silent"] == []
    if start < len(sample.data):
        assert [what for _, what in found].count("refused") > 50


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.beside], ids=lambda s: s.name)
def test_two_hundred_flips_of_voxels_beside(sample, tmp_path):
    good = look(tmp_path, sample, sample.data)
    name, body = sample.beside
    is_covered = name.endswith((".gz", ".zraw"))
    found = [
        outcome(look(tmp_path, sample, sample.data, data), good)
        for _, data in flips(body, sample.name + name)
    ]
    assert ("silent" in found) != is_covered


# What a NIfTI header says once, so that nothing else in it can contradict it; the sample has no qform.
ONCE = {"srow_x", "srow_y", "srow_z", "scl_slope", "scl_inter"}


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_flips_in_every_field_of_a_nifti_header(kind, tmp_path):
    """Sizes, types, offsets and voxel sizes are there twice; the rest of what matters is there once."""
    sample = Sample("nifti", "image.nii", nifti_bytes(kind=kind))
    good = look(tmp_path, sample, sample.data)
    header = kind(stored().T, np.eye(4)).header
    rng = np.random.default_rng(8)
    silent = set()
    for name, (dtype, at) in header.structarr.dtype.fields.items():
        for _ in range(8):
            place, bit = at + int(rng.integers(dtype.itemsize)), int(rng.integers(8))
            if outcome(look(tmp_path, sample, flipped(sample.data, place, bit)), good) == "silent":
                silent.add(name)
    assert silent
    assert silent <= ONCE
