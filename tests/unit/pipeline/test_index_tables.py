"""The tables of an index as views, and the one state of every entry."""

import pytest

from isocenter.base.errors import StaleArtefact
from isocenter.base.workspace import Workspace
from isocenter.pipeline.index_tables import STATES, TABLES, opened
from tests.unit.pipeline import index_folder


def states(root):
    with opened(Workspace(root)) as database:
        return {i: (s, r) for i, s, r in database.ask("SELECT file_id, state, reason FROM states").rows}


def test_every_entry_has_one_state_and_its_reason(tmp_path):
    assert states(index_folder.small(tmp_path)) == {
        "f1": ("image", "dicom-image"),
        "f2": ("image", "dicom-image"),
        "f3": ("refused", "index/duplicate-object"),
        "f4": ("refused", "file/truncated"),
        "f5": ("annotation", "dicom-rtstruct"),
        "f6": ("other", "dicom-rtdose"),
        "f7": ("image", "nifti"),
        "f8": ("ignored", "text"),
        "f9": ("ignored", "symlink"),
        "z1": ("other", "zip"),
        "z2": ("image", "dicom-image"),
        "z3": ("ignored", "text"),
        "z4": ("ignored", "zip"),
    }


def test_an_entry_met_in_many_ways_is_still_one(tmp_path):
    row = index_folder.file("f1", "a", "dicom-image")
    root = index_folder.write(
        tmp_path,
        files=[row],
        annotations=[
            index_folder.AnnotationObject(file_id="f1", source=0, site="a", format="rtstruct")
            for _ in range(2)
        ],
        issues=[
            index_folder.refusal("f1", rule)
            for rule in ("index/duplicate-object", "index/conflicting-object", "file/limit", "file/limit")
        ],
    )
    with opened(Workspace(root)) as database:
        assert list(database.ask("SELECT state, reason FROM states").rows) == [("refused", "file/limit")]


def test_tables_that_are_not_there_are_empty(tmp_path):
    with opened(Workspace(index_folder.write(tmp_path, files=[]))) as database:
        for name in (*TABLES, "states"):
            assert list(database.ask(f"FROM {name}").rows) == []


def test_nothing_is_left_behind_in_the_workspace(tmp_path):
    root = index_folder.small(tmp_path)
    before = sorted(p.name for p in root.rglob("*"))
    assert set(STATES) == {state for state, _ in states(root).values()}
    assert sorted(p.name for p in root.rglob("*")) == before


def test_an_index_that_is_not_finished_is_told(tmp_path):
    root = index_folder.write(tmp_path, is_finished=False, files=[])
    with pytest.raises(StaleArtefact, match="no finished index"), opened(Workspace(root)):
        pass
    with pytest.raises(StaleArtefact, match="no finished index"), opened(Workspace(tmp_path / "nowhere")):
        pass
    assert not (tmp_path / "nowhere").exists()
