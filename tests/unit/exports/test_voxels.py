import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import StoreCorrupt
from isocenter.exports.target import CaseFile, Content
from isocenter.exports.voxels import Voxels
from tests.contracts import exported

VALUES = {"tumour": 1, "node": 2}
LABELS = ("tumour", "node")
EXCLUSIVE = ((("tumour",), 1), (("node",), 2))


def voxels(case, labels=LABELS):
    return Voxels(case, VALUES, labels)


@pytest.mark.parametrize("kind", [exported.plain, exported.nested])
def test_what_is_known_is_what_the_loader_takes_the_loss_of(kind, tmp_path):
    """Two ways to one answer; the loader also leaves out padding."""
    store = kind(tmp_path / "store")
    exported.divide(store.path, {f"subject-{n}": "train" for n in range(3)})
    dataset = iso.dataset(store, "train", framework="numpy", normalise="none")
    seen = set()
    for n in range(len(dataset)):
        sample = dataset[n]
        case = store[sample["case"]]
        mine, valid = voxels(case), np.asarray(case.valid)
        if case.mask.ndim == 4:
            for place, label in enumerate(LABELS):
                np.testing.assert_array_equal(mine.known(label) & valid, sample["loss_mask"][place])
        else:
            np.testing.assert_array_equal(mine.known() & valid, sample["loss_mask"])
        seen.add(mine.known().mean())
    assert len(seen) > 1


def test_a_label_map_has_the_values_that_are_asked_for():
    case = exported.case_of(0)
    values = ((("tumour",), 7), (("node",), 300))
    out = voxels(case).of(CaseFile(path="", content=Content.LABELS, values=values))
    assert out.dtype == np.uint16
    np.testing.assert_array_equal(out == 7, case.mask == 1)
    np.testing.assert_array_equal(out == 300, case.mask == 2)
    small = voxels(case).of(CaseFile(path="", content=Content.LABELS, values=EXCLUSIVE))
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small, case.mask)


def test_a_label_that_is_not_exported_is_background():
    case = exported.case_of(0)
    out = voxels(case, ("node",)).of(CaseFile(path="", content=Content.LABELS, values=((("node",), 1),)))
    np.testing.assert_array_equal(out, (case.mask == 2).astype(np.uint8))


def test_a_voxel_that_no_value_stands_for_is_an_error():
    case = exported.layered(exported.case_of(0))
    file = CaseFile(path="", content=Content.LABELS, values=((("tumour",), 1),))
    with pytest.raises(StoreCorrupt, match="case-0000"):
        voxels(case).of(file)
    plain = exported.case_of(0)
    plain.mask[0, 0, 0] = 9
    with pytest.raises(StoreCorrupt, match="case-0000"):
        voxels(plain).of(CaseFile(path="", content=Content.LABELS, values=EXCLUSIVE))


def test_labels_that_voxels_have_together():
    assert voxels(exported.layered(exported.case_of(0))).combinations() == {("tumour",), LABELS}
    assert voxels(exported.case_of(0)).combinations() == {("tumour",), ("node",)}
    assert voxels(exported.layered(exported.case_of(0)), ("node",)).combinations() == {("node",)}


def test_ct_beside_pet_is_whole_numbers_again_and_pet_stays_as_it_is(tmp_path):
    store = exported.two_channels(tmp_path / "store")
    case = store["case-0000"]
    assert case.image.dtype == np.float32
    ct, pet = (voxels(case).of(CaseFile(path="", content=Content.IMAGE, name=n)) for n in ("ct", "pet"))
    assert (ct.dtype, pet.dtype) == (np.int16, np.float32)
    np.testing.assert_array_equal(ct, np.asarray(case.image[0]))
    np.testing.assert_array_equal(pet, np.asarray(case.image[1]))


def test_what_a_rater_drew_and_how_sure_they_are():
    case = exported.case_of(0)
    drawn = voxels(case).of(CaseFile(path="", content=Content.RATER, name="b/Å"))
    np.testing.assert_array_equal(drawn, case.raters["b/Å"])
    share = voxels(case).of(CaseFile(path="", content=Content.SHARE, name="tumour"))
    np.testing.assert_array_equal(share, (case.mask == 1).astype(np.float32))
    layered = exported.layered(case)
    node = voxels(layered).of(CaseFile(path="", content=Content.RATER, name="a", label="node"))
    np.testing.assert_array_equal(node, layered.mask[1])
    np.testing.assert_array_equal(voxels(case).of(CaseFile(path="", content=Content.VALID)), case.valid)


@pytest.mark.parametrize("count", [8, 9, 40, 64])
def test_up_to_64_labels_may_overlap(count):
    case = exported.case_of(0)
    rng = np.random.default_rng(count)
    planes = (rng.random((count, 2, 3, 4)) < 0.3).astype(np.uint8)
    object.__setattr__(case, "mask", planes)
    object.__setattr__(
        case, "grid", exported.case_of(0, shape=(12, 40, 36)).grid.__class__((2, 3, 4), np.eye(4))
    )
    names = tuple(f"l{n}" for n in range(count))
    found = Voxels(case, {n: v for v, n in enumerate(names, 1)}, names).combinations()
    columns = planes.reshape(count, -1).T
    assert found == {tuple(n for n, x in zip(names, c, strict=True) if x) for c in columns if c.any()}
