"""nnU-Net's folds and folders are read as they are."""

import json

import pytest

from isocenter.base.errors import ConfigError, FormatError
from isocenter.model.issue import Severity
from isocenter.pipeline.audit import audit
from isocenter.pipeline.foreign import audited_splits
from isocenter.pipeline.foreign_nnunet import is_nnunet, read_nnunet


def folds(tmp_path, content):
    path = tmp_path / "splits_final.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def read(path, subject="{subject}", **more):
    return audited_splits(read_nnunet(path, subject, **more), {}, (), is_independent=False, is_temporal=False)


def raw(tmp_path, cases=("p_1", "p_2", "q_1"), test=()):
    root = tmp_path / "Dataset001_X"
    for folder, names in (("imagesTr", cases), ("imagesTs", test), ("labelsTr", cases)):
        (root / folder).mkdir(parents=True)
        for name in names:
            (root / folder / f"{name}{'' if folder == 'labelsTr' else '_0000'}.nii.gz").touch()
    described = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "x": 1}, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(described))
    return root


def test_cases_are_subjects_unless_a_pattern_says_more(tmp_path):
    path = folds(tmp_path, [{"train": ["p_1", "q_1"], "val": ["p_2"]}])
    (found,) = read(path)
    assert [(r.subject, r.partition, r.cases) for r in found.split.rows] == [
        ("p_1", "train", ("p_1",)),
        ("p_2", "val", ("p_2",)),
        ("q_1", "train", ("q_1",)),
    ]
    (found,) = read(path, "{subject}_*")
    assert [(r.subject, r.partition) for r in found.split.rows] == [
        ("p", "train"),
        ("p", "val"),
        ("q", "train"),
    ]
    assert found.id == "fold-0"


def test_an_empty_part_of_a_fold_is_still_asked_for(tmp_path):
    (found,) = read(folds(tmp_path, [{"train": ["p"], "val": []}]))
    assert found.split.fractions == {"train": 0.5, "val": 0.5}


def test_a_raw_data_set_brings_its_images_and_its_test_part(tmp_path):
    root = raw(tmp_path, test=("r_1",))
    folds(root, [{"train": ["p_1", "q_1"], "val": ["p_2"]}])
    assert is_nnunet(root)
    fold, held_out = read(root)
    assert [(i.id, i.partition) for i in fold.images] == [
        ("imagesTr/p_1_0000.nii.gz", "train"),
        ("imagesTr/q_1_0000.nii.gz", "train"),
        ("imagesTr/p_2_0000.nii.gz", "val"),
    ]
    assert held_out.id == "imagesTr-imagesTs"
    assert [(r.subject, r.partition) for r in held_out.split.rows if r.partition == "test"] == [
        ("r_1", "test")
    ]


def test_images_may_lie_elsewhere_than_the_folds(tmp_path):
    path = folds(tmp_path, [{"train": ["p_1"], "val": ["p_2"]}])
    found = read_nnunet(path, "{subject}", images=raw(tmp_path))
    image = found.images["imagesTr/p_1_0000.nii.gz"]
    assert image.path.is_file()
    assert image.mask.name == "p_1.nii.gz"
    assert image.values == ((1, "x"),)
    assert found.notes == ("cases of imagesTr that are in no fold: 1",)


def test_cases_without_an_image_are_told(tmp_path):
    root = raw(tmp_path)
    folds(root, [{"train": ["p_1", "q_1"], "val": ["gone"]}])
    assert "cases of splits_final.json that have no image: 1" in read_nnunet(root, "{subject}").notes


@pytest.mark.parametrize("cases", [2, 3])
def test_a_fingerprint_of_all_cases_is_a_note_for_folds(tmp_path, cases):
    """nnU-Net makes it so by design, and as many cases as the training part has need not be those."""
    path = folds(tmp_path, [{"train": ["p_1", "q_1"], "val": ["p_2"]}])
    (tmp_path / "dataset_fingerprint.json").write_text(json.dumps({"spacings": [[1, 1, 1]] * cases}))
    found = audit(path)
    (issue,) = found.issues
    assert (issue.rule, issue.severity) == ("audit/fingerprint-of-all-folds", Severity.NOTE)
    assert issue.measured == str(cases)
    assert found.passed


@pytest.mark.parametrize(("cases", "fails"), [(2, False), (3, False), (4, True)])
def test_a_fingerprint_that_counts_test_cases_is_rejected(tmp_path, cases, fails):
    root = raw(tmp_path, test=("r_1",))
    (root / "dataset_fingerprint.json").write_text(json.dumps({"spacings": [[1, 1, 1]] * cases}))
    found = audit(root, pixels=False)
    assert ("split/statistics-beyond-training" in {i.rule for i in found.issues}) is fails
    assert found.passed is not fails


def test_a_name_in_both_folders_is_in_both_partitions(tmp_path):
    root = raw(tmp_path, test=("p_1", "r_1"))
    folds(root, [{"train": ["p_1", "q_1"], "val": ["p_2", "r_1"]}])
    fold, held_out = read(root)
    assert {(i.id, i.partition) for i in held_out.images if "p_1" in i.id} == {
        ("imagesTr/p_1_0000.nii.gz", "train"),
        ("imagesTs/p_1_0000.nii.gz", "test"),
    }
    assert not [i.id for i in fold.images if "imagesTs" in i.id]
    assert "cases of splits_final.json that have no image: 1" in read_nnunet(root, "{subject}").notes
    found = audit(root, splits="imagesTr-imagesTs", pixels=False)
    assert "split/subject-in-two-partitions" in {i.rule for i in found.issues}


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
        read(folds(tmp_path, content))


@pytest.mark.parametrize(("pattern", "says"), [("{case}", "named part"), ("{subject}_x", "does not fit")])
def test_patterns_that_do_not_fit_are_told(tmp_path, pattern, says):
    with pytest.raises(ConfigError, match=says):
        read(folds(tmp_path, [{"train": ["p"], "val": ["q"]}]), pattern)


def test_a_data_set_without_folds_and_test_part_is_no_split(tmp_path):
    with pytest.raises(ConfigError, match="no split to check"):
        read(raw(tmp_path))
