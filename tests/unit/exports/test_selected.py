from dataclasses import replace

import pytest

from isocenter.base import tables
from isocenter.base.errors import ConfigError
from isocenter.exports.selected import file_names, select
from isocenter.model.rows import CaseRow
from tests.contracts import exported


@pytest.fixture
def store(tmp_path):
    return exported.plain(tmp_path / "store")


def rewrite(store, change):
    """The table of cases with other rows."""
    rows = [change(r) for r in tables.read(store.path / "cases.parquet", CaseRow)]
    tables.write(store.path / "cases.parquet", CaseRow, rows)


def test_cases_come_with_their_part_and_the_rest_is_counted(store):
    exported.divide(store.path, {"subject-0": "train", "subject-1": "reserve"})
    found = select(store, store.split(), review="exclude")
    assert [(c.name, c.partition) for c in found.cases] == [
        ("subject-0_case-0000", "train"),
        ("subject-0_case-0001", "train"),
    ]
    assert found.left_out == {"in no part of the split": 4}


def test_cases_under_review_are_left_out_unless_they_are_asked_for(store):
    rewrite(store, lambda r: replace(r, verdict="review") if r.id == "case-0002" else r)
    found = select(store, store.split(), review="exclude")
    assert (len(found.cases), found.left_out) == (5, {"waits for a decision": 1})
    assert len(select(store, store.split(), review="include").cases) == 6
    with pytest.raises(ConfigError, match="exclude or include"):
        select(store, store.split(), review="all")


def test_a_label_that_nobody_looked_for_in_any_case_is_left_out_and_told(store):
    rewrite(store, lambda r: replace(r, labels=exported.states("positive", "unknown")))
    found = select(store, store.split(), review="exclude")
    assert found.labels == ("tumour",)
    assert found.notes == ("nothing is known of these labels in any case: node",)
    assert found.cases[0].states == {"tumour": "positive"}
    assert found.cases[0].not_known == ()


def test_labels_are_named_in_the_order_of_their_values(store):
    assert select(store, store.split(), review="exclude", labels=["node", "tumour"]).labels == (
        "tumour",
        "node",
    )
    assert select(store, store.split(), review="exclude", labels=["node"]).labels == ("node",)
    with pytest.raises(ConfigError, match="no label 'tumor'; did you mean 'tumour'"):
        select(store, store.split(), review="exclude", labels=["tumor"])


def test_nothing_to_export_is_an_error(store):
    exported.divide(store.path, {"subject-9": "train"})
    with pytest.raises(ConfigError, match="nothing to export: 6 cases: in no part of the split"):
        select(store, store.split(), review="exclude")


def test_a_name_that_could_leave_the_folder_is_refused(store):
    rewrite(store, lambda r: replace(r, subject="../up"))
    exported.divide(store.path, {"../up": "train"})
    with pytest.raises(ConfigError, match="cannot be part of a file's name"):
        select(store, store.split(), review="exclude")


def test_names_of_files_are_plain_and_no_two_alike():
    assert file_names(["b/Å", "b", "B", "läsion", "..", "ct"]) == {
        "b/Å": "b",
        "b": "b-2",
        "B": "B-3",
        "läsion": "l-sion",
        "..": "x",
        "ct": "ct",
    }
