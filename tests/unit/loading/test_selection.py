from dataclasses import replace

import pytest

from isocenter.base.errors import ConfigError
from isocenter.loading.selection import select
from isocenter.model.split import Split, SplitRow
from isocenter.stores.splits import write_split
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case


def chosen(store, partition, **more):
    options = {"split": "default", "fold": None, "channels": ["ct"], "review": "exclude", **more}
    return select(store, partition, **options)


def test_cases_of_a_partitions_subjects_as_columns(store):
    train, val = chosen(store, "train"), chosen(store, "val")
    assert train.ids.tolist() == ["case-0000", "case-0001", "case-0004", "case-0005"]
    assert val.subjects.tolist() == ["subject-1"] * 2
    assert train.shapes.tolist() == [[12, 40, 36]] * 4
    assert train.states.tolist() == [[1, -1]] * 4
    assert train.scale(0, 0).mean == 1000
    assert train.left_out == {"another partition, or none": 2}


def test_cases_for_review_are_left_out_and_counted(tmp_path):
    cases = [replace(make_case(n), verdict="review" if n == 1 else "keep") for n in range(4)]
    store = Store(build(tmp_path / "s", cases))
    assert chosen(store, "train").ids.tolist() == ["case-0000"]
    assert chosen(store, "train").left_out == {"another partition, or none": 2, "review": 1}
    assert chosen(store, "train", review="include").ids.tolist() == ["case-0000", "case-0001"]
    with pytest.raises(ConfigError, match="exclude or include"):
        chosen(store, "train", review="maybe")


def test_folds(store):
    rows = [SplitRow(subject=f"subject-{n}", partition=f"fold-{n}") for n in range(3)]
    write_split(store.path, "cv", Split(strategy="x", seed=0, fractions={}, rows=tuple(rows)))
    val = set(chosen(store, "val", split="cv", fold=1).subjects.tolist())
    train = set(chosen(store, "train", split="cv", fold=1).subjects.tolist())
    assert (val, train) == ({"subject-1"}, {"subject-0", "subject-2"})
    with pytest.raises(ConfigError, match="no fold 3; it has 3"):
        chosen(store, "val", split="cv", fold=3)
    with pytest.raises(ConfigError, match="say which one is val"):
        chosen(store, "train", split="cv")
    with pytest.raises(ConfigError, match="no fold 0"):
        chosen(store, "train", fold=0)


def test_what_is_not_there_is_told(store):
    with pytest.raises(ConfigError, match=r"no partition 'test': train, val"):
        chosen(store, "test")
    with pytest.raises(ConfigError, match="no split 'other'"):
        chosen(store, "train", split="other")
    only = SplitRow(subject="nobody", partition="train")
    write_split(store.path, "empty", Split(strategy="x", seed=0, fractions={}, rows=(only,)))
    with pytest.raises(ConfigError, match=r"holds no case \(6 cases: another partition"):
        chosen(store, "train", split="empty")


def test_a_channel_that_a_case_lacks(two_channels):
    both = chosen(two_channels, "train", channels=["pet", "ct"])
    assert both.places.tolist() == [[1, 0], [-1, 0]]
    assert both.scale(1, 0).mean == 0
