import csv

import nibabel
import numpy as np

from isocenter.exports.export import export
from tests.contracts import exported


def made(store, out):
    done = export(store, to="nifti", out=out, jobs=1)
    return done, list(csv.DictReader((out / "files.csv").read_text().splitlines()))


def read(path):
    return np.asarray(nibabel.load(path).dataobj).T


def test_masks_keep_the_values_of_the_store_and_raters_their_names(tmp_path):
    store = exported.plain(tmp_path / "store")
    _, files = made(store, tmp_path / "out")
    case = store["case-0000"]
    own = {
        (f["content"], f["name"]): tmp_path / "out" / f["path"] for f in files if f["case"].endswith("0000")
    }
    np.testing.assert_array_equal(read(own["labels", ""]), np.asarray(case.mask))
    np.testing.assert_array_equal(read(own["rater", "b/Å"]), np.asarray(case.raters["b/Å"]))
    np.testing.assert_array_equal(read(own["valid", ""]), np.asarray(case.valid))
    np.testing.assert_array_equal(
        read(own["share", "tumour"]), (np.asarray(case.mask) == 1).astype(np.float32)
    )
    assert own["image", "ct"].parent == tmp_path / "out/subject-0/case-0000"


def test_where_a_label_is_known_has_a_file_of_its_own(tmp_path):
    store = exported.plain(tmp_path / "store")
    _, files = made(store, tmp_path / "out")
    found = {f["case"][-4:]: f for f in files if f["content"] == "known"}
    assert {n: f["name"] for n, f in found.items()} == {"0003": "node", "0004": "tumour"}
    case = store["case-0003"]
    known = np.asarray(case.known["node"]) | (np.asarray(case.mask) == 2)
    np.testing.assert_array_equal(read(tmp_path / "out" / found["0003"]["path"]), known)
    assert not read(tmp_path / "out" / found["0004"]["path"]).any()


def test_a_channel_that_a_case_lacks_has_no_file(tmp_path):
    done, files = made(exported.two_channels(tmp_path / "store"), tmp_path / "out")
    images = [(f["case"][-4:], f["name"]) for f in files if f["content"] == "image"]
    assert ("0002", "pet") in images
    assert ("0003", "pet") not in images
    assert any("lack a channel" in n for n in done.notes)


def test_labels_that_overlap_have_a_file_each(tmp_path):
    store = exported.nested(tmp_path / "store")
    _, files = made(store, tmp_path / "out")
    own = {f["name"]: f["path"] for f in files if f["case"].endswith("0000") and f["content"] == "label"}
    for place, name in enumerate(("tumour", "node")):
        np.testing.assert_array_equal(
            read(tmp_path / "out" / own[name]), np.asarray(store["case-0000"].mask[place])
        )
