"""Splits that other tools wrote are read as they are, leaks and all."""

import json

import pytest

from isocenter.base.errors import ConfigError, FormatError
from isocenter.pipeline.foreign_splits import read_nnunet, read_table


def table(tmp_path, text, name="split.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_subject_has_a_row_for_each_of_its_partitions(tmp_path):
    path = table(
        tmp_path, "Subject,partition,site,labels\np,train,a,x\np,test,a,y\nq,train,b,x|y\np,train,a,z\n"
    )
    (split,), digests = read_table(path)
    assert [(r.subject, r.partition, r.labels) for r in split.rows] == [
        ("p", "test", ("y",)),
        ("p", "train", ("x", "z")),
        ("q", "train", ("x", "y")),
    ]
    assert split.fractions == {"test": 0.5, "train": 0.5}
    assert digests == {}


def test_folds_alone_are_the_partitions(tmp_path):
    (split,), _ = read_table(table(tmp_path, "subject\tfold\np\t0\nq\t1\n", "split.tsv"))
    assert [(r.subject, r.partition) for r in split.rows] == [("p", "0"), ("q", "1")]


def test_folds_with_partitions_are_a_split_each(tmp_path):
    text = "subject,fold,partition\np,0,train\nq,0,val\np,1,val\nq,1,train\n"
    splits, _ = read_table(table(tmp_path, text))
    assert [s.id for s in splits] == ["fold-0", "fold-1"]
    assert [r.partition for r in splits[1].rows] == ["val", "train"]


def test_digests_belong_to_cases_or_rows(tmp_path):
    text = "subject,partition,digest\np,train,x\nq,test,y\nr,test,\n"
    (split,), digests = read_table(table(tmp_path, text))
    assert digests == {"row 2": "x", "row 3": "y"}
    assert [r.cases for r in split.rows] == [("row 2",), ("row 3",), ()]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("patient,partition\np,train\n", "needs the columns subject and partition"),
        ("subject,part\np,train\n", "it has subject, part"),
        ("subject,partition\n,train\n", "row 2 of the table has no subject"),
        ("subject,partition\np,train\nq,train\n", "fewer than two partitions"),
        ("subject,partition\n", "fewer than two partitions"),
    ],
)
def test_tables_that_are_no_split_are_refused(tmp_path, text, says):
    with pytest.raises(ConfigError, match=says):
        read_table(table(tmp_path, text))


def folds(tmp_path, content):
    path = tmp_path / "splits_final.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_nnunet_cases_are_subjects_unless_a_pattern_says_more(tmp_path):
    path = folds(tmp_path, [{"train": ["p_1", "q_1"], "val": ["p_2"]}])
    (split,) = read_nnunet(path, "{subject}")
    assert [(r.subject, r.partition, r.cases) for r in split.rows] == [
        ("p_1", "train", ("p_1",)),
        ("p_2", "val", ("p_2",)),
        ("q_1", "train", ("q_1",)),
    ]
    (split,) = read_nnunet(path, "{subject}_*")
    assert [(r.subject, r.partition) for r in split.rows] == [("p", "train"), ("p", "val"), ("q", "train")]
    assert split.id == "fold-0"


def test_an_empty_part_of_a_fold_is_still_asked_for(tmp_path):
    (split,) = read_nnunet(folds(tmp_path, [{"train": ["p"], "val": []}]), "{subject}")
    assert split.fractions == {"train": 0.5, "val": 0.5}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[" * 100_000,
        {"train": []},
        [{"train": []}],
        [{"train": "p", "val": []}],
        [{"train": [1], "val": []}],
    ],
)
def test_files_that_are_no_folds_are_refused(tmp_path, content):
    with pytest.raises(FormatError):
        read_nnunet(folds(tmp_path, content), "{subject}")


@pytest.mark.parametrize(("pattern", "says"), [("{case}", "named part"), ("{subject}_x", "does not fit")])
def test_patterns_that_do_not_fit_are_told(tmp_path, pattern, says):
    with pytest.raises(ConfigError, match=says):
        read_nnunet(folds(tmp_path, [{"train": ["p"], "val": ["q"]}]), pattern)
