"""What file names tell: images, masks, and who drew them."""

import pytest

from isocenter.pipeline.config_tables import plain
from isocenter.pipeline.config_templates import groups_of, pairs_of


def test_masks_named_after_readers_are_masks_of_the_image_beside_them():
    paths = [f"{s}/{n}.nii.gz" for s in ("P1", "P2") for n in ("ct", "reader1", "reader2")]
    pairs = pairs_of(groups_of(paths))
    assert [(i.template, m.template, m.reader) for i, m in pairs] == [
        ("{subject}/ct.nii.gz", "{subject}/reader1.nii.gz", "reader1"),
        ("{subject}/ct.nii.gz", "{subject}/reader2.nii.gz", "reader2"),
    ]


@pytest.mark.parametrize("name", ["readers", "reader", "leader1", "reader123"])
def test_other_words_are_no_readers(name: str):
    groups = groups_of([f"{s}/{name}.nii.gz" for s in ("P1", "P2")])
    assert [g.reader for g in groups] == [""]


@pytest.mark.parametrize(("text", "key"), [("Läsion", "lasion"), ("GTV_Mass CT", "gtv-mass-ct"), ("Ø", "")])
def test_a_name_becomes_a_plain_key(text: str, key: str):
    assert plain(text) == key
