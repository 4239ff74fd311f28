"""Masks whose values are named by a table beside them, or by one for all."""

import pytest

from isocenter.base import tables
from isocenter.base.errors import ConfigError
from isocenter.model.issue import Issue
from isocenter.model.name_rows import NameRow
from isocenter.model.rows import PlannedCase
from tests.unit.stages.cohort import BOX, Cohort

LABELS = {"lesion": {"value": 1, "aliases": ["tumour*"]}, "heart": {"value": 2}}
OTHER = (slice(5, 7), slice(5, 7), slice(0, 2))


@pytest.fixture
def cohort(tmp_path):
    made = Cohort(tmp_path)
    made.document |= {"labels": LABELS}
    for subject in "pq":
        made.ct(f"{subject}/ct.nii")
        made.mask(f"{subject}/mask1.nii", (7, BOX), (9, OTHER))
    return made


def planned(cohort, names):
    [source] = cohort.document["annotations"]
    cohort.run(annotations=[source | {"names": names}])
    cases = list(tables.read(cohort.work / "enrol/cases.parquet", PlannedCase))
    rows = list(tables.read(cohort.work / "enrol/names.parquet", NameRow))
    return cases, rows


def test_one_table_for_all_masks(cohort):
    (cohort.folder / "labels.txt").write_text("7 Tumour core\n9 heart\n11 spleen\n")
    cases, rows = planned(cohort, "labels.txt")
    assert [[(a.keys, a.labels) for a in c.annotations] for c in cases] == [
        [((7, 9), ("lesion", "heart"))]
    ] * 2
    assert {(r.name, r.label, r.count) for r in rows} == {
        ("Tumour core", "lesion", 2),
        ("heart", "heart", 2),
        ("spleen", "", 2),
    }
    [label, heart] = cohort.records()[0].labels
    assert (label.state, heart.state) == ("positive", "positive")


def test_a_table_beside_each_mask(cohort):
    (cohort.folder / "data/p/labels.tsv").write_text("index\tname\n7\ttumour\n9\theart\n")
    (cohort.folder / "data/q/labels.tsv").write_text("index\tname\n9\ttumour\n7\theart\n")
    cases, _ = planned(cohort, "{s}/labels.tsv")
    assert {a.labels for c in cases for a in c.annotations} == {("lesion", "heart"), ("heart", "lesion")}


def test_a_mask_without_its_table_is_for_a_person(cohort):
    (cohort.folder / "data/p/labels.tsv").write_text("index\tname\n7\ttumour\n9\theart\n")
    cases, _ = planned(cohort, "{s}/labels.tsv")
    issues = list(tables.read(cohort.work / "enrol/issues.parquet", Issue))
    assert "enrol/unreadable-annotation" in {i.rule for i in issues}
    assert sorted(len(c.annotations) for c in cases) == [0, 1]


def test_a_corrected_table_is_a_changed_input(cohort):
    table = cohort.folder / "data/p/labels.tsv"
    for name in ("p", "q"):
        (cohort.folder / f"data/{name}/labels.tsv").write_text("index\tname\n7\ttumour\n9\theart\n")
    before, _ = planned(cohort, "{s}/labels.tsv")
    table.write_text("index\tname\n9\ttumour\n7\theart\n")
    after, _ = planned(cohort, "{s}/labels.tsv")
    assert {c.digest for c in before} != {c.digest for c in after}


def test_a_broken_table_is_told_before_the_run(cohort):
    (cohort.folder / "labels.txt").write_text("tumour\n")
    with pytest.raises(ConfigError):
        planned(cohort, "labels.txt")
