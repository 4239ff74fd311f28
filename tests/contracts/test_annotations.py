"""What every annotation format promises, for each file in the folder."""

import os

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature, signature
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.drawings import DRAWINGS, drawing_kinds
from isocenter.formats.kinds import kind_of
from isocenter.model.annotation import AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.reasons import REASONS
from tests.contracts.files import SECRETS, SHAPE, TEXT_FILES, affine, annotation_samples, mutants

NAMES = ANNOTATIONS.names()
SAMPLES = annotation_samples()
GRID = Grid(SHAPE, affine())
PICTURE = Grid((1, *SHAPE[1:]), affine())
# what ends before its last structure, measurement or line is a valid one of fewer
ENDLESS = {"rtstruct", "dicom-report", "slicer-markups"}
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)


def read(sample, path, wanted):
    return ANNOTATIONS.get(sample.format).read(path, wanted, annotation_id="ann-1", rater="r1")


def outcome(call):
    try:
        return call()
    except FormatError as error:
        check(error)
        return None


def check(error):
    assert error.reason in REASONS
    told = f"{error.message} {error.measured} {error.expected}"
    assert not [s for s in SECRETS if s in told]


def test_every_format_has_a_sample():
    assert {s.format for s in SAMPLES} == set(NAMES)
    assert all(ANNOTATIONS.summary(name) for name in NAMES)


@every_sample
def test_names_and_annotations_agree(sample, tmp_path):
    path = sample.write(tmp_path)
    names = ANNOTATIONS.get(sample.format).names(path)
    assert all(isinstance(k, int) and isinstance(n, str) for k, n in names.items())
    parts = ANNOTATIONS.get(sample.format).parts(path)
    assert {p.key: p.name for p in parts} == names
    assert [p.key for p in parts] == sorted(names)
    assert {p.shape for p in parts} <= {"mask", "contours", "boxes", "points", "labels"}
    found = read(sample, path, {k: f"label{k}" for k in names})
    assert [a.concept for a in found] == [f"label{k}" for k in sorted(names)]
    assert {(a.id, a.rater) for a in found} == {("ann-1", "r1")}
    assert AnnotationState.MARKED in {a.state for a in found}
    for annotation in found:
        grid = PICTURE if sample.format in {"voc", "coco", "aim"} else GRID
        mask = annotation.mask(grid)
        assert mask.shape == grid.shape
        assert mask.dtype == np.bool_
        assert mask.any() == (annotation.state is AnnotationState.MARKED)
    (first, *_) = names
    assert [a.concept for a in read(sample, path, {first: "x"})] == ["x"]


@every_sample
def test_the_row_names_what_is_in_the_file(sample, tmp_path):
    path = sample.write(tmp_path)
    known = ANNOTATIONS.get(sample.format)
    assert {p.shape for p in known.parts(path)} <= set(known.SHAPES)
    if sample.format not in drawing_kinds():
        return
    with path.open("rb") as file:
        assert kind_of(file.read(4096)) == sample.format
    row = DRAWINGS.get(sample.format).row(path, "fil-1", 3, "site")
    assert (row.file_id, row.source, row.site, row.format) == ("fil-1", 3, "site", sample.format)
    parts = known.parts(path)
    told = zip(row.numbers, row.labels, row.codes, row.ids, row.shapes, strict=True)
    assert list(told) == [(p.key, p.name, p.code, p.id, p.shape) for p in parts]
    assert row.pictures in ((), tuple(p.picture for p in parts))
    assert row.raters == () or len(row.raters) == len(parts)


@every_sample
def test_a_cut_file_never_yields_an_annotation(sample, tmp_path):
    path = sample.write(tmp_path)
    names = ANNOTATIONS.get(sample.format).names(path)
    full = len(read(sample, path, names))
    for cut in sorted({*np.linspace(0, len(sample.data) - 1, 100).astype(int).tolist()}):
        path.write_bytes(sample.data[:cut])
        outcome(lambda: ANNOTATIONS.get(sample.format).names(path))
        found = outcome(lambda: read(sample, path, names))
        # a structure set that ends before its structures is a valid one of none: nothing may be made up
        is_short = sample.format in ENDLESS and len(found or ()) < full
        is_whole = sample.beside is not None and cut >= len(sample.data) - 4
        assert found is None or is_short or is_whole or _is_silent(found)


def _is_silent(found):
    return all(a.state is not AnnotationState.MARKED for a in found)


@every_sample
def test_broken_files_raise_nothing_but_format_errors(sample, tmp_path):
    path = sample.write(tmp_path)
    names = ANNOTATIONS.get(sample.format).names(path)
    results = []
    for data in mutants(sample.data, 400, seed=1):
        path.write_bytes(data)
        outcome(lambda: ANNOTATIONS.get(sample.format).names(path))
        found = outcome(lambda: read(sample, path, names))
        results.append(found)
        for annotation in found or ():
            outcome(lambda a=annotation: a.mask(GRID))
    assert None in results


@pytest.mark.parametrize("name", NAMES)
def test_anything_else_is_a_format_error(name, tmp_path):
    known, path = ANNOTATIONS.get(name), tmp_path / "hidden-folder"
    for data in TEXT_FILES:
        path.write_bytes(data)
        with pytest.raises(FormatError):
            known.names(path)
        with pytest.raises(FormatError):
            known.parts(path)
        with pytest.raises(FormatError):
            known.read(path, {1: "x"}, annotation_id="a", rater="")


@every_sample
def test_a_file_that_was_exchanged_since_the_index_is_not_read(sample, tmp_path):
    path = sample.write(tmp_path)
    known, names = ANNOTATIONS.get(sample.format), ANNOTATIONS.get(sample.format).names(path)
    wanted = {k: f"label{k}" for k in names}
    beside = [path.with_name(sample.beside[0])] if sample.beside else []
    own = signature(path)
    expected = Signature(own.size, own.mtime_ns, signature(beside[0]) if beside else None)
    facts = {"annotation_id": "a", "rater": "", "expected": expected}
    assert len(known.read(path, wanted, **facts)) == len(wanted)
    for file in (path, *beside):
        before = file.stat()
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
        with pytest.raises(FormatError) as caught:
            known.read(path, wanted, **facts)
        assert caught.value.reason == "file/changed"
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
