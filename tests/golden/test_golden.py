"""Stores that earlier versions of the package wrote open, verify and give the same cases."""

import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

from isocenter.stores.layout import LAYOUT_VERSION, READABLE_LAYOUTS
from isocenter.stores.shard import BACKENDS
from isocenter.stores.store import Store
from tests.golden.make import golden_cases

KEPT = sorted(Path(__file__).parent.glob("layout-*.tar.xz"))


def unpacked(path, folder):
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
        archive.extractall(folder, filter="data")
    return Store(folder, verify="read")


def plain(value):
    """A value of a case as something that compares."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in sorted(value.items())}
    if value is None or isinstance(value, str | float | int | tuple):
        return repr(value)
    if hasattr(value, "where"):
        return (value.raters, value.labels, plain(value.where))
    array = np.asarray(value)
    return (array.shape, array.tobytes()) if array.dtype.kind in "iufb" else repr(value)


def test_one_is_kept_of_every_layout_that_is_read_and_every_backend_of_ours():
    kept = {tuple(re.fullmatch(r"layout-(\d+)-(\w+)\.tar\.xz", p.name).groups()) for p in KEPT}
    assert {int(layout) for layout, _ in kept} == set(READABLE_LAYOUTS)
    assert {b for layout, b in kept if int(layout) == LAYOUT_VERSION} == set(BACKENDS.names())
    assert max(READABLE_LAYOUTS) == LAYOUT_VERSION


@pytest.mark.parametrize("path", KEPT, ids=lambda p: p.name)
def test_it_opens_verifies_and_gives_its_cases(path, tmp_path):
    store = unpacked(path, tmp_path)
    assert store.verify() == []
    assert {r.subject: r.partition for r in store.split().rows} == {"subject-0": "train", "subject-1": "val"}
    cases = {c.id: c for c in golden_cases(store.manifest.layout)}
    assert list(store) == sorted(cases)
    for case_id, wanted in cases.items():
        found = store[case_id]
        names = [n for n in wanted.__dataclass_fields__ if n not in {"grid", "annotations"}]
        for name in names:
            assert plain(getattr(found, name)) == plain(getattr(wanted, name)), name
        assert found.grid.shape == wanted.grid.shape
        assert np.array_equal(found.grid.affine, wanted.grid.affine)
        part = found.image[0, 3:5, 2:9, 1:4]
        assert np.array_equal(part, wanted.image[0, 3:5, 2:9, 1:4])
