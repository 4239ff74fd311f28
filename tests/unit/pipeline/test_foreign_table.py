"""Tables that others wrote are read as they are, leaks and all."""

import pytest

from isocenter.base.errors import ConfigError, FormatError
from isocenter.pipeline.foreign import audited_splits
from isocenter.pipeline.foreign_table import TableWords, read_table


def table(tmp_path, text, name="split.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def read(tmp_path, text, name="split.csv", **words):
    found = read_table(table(tmp_path, text, name), TableWords(**words))
    return audited_splits(found, {}, (), is_independent=False, is_temporal=False)


def test_a_subject_has_a_row_for_each_of_its_partitions(tmp_path):
    text = "Subject,partition,site,labels\np,train,a,x\np,test,a,y\nq,train,b,x|y\np,train,a,z\n"
    (found,) = read(tmp_path, text)
    assert [(r.subject, r.partition, r.labels) for r in found.split.rows] == [
        ("p", "test", ("y",)),
        ("p", "train", ("x", "z")),
        ("q", "train", ("x", "y")),
    ]
    assert found.split.fractions == {"test": 0.5, "train": 0.5}


def test_folds_alone_are_the_partitions(tmp_path):
    (found,) = read(tmp_path, "subject\tfold\np\t0\nq\t1\n", "split.tsv")
    assert [(r.subject, r.partition) for r in found.split.rows] == [("p", "0"), ("q", "1")]


def test_folds_with_partitions_are_a_split_each(tmp_path):
    splits = read(tmp_path, "subject,fold,partition\np,0,train\nq,0,val\np,1,val\nq,1,train\n")
    assert [s.id for s in splits] == ["fold-0", "fold-1"]
    assert [r.partition for r in splits[1].split.rows] == ["val", "train"]


def test_digests_belong_to_cases_or_rows(tmp_path):
    (found,) = read(tmp_path, "subject,partition,digest\np,train,x\nq,test,y\nr,test,\n")
    assert [(i.id, i.digest) for i in found.images] == [("row 2", "x"), ("row 3", "y"), ("row 4", "")]
    assert [r.cases for r in found.split.rows] == [("row 2",), ("row 3",), ()]


def test_partitions_and_columns_have_the_names_of_others(tmp_path):
    text = "Image Index,Patient ID,Split,Finding Labels\na.png,1,Training,x\nb.png,2,validation,\nc.png,3,TEST,x|y\n"
    (found,) = read(tmp_path, text)
    assert [(i.id, i.subject, i.partition) for i in found.images] == [
        ("a.png", "1", "train"),
        ("b.png", "2", "val"),
        ("c.png", "3", "test"),
    ]
    assert found.images[2].labels == ("x", "y")


def test_columns_are_named_where_no_name_tells(tmp_path):
    text = "nr,wo,tumour,vendor,Manufacturer\n1,train,1,A,S\n2,test,no,n/a,n/a\n"
    (found,) = read(
        tmp_path,
        text,
        columns={"subject": "nr", "partition": "wo"},
        labels=("tumour",),
        metadata=("vendor",),
    )
    assert [i.labels for i in found.images] == [("tumour",), ()]
    assert [i.facts for i in found.images] == [(("manufacturer", "S"), ("vendor", "A")), ()]


def test_age_and_sex_are_no_metadata_of_the_scanner(tmp_path):
    (found,) = read(tmp_path, "subject,partition,age,sex,kvp\n1,train,40,F,120\n2,test,50,M,100\n")
    assert [i.facts for i in found.images] == [(("kvp", "120"),), (("kvp", "100"),)]


def test_the_subject_may_stand_in_the_path(tmp_path):
    text = "path,partition\nx/p1_0.nii.gz,train\nx/p1_1.nii.gz,test\n"
    (found,) = read(tmp_path, text, subject="x/{subject}_*.nii.gz")
    assert [i.subject for i in found.images] == ["p1", "p1"]


def test_slices_are_told_by_the_names_of_files_or_by_a_column(tmp_path):
    text = "path,subject,partition\nd/p1_slice_01.png,a,train\nd/p1_slice_02.png,b,test\np_001.png,c,test\n"
    (found,) = read(tmp_path, text)
    assert [(*i.volumes, i.is_volume_guessed) for i in found.images] == [
        ("d/p1", True),
        ("d/p1", True),
        (False,),
    ]
    (found,) = read(tmp_path, "path,subject,partition,series\na_z1.png,a,train,7\nb.png,b,test,7\n")
    assert [(*i.volumes, i.is_volume_guessed) for i in found.images] == [("7", False), ("7", False)]


def test_one_file_in_two_places_is_one_image_and_of_two_subjects_two(tmp_path):
    (found,) = read(tmp_path, "path,subject,partition\na.nii,p,train\na.nii,p,test\na.nii,q,test\n")
    assert [(i.id, i.partition) for i in found.images] == [
        ("a.nii", "train"),
        ("a.nii", "test"),
        ("a.nii (row 4)", "test"),
    ]


def test_claims_and_exclusions_are_read(tmp_path):
    text = "subject,partition,external,left_out\np,train,0,no\nq,test,yes,motion\nr,test,1,\n"
    (found,) = read(tmp_path, text)
    assert [i.left_out for i in found.images] == ["", "motion", ""]
    assert [(r.subject, r.is_external) for r in found.split.rows] == [("p", False), ("r", True)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("person,partition\np,train\n", "needs the columns subject and partition"),
        ("subject,part\np,train\n", "it has subject, part"),
        ("path,partition\np,train\n", "a pattern that finds the subject"),
        ("subject,partition\n,train\n", "row 2 of the table has no subject"),
        ("subject,partition\np,train\nq,train\n", "fewer than two partitions"),
        ("subject,partition\n", "fewer than two partitions"),
    ],
)
def test_tables_that_are_no_split_are_refused(tmp_path, text, says):
    with pytest.raises(ConfigError, match=says):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"columns": {"subjct": "subject"}}, "no role 'subjct'; did you mean 'subject'"),
        ({"columns": {"site": "cite"}}, "no column 'cite'"),
        ({"labels": ("x",)}, "no column 'x'"),
        ({"metadata": ("x",)}, "no column 'x'"),
    ],
)
def test_columns_that_are_not_there_are_told(tmp_path, words, says):
    with pytest.raises(ConfigError, match=says):
        read(tmp_path, "subject,partition\np,train\nq,test\n", **words)


def test_a_table_that_is_none_is_refused(tmp_path):
    with pytest.raises(FormatError):
        read(tmp_path, "")
