"""Rows are written in the order of their ids, to the same bytes however many are put by at once."""

import pytest

from isocenter.base import tables
from isocenter.base.database import Database
from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.rows import Stack
from isocenter.stages.index import pieces


def _stack(number):
    attribute = Attribute(name="sex", value="F", state=AttributeState.KNOWN, source="study")
    return Stack(
        id=f"stk-{number % 7}-{number}", series="ser", study="std", subject="", site="é", source=0, timepoint="",
        format="dicom", modality="CT", files=tuple(f"fil-{n}" for n in range(number)), frames=(0,) * number,
        slice_distance_mm=None if number % 2 else 2.5, affine=(0.1, -0.0), attributes=(attribute,) * (number % 3),
    )  # fmt: skip


def _written(folder, limits, monkeypatch):
    for name, limit in limits.items():
        monkeypatch.setattr(pieces, name, limit)
    folder.mkdir()
    stacks = pieces.Pieces(folder, Stack)
    rows = [_stack(n) for n in range(20)]
    for row in rows:
        stacks.add(row, items=len(row.files))
    assert stacks.count == 20
    with Database(folder / "spill") as database:
        stacks.write(database, folder / "out")
    assert list(tables.read(folder / "out", Stack)) == sorted(rows, key=lambda r: r.id)
    return (folder / "out").read_bytes()


@pytest.mark.parametrize("limits", [{"_AT_ONCE": 1}, {"_AT_ONCE": 6}, {"_ITEMS_AT_ONCE": 30}])
def test_same_rows_are_the_same_bytes(tmp_path, limits, monkeypatch):
    whole = _written(tmp_path / "whole", {}, monkeypatch)
    assert _written(tmp_path / "parts", limits, monkeypatch) == whole


def test_no_rows_are_an_empty_table(tmp_path):
    with Database(tmp_path / "spill") as database:
        pieces.Pieces(tmp_path, Stack).write(database, tmp_path / "out")
    assert list(tables.read(tmp_path / "out", Stack)) == []
