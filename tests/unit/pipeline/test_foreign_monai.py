"""MONAI datalists are read as they are."""

import json

import pytest

from isocenter.base.errors import ConfigError, FormatError
from isocenter.pipeline.foreign import audited_splits
from isocenter.pipeline.foreign_monai import is_monai, read_monai


def datalist(tmp_path, content, name="datalist.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def read(path, subject="{subject}", **more):
    return audited_splits(read_monai(path, subject, **more), {}, (), is_independent=False, is_temporal=False)


def test_lists_are_partitions(tmp_path):
    content = {
        "training": [{"image": "a_1.nii.gz", "label": "l.nii.gz"}, {"image": ["b_1.nii.gz", "b_1x.nii.gz"]}],
        "validation": [{"image": "c_1.nii.gz", "label": 1, "patient_id": "a"}],
        "testing": ["d_1.nii.gz"],
    }
    path = datalist(tmp_path, content)
    assert is_monai(path)
    (found,) = read(path, "{subject}_*")
    assert [(i.id, i.subject, i.partition) for i in found.images] == [
        ("a_1.nii.gz", "a", "train"),
        ("b_1.nii.gz", "b", "train"),
        ("b_1x.nii.gz", "b", "train"),
        ("c_1.nii.gz", "a", "val"),
        ("d_1.nii.gz", "d", "test"),
    ]
    assert found.images[3].labels == ("class 1",)
    known = read_monai(path, "{subject}_*").images
    assert known["a_1.nii.gz"].mask == tmp_path / "l.nii.gz"
    assert known["b_1x.nii.gz"].case == "b_1.nii.gz"


def test_folds_are_held_out_one_by_one(tmp_path):
    content = {"training": [{"image": f"{n}.nii", "fold": n % 2} for n in range(4)], "test": ["9.nii"]}
    splits = read(datalist(tmp_path, content))
    assert [s.id for s in splits] == ["fold-0", "fold-1"]
    assert [(i.id, i.partition) for i in splits[0].images] == [
        ("0.nii", "val"),
        ("1.nii", "train"),
        ("2.nii", "val"),
        ("3.nii", "train"),
        ("9.nii", "test"),
    ]


def test_the_pattern_may_look_at_the_whole_path(tmp_path):
    content = {"training": ["p/ct.nii"], "validation": ["q/ct.nii"]}
    (found,) = read(datalist(tmp_path, content), "{subject}/*")
    assert [i.subject for i in found.images] == ["p", "q"]


@pytest.mark.parametrize(
    "content", ["{", "[]", {"training": "x"}, {"training": [{"label": 1}], "test": ["a"]}]
)
def test_files_that_are_no_datalist_are_refused(tmp_path, content):
    with pytest.raises(FormatError):
        read(datalist(tmp_path, content))


def test_one_list_divides_nothing(tmp_path):
    with pytest.raises(ConfigError, match="does not divide"):
        read(datalist(tmp_path, {"training": ["a.nii"]}))


def test_other_json_is_none(tmp_path):
    assert not is_monai(datalist(tmp_path, [{"train": [], "val": []}]))
    assert not is_monai(datalist(tmp_path, "{"))
    assert not is_monai(tmp_path)
