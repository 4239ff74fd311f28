import json

import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.label_table import read_label_table

SNAP = """\
################################################
# ITK-SnAP Label Description File
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "Left lung"
    3     0  255    0      0.5  1  1    "Heart"
"""
SLICER = """\
# Color table file
# 4 values
0 background 0 0 0 0
1 Left_lung 255 0 0 255
3 "Heart" 0 255 0 255
"""
FREESURFER = """\
#$Id: FreeSurferColorLUT.txt
#No. Label Name:                            R   G   B   A
0   Unknown                                 0   0   0   0
1   Left-Lung                               70  130 180 0
3   Heart                                   245 245 245 0
"""


def read(tmp_path, text, name="labels.txt"):
    path = tmp_path / name
    path.write_text(text)
    return {p.key: p.name for p in read_label_table(path)}


@pytest.mark.parametrize(
    ("text", "name", "lung"),
    [
        (SNAP, "a.txt", "Left lung"),
        (SLICER, "a.ctbl", "Left_lung"),
        (FREESURFER, "a.txt", "Left-Lung"),
        ("index\tname\tmapping\n0\tnone\t\n1\tLeft lung\t\n3\tHeart\t\n", "x_dseg.tsv", "Left lung"),
        ("id,label\n1,Left lung\n3,Heart\n", "a.csv", "Left lung"),
        ("label;structure\n1;Left lung\n3;Heart\n", "a.csv", "Left lung"),
        ("1 = Left lung\n3: Heart\n", "a.txt", "Left lung"),
        (json.dumps({"1": "Left lung", "3": "Heart"}), "a.json", "Left lung"),
        (json.dumps({"labels": {"background": 0, "Left lung": 1, "Heart": 3}}), "dataset.json", "Left lung"),
        (json.dumps([{"id": 1, "name": "Left lung"}, {"id": 3, "name": "Heart"}]), "a.json", "Left lung"),
        (json.dumps({"1": {"name": "Left lung"}, "3": {"name": "Heart"}}), "a.json", "Left lung"),
    ],
)
def test_values_have_the_names_that_other_programs_gave_them(text, name, lung, tmp_path):
    assert read(tmp_path, text, name) == {1: lung, 3: "Heart"}


def test_a_table_can_give_codes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("value,name,code\n1,Liver,SCT:10200004\n")
    [part] = read_label_table(path)
    assert part.code == "SCT:10200004"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing here\n",
        "1 liver\n1 spleen\n",
        "index\tname\n1.5\tliver\n",
        "index\tname\n-1\tliver\n",
        "0 background\n",
        "99999999999 liver\n",
        json.dumps({"a": "b"}),
        json.dumps({"regions": [1, 2]}),
        json.dumps([1, 2]),
        '{"1": "liver"',
    ],
)
def test_what_is_no_label_table_is_refused(text, tmp_path):
    with pytest.raises(FormatError):
        read(tmp_path, text)
