import json

import pytest

from isocenter.base.errors import ConfigError, StoreCorrupt
from isocenter.model.issue import Issue, Severity
from isocenter.model.split import Split, SplitRow, Way
from isocenter.stores.splits import read_split, split_names, write_split

SPLIT = Split(
    strategy="stratified",
    seed=7,
    fractions={"train": 0.8, "test": 0.2},
    rows=(SplitRow(subject="a", partition="train", labels=("x",)), SplitRow(subject="b", partition="test")),
    issues=(Issue(message="few", rule="split/few", severity=Severity.REVIEW),),
    notes=("locked",),
    asked={"strategy": "auto", "strata": ["sex"], "min_external_share": 0.2},
    earlier=(
        Way(strategy="given", seed=0, fractions={"train": 1.0}, asked={"strategy": "auto"}, subjects=1),
    ),
)


def test_it_comes_back(tmp_path):
    write_split(tmp_path, "five-folds", SPLIT)
    assert split_names(tmp_path) == ("five-folds",)
    assert read_split(tmp_path, "five-folds") == SPLIT


def test_an_unknown_name_is_told_with_the_nearest_one(tmp_path):
    with pytest.raises(ConfigError, match="isocenter split"):
        read_split(tmp_path, "default")
    write_split(tmp_path, "default", SPLIT)
    with pytest.raises(ConfigError, match="did you mean 'default'"):
        read_split(tmp_path, "defualt")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b"])
def test_a_name_is_no_path(tmp_path, name):
    with pytest.raises(ConfigError):
        write_split(tmp_path, name, SPLIT)


def test_a_table_of_another_split_is_corrupt(tmp_path):
    write_split(tmp_path, "one", SPLIT)
    write_split(tmp_path, "two", Split(strategy="x", seed=1, fractions={}, rows=SPLIT.rows[:1]))
    (tmp_path / "splits/two.parquet").replace(tmp_path / "splits/one.parquet")
    with pytest.raises(StoreCorrupt, match="split one"):
        read_split(tmp_path, "one")
    (tmp_path / "splits/two.json").write_text("{}")
    with pytest.raises(StoreCorrupt, match="split two"):
        read_split(tmp_path, "two")


def test_what_is_said_of_a_split_is_sealed(tmp_path):
    write_split(tmp_path, "one", SPLIT)
    path = tmp_path / "splits/one.json"
    path.write_text(path.read_text().replace('"seed": 7', '"seed": 3'))
    with pytest.raises(StoreCorrupt, match="split one"):
        read_split(tmp_path, "one")


def test_a_split_from_before_there_was_a_seal_is_read(tmp_path):
    write_split(tmp_path, "one", SPLIT)
    path = tmp_path / "splits/one.json"
    path.write_text(json.dumps(json.loads(path.read_text())["split"]))
    assert read_split(tmp_path, "one") == SPLIT
