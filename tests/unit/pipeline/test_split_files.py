"""A split as files, and back."""

import json

import pytest

import isocenter as iso
from isocenter.base.errors import ConfigError
from isocenter.pipeline.split_files import as_csv, nnunet_folds, read_exported, write_exports
from isocenter.stages.split.outer import outer_splits


def people(number=40, **more):
    return [
        {
            "subject": f"p{n:02}",
            "site": f"c{n % 4}",
            "labels": ["mass"] * (n % 3 == 0),
            "case": f"img/p{n:02}_0000.nii.gz",
            **more,
        }
        for n in range(number)
    ]


@pytest.mark.parametrize("name", ["default.csv", "default.json"])
@pytest.mark.parametrize("strategy", ["auto", "nested-k-fold"])
def test_places_survive_files(tmp_path, name, strategy):
    done = iso.split(people(), strategy=strategy)
    write_exports(tmp_path, done)
    back = read_exported(tmp_path / name)
    assert back.rows == done.rows
    if name.endswith("json"):
        assert back == done
    more = iso.split(people(50), strategy=strategy, previous=back)
    old = {r.subject: (r.partition, r.inner) for r in done.rows}
    assert {r.subject: (r.partition, r.inner) for r in more.rows if r.subject in old} == old


def test_a_changed_document_is_refused(tmp_path):
    write_exports(tmp_path, iso.split(people()))
    path = tmp_path / "default.json"
    path.write_text(path.read_text().replace('"partition": "test"', '"partition": "val"', 1))
    with pytest.raises(ConfigError, match="seal does not fit"):
        read_exported(path)
    path.write_text("[]")
    with pytest.raises(ConfigError, match="is no split"):
        read_exported(path)
    (tmp_path / "x.csv").write_text("subject\\na\\n")
    with pytest.raises(ConfigError, match="needs the columns"):
        read_exported(tmp_path / "x.csv")


def test_folds_for_nnunet_hold_every_case_once_and_no_test_case(tmp_path):
    done = iso.split(people(), strategy="k-fold", folds=4)
    write_exports(tmp_path, done)
    folds = json.loads((tmp_path / "splits_final.json").read_text())
    test = {c.removeprefix("img/").removesuffix("_0000.nii.gz") for r in done.of("test") for c in r.cases}
    assert len(folds) == 4
    assert len(test) == 8
    assert sorted(c for f in folds for c in f["val"]) == sorted({f"p{n:02}" for n in range(40)} - test)
    for fold in folds:
        assert not set(fold["train"]) & set(fold["val"])
        assert not (set(fold["train"]) | set(fold["val"])) & test
    assert iso.audit(tmp_path / "splits_final.json").passed


def test_train_and_val_are_one_fold_and_no_val_is_none():
    (fold,) = nnunet_folds(iso.split(people(), strategy="stratified"))
    assert (len(fold["train"]), len(fold["val"])) == (28, 4)
    assert nnunet_folds(iso.split(people(), fractions={"train": 0.8, "test": 0.2})) == []


def test_the_csv_can_be_audited(tmp_path):
    (tmp_path / "s.csv").write_text(as_csv(iso.split(people()).rows))
    assert iso.audit(tmp_path / "s.csv").passed


def test_an_outer_fold_is_in_no_inner_fold():
    done = iso.split(people(60), strategy="nested-k-fold", folds=3, inner_folds=2)
    outer = outer_splits(done)
    assert [s.id for s in outer] == [f"default-outer-{n}" for n in range(3)]
    held = {r.subject for r in done.of("test")}
    tested = []
    for number, one in enumerate(outer):
        assert {r.subject for r in one.of("test")} == {r.subject for r in done.of(f"fold-{number}")}
        assert {r.subject for r in one.of("reserve")} == held
        assert {r.partition for r in one.rows} == {"test", "fold-0", "fold-1", "reserve"}
        assert one.certificate.holds
        tested += [r.subject for r in one.of("test")]
        sizes = [len(one.of(f"fold-{n}")) for n in range(2)]
        assert abs(sizes[0] - sizes[1]) <= 1
    assert sorted(tested) == sorted({r.subject for r in done.rows} - held)
