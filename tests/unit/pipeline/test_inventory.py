"""The inventory of tables written by hand: every number is known."""

import dataclasses

import pytest

from isocenter.model.reasons import REASONS
from isocenter.pipeline import inventory as module
from isocenter.pipeline.inventory import Inventory, Tallies, Tally, inventory
from tests.unit.pipeline import index_folder


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return inventory(index_folder.small(tmp_path_factory.mktemp("work")))


def counted(tallies):
    return {t.value: t.count for t in tallies.largest}


def test_entries_folders_archives_and_bytes_are_those_of_the_disk(found):
    assert (found.entries, found.folders, found.archives, found.archived) == (13, 4, 1, 2)
    assert found.size_bytes == 6 * 100 + 7 + 1 + 0 + 5000 + 10


def test_the_states_add_up(found):
    assert [(s.state, s.entries) for s in found.states] == [
        ("image", 4), ("annotation", 1), ("other", 2), ("refused", 2), ("ignored", 4),
    ]  # fmt: skip
    assert sum(s.entries for s in found.states) == found.entries
    assert sum(s.size_bytes for s in found.states) == found.size_bytes
    assert found.refused.total == 2
    assert found.ignored.total == 4
    assert found.kinds.total == found.entries


def test_reasons_and_kinds_say_what_they_mean(found):
    assert found.refused.largest[0] == Tally(
        value="file/truncated", count=1, name=REASONS["file/truncated"].meaning
    )
    assert counted(found.ignored) == {"text": 2, "symlink": 1, "zip": 1}
    assert all(t.name for t in (*found.refused.largest, *found.ignored.largest, *found.kinds.largest))


def test_headers_are_counted_without_those_that_were_refused(found):
    assert found.objects == 6
    assert counted(found.modalities) == {"CT": 3, "": 1, "RTDOSE": 1, "RTSTRUCT": 1}
    assert [(t.value, t.count, t.name) for t in found.sop_classes.largest] == [
        ("1.2.840.10008.5.1.4.1.1.2", 3, "CT Image Storage"),
        ("1.2.3.4.5", 1, ""),
        ("1.2.840.10008.5.1.4.1.1.481.2", 1, "RT Dose Storage"),
        ("1.2.840.10008.5.1.4.1.1.481.3", 1, "RT Structure Set Storage"),
    ]
    assert found.sop_classes.total == found.modalities.total == found.objects
    assert counted(found.manufacturers) == {"Siemens": 3, "": 2}
    assert counted(found.models) == {"Siemens Force": 2, "Siemens Sensation": 1, "": 2}
    assert [t.name for t in found.transfer_syntaxes.largest] == ["Explicit VR Little Endian", ""]


def test_people_and_groups(found):
    assert (found.subjects, found.dummy_subjects, found.series_without_subject) == (2, 1, 1)
    assert (found.studies, found.series, found.stacks) == (1, 3, 0)


def test_each_kind_of_duplicate_is_told_even_where_there_is_none(found):
    assert [(d.value, d.count) for d in found.duplicates] == [
        ("index/duplicate-object", 1),
        ("index/conflicting-object", 0),
        ("index/same-pixels", 1),
    ]


def test_issues_are_counted_with_what_to_do(found):
    assert {(i.rule, i.severity, i.count) for i in found.issues} == {
        ("file/truncated", "reject", 1),
        ("index/duplicate-object", "note", 1),
        ("index/no-subject", "reject", 1),
        ("index/same-pixels", "review", 1),
        ("geometry/of-a-plug-in", "", 1),
    }
    known = {i.rule: i for i in found.issues}
    assert known["file/truncated"].what_to_do == REASONS["file/truncated"].what_to_do
    assert known["geometry/of-a-plug-in"].meaning == ""


def test_the_most_frequent_come_first_and_the_others_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_VALUES", 2)
    kinds = ["c", "b", "b", "a", "d"]
    files = [index_folder.file(f"f{n}", f"{n}", kind) for n, kind in enumerate(kinds)]
    found = inventory(index_folder.write(tmp_path, files=files))
    assert found.kinds == Tallies(
        values=4, total=5, largest=(Tally(value="b", count=2), Tally(value="a", count=1))
    )


def test_an_empty_index_counts_nothing(tmp_path):
    found = inventory(index_folder.write(tmp_path, files=[]))
    assert (found.entries, found.size_bytes, found.folders, found.objects) == (0, 0, 0, 0)
    assert found.kinds == Tallies(values=0, total=0, largest=())
    assert [s.entries for s in found.states] == [0] * 5


def test_every_field_is_told_in_the_docstring():
    for owner in (Inventory,):
        assert [f.name for f in dataclasses.fields(owner) if f"  {f.name}: " not in owner.__doc__] == []
