"""What every data-set layout promises, for each file in the folder."""

import json
import os

import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.dataset import LAYOUTS
from isocenter.model.reasons import REASONS

NAMES = LAYOUTS.names()
every_layout = pytest.mark.parametrize("name", NAMES)
LABELS = {"background": 0, "lesion": 1, "heart": 2}
GOOD = {
    "decathlon": {
        "modality": {"0": "CT"},
        "labels": {"0": "background", "1": "lesion", "2": "heart"},
        "training": [{"image": "./imagesTr/a_1.nii.gz", "label": "./labelsTr/a_1.nii.gz"}],
        "test": ["./imagesTs/b_1.nii.gz"],
    },
    "nnunet": {"channel_names": {"0": "CT"}, "labels": LABELS, "file_ending": ".nii.gz"},
}
FILES = {
    "decathlon": (),
    "nnunet": ("imagesTr/a_1_0000.nii.gz", "labelsTr/a_1.nii.gz", "imagesTs/b_1_0000.nii.gz"),
}
HOSTILE = [
    None,
    [],
    {},
    "x",
    "../x",
    1,
    -1,
    True,
    1e400,
    "9" * 5000,
    {"a": {}},
    [[]],
    [{"image": 1}],
    ["/etc/hostname"],
]


def write(root, name, description):
    root.mkdir(exist_ok=True)
    text = description if isinstance(description, str) else json.dumps(description)
    (root / "dataset.json").write_text(text)
    for path in FILES[name]:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).touch()
    return root


def rows_or_none(known, root):
    try:
        return known.rows(root)
    except FormatError as error:
        check(error)
        return None


def check(error):
    assert error.reason in REASONS
    assert "hostname" not in error.message


def test_every_layout_has_a_sample():
    assert set(GOOD) == set(NAMES)
    assert all(LAYOUTS.summary(name) for name in NAMES)


@every_layout
def test_a_good_folder_is_known_by_one_layout(name, tmp_path):
    root = write(tmp_path / "set", name, GOOD[name])
    assert [n for n, known in LAYOUTS if known.is_layout(root)] == [name]
    rows = LAYOUTS.get(name).rows(root)
    assert [r.path for r in rows] == sorted(r.path for r in rows)
    assert {(r.role, r.subject, r.partition) for r in rows} == {
        ("image", "a_1", ""),
        ("mask", "a_1", ""),
        ("image", "b_1", "test"),
    }
    assert {r.labels for r in rows if r.role == "mask"} == {((1, "lesion"), (2, "heart"))}
    assert {r.modality for r in rows if r.role == "image"} == {"CT"}


@every_layout
def test_other_folders_are_not_claimed(name, tmp_path):
    known = LAYOUTS.get(name)
    assert not known.is_layout(tmp_path / "nowhere")
    assert not known.is_layout(tmp_path)
    for text in ("", "{", "[]", "{}", "[" * 100_000, '{"training": 1}', '{"training": []}', "\x00"):
        assert not known.is_layout(write(tmp_path / "set", name, text))


@every_layout
def test_a_hostile_description_is_a_format_error_or_names_only_what_is_inside(name, tmp_path):
    known, seen = LAYOUTS.get(name), 0
    for key in GOOD[name]:
        for value in HOSTILE:
            root = write(tmp_path / "set", name, {**GOOD[name], key: value})
            assert known.is_layout(root) in {True, False}
            rows = rows_or_none(known, root)
            if rows is None:
                seen += 1
                continue
            assert all(not r.path.startswith("/") and ".." not in r.path.split("/") for r in rows)
            assert all(isinstance(v, int) and v > 0 for r in rows for v, _ in r.labels)
    assert seen > 0


@every_layout
def test_a_pipe_or_a_link_is_no_description(name, tmp_path):
    known, outside = LAYOUTS.get(name), write(tmp_path / "outside", name, GOOD[name])
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "dataset.json")
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "dataset.json").symlink_to(outside / "dataset.json")
    for folder in ("pipe", "link"):
        assert not known.is_layout(tmp_path / folder)
        with pytest.raises(FormatError):
            known.rows(tmp_path / folder)
