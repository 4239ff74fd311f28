"""The public split: rows of any origin, and the cases of a workspace or store."""

import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.base.errors import ConfigError, StoreNotFound
from isocenter.model.attributes import Attribute
from isocenter.model.rows import CaseRow, LabelState
from isocenter.model.split import SplitRow
from isocenter.pipeline.split import labels_of, split


def people(number=60):
    return [
        {"subject": f"s{n:02}", "site": f"c{n % 11}", "labels": ["tumour"] * (n % 4 == 0)}
        for n in range(number)
    ]


def test_it_is_the_public_name():
    assert iso.split is split


def test_rows_in_split_out():
    done = split(people(), seed=3)
    assert done.strategy == "site-holdout"
    assert [len(done.of(p)) for p in ("train", "val", "test")] == [42, 6, 12]
    assert done.issues == ()
    assert done == split(reversed(people()), seed=3)
    assert done != split(people(), seed=4)


def test_fractions_and_strategy_are_taken():
    done = split(people(), strategy="grouped", fractions={"train": 0.5, "test": 0.5})
    assert (done.strategy, len(done.of("test"))) == ("grouped", 30)


def test_rows_of_one_subject_are_merged():
    done = split([{"subject": "s", "case": 1, "labels": "a"}, {"subject": "s", "case": 2, "labels": "b"}])
    assert [(r.cases, r.labels) for r in done.rows] == [(("1", "2"), ("a", "b"))]


def test_groups_and_strata_are_keys_of_the_rows():
    rows = [{"subject": n, "mother": n // 2, "sex": "MF"[n % 2], "room": ""} for n in range(40)]
    done = split(rows, groups=["mother", "room"], strata=["sex"])
    where = {r.subject: r.partition for r in done.rows}
    assert all(where[str(n)] == where[str(n + 1)] for n in range(0, 40, 2))
    assert {s for r in done.rows for s in r.strata} == {"sex=M", "sex=F"}


def test_earlier_places_hold():
    before = split(people(30))
    after = split(people(60), previous=before, seed=8)
    old = {r.subject: r.partition for r in before.rows}
    assert {r.subject: r.partition for r in after.rows if r.subject in old} == old


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"strategy": "grouped"},
        {"fractions": {"train": 0.4, "val": 0.3, "test": 0.3}},
        {"strata": ["sex"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_options_that_placed_nobody_are_not_stated(change):
    rows = [{**p, "sex": "MF"[n % 2]} for n, p in enumerate(people())]
    before = split(rows)
    after = split(rows, previous=before, **change)
    assert next(i.rule for i in after.issues) == "split/kept-places"
    assert (after.strategy, after.seed, after.fractions) == ("site-holdout", 0, before.fractions)
    assert {r.subject: r.partition for r in after.rows} == {r.subject: r.partition for r in before.rows}
    assert any(n.startswith("60 subjects keep the place that an earlier split gave") for n in after.notes)


def test_split_rows_are_rows_too():
    done = split([SplitRow(subject=f"s{n}", partition="test" if n < 5 else "train") for n in range(10)])
    assert done.strategy == "given"
    with pytest.raises(ConfigError):
        split([SplitRow(subject="s")], strata=["sex"])


@pytest.mark.parametrize(
    ("value", "names"),
    [(None, ()), ("", ()), ("a | b", ("a", "b")), (0, ()), (1, ("label",)), (("a",), ("a",)), ({"a": 0}, ())],
)
def test_labels_come_in_many_shapes(value, names):
    assert labels_of(value) == names


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        ([{"site": "x"}], {}, "row 1 has no subject"),
        ([{"subject": "s"}], {"strata": ["sex"]}, "row 1 has no 'sex'"),
        ([{"subject": "s"}], {"fractions": {"train": 0.5}}, "add up to 1"),
        ([{"subject": "s"}], {"fractions": {"training": 1.0}}, "train, val and test"),
        ([{"subject": "s"}], {"fractions": {}}, "add up to 1"),
    ],
)
def test_bad_calls_are_told(rows, options, says):
    with pytest.raises(ConfigError, match=says):
        split(rows, **options)


def case(number, **more):
    known = {
        "id": f"k{number:02}",
        "subject": f"s{number:02}",
        "site": f"c{number % 9}",
        "timepoint": "",
        "shard": 0,
        "digest": "",
        "verdict": "keep",
        "channels": ("ct",),
        "shape": (1, 1, 1),
        "spacing_mm": (1.0, 1.0, 1.0),
        "labels": (LabelState(label="t", state="positive" if number % 2 else "negative"),),
        "raters": (),
        "attributes": (Attribute(name="sex", value="MF"[number % 2]),),
        "statistics": (),
        "pixel_digest": f"p{number}",
    }
    return CaseRow(**(known | more))


def test_a_workspace_and_its_store_are_read(tmp_path):
    (tmp_path / "store").mkdir()
    tables.write(tmp_path / "store" / "cases.parquet", CaseRow, [case(n) for n in range(45)])
    done = split(tmp_path, strata=["sex"])
    assert done == split(str(tmp_path / "store"), strata=["sex"])
    assert len(done.rows) == 45
    assert done.rows[1].labels == ("t",)
    assert done.rows[1].strata == ("sex=F",)


def test_the_partitions_of_the_source_are_kept(tmp_path):
    cases = [case(n, partition="test" if n < 4 else "") for n in range(20)]
    tables.write(tmp_path / "cases.parquet", CaseRow, cases)
    assert {r.subject for r in split(tmp_path).of("test")} >= {"s00", "s01", "s02", "s03"}


def test_a_folder_without_cases_is_no_workspace(tmp_path):
    with pytest.raises(StoreNotFound):
        split(tmp_path)


def test_a_table_has_no_images_to_compare():
    with pytest.raises(ConfigError, match=r"split\.near_duplicates: together"):
        split(people(), near_duplicates="together")


def test_the_certificate_says_what_was_chosen_before():
    held = split(people(), seed=3)
    centres = sorted({r.site for r in held.rows if r.is_external})
    assert held.certificate.optimum.given == f"with centres {', '.join(centres)} held out"
    assert split(people(), strategy="nested-k-fold").certificate.optimum.given == "of the outer folds"
    assert split(people(), strategy="stratified").certificate.optimum.given == ""
