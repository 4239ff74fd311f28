"""Looking into the files of a foreign data set: slices of a series, pictures, links, and what is no image."""

import imagecodecs
import nibabel as nib
import numpy as np
import pytest

from isocenter.base.errors import ConfigError
from isocenter.base.progress import silent
from isocenter.base.seeds import stream
from isocenter.pipeline.audit import audit
from isocenter.pipeline.foreign import ForeignImage
from isocenter.pipeline.foreign_images import look, told
from tests.unit.pipeline.dicom_series import write_series


def image(path, subject="p", **more):
    return ForeignImage(id=path.name, subject=subject, path=path, **more)


def picture(path, seed):
    plane = stream(seed, "picture").integers(0, 255, (40, 50)).astype(np.uint8)
    path.write_bytes(imagecodecs.png_encode(plane))
    return path


@pytest.fixture
def slices(tmp_path):
    write_series(tmp_path / "series", [0.0, 3.0, 6.0, 9.0, 12.0])
    return sorted(p for p in (tmp_path / "series").rglob("*") if p.is_file())


def test_slices_of_a_series_are_of_one_volume_and_one_study(slices):
    found = look([image(p) for p in slices], jobs=1, progress=silent)
    assert len({s.volume for s in found.seen.values()}) == 1
    assert len({s.study for s in found.seen.values()}) == 1
    assert "" not in {s.volume for s in found.seen.values()}
    assert len(found.descriptors) == 1  # read once
    assert not found.failed


def test_a_table_of_slices_that_divides_a_volume_fails(slices, tmp_path):
    lines = [
        f"series/{p.relative_to(tmp_path / 'series')},{'pq'[n % 2]},{('train', 'test')[n % 2]}"
        for n, p in enumerate(slices)
    ]
    table = tmp_path / "split.csv"
    table.write_text("\n".join(["path,subject,partition", *lines]))
    found = audit(table, jobs=1)
    rules = {i.rule for i in found.issues if i.severity == "reject"}
    assert {"split/slices-of-one-volume", "split/study-in-two-partitions"} <= rules


def test_a_folder_is_the_series_in_it(slices, tmp_path):
    found = look([image(tmp_path / "series")], jobs=1, progress=silent)
    assert set(found.descriptors) == {"series"}
    assert found.seen["series"].digest


def test_pictures_are_compared_by_their_pixels(tmp_path):
    paths = [picture(tmp_path / f"{n}.png", n % 2) for n in range(3)]
    found = look([image(p) for p in paths], jobs=1, progress=silent)
    digests = [found.seen[p.name].digest for p in paths]
    assert digests[0] == digests[2] != digests[1]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    target = picture(tmp_path / "real" / "a.png", 1)
    link = tmp_path / "b.png"
    link.symlink_to(target)
    assert not look([image(link), image(target)], jobs=1, progress=silent).failed


def test_what_is_no_image_is_told_by_its_reason(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n rest")
    found = look([image(tmp_path / n) for n in ("a.txt", "b.png", "c.nii")], jobs=1, progress=silent)
    assert found.failed == {"a.txt": "file/not-an-image", "b.png": "file/corrupt", "c.nii": "file/not-there"}
    assert told(found.failed.values()) == "file/corrupt: 1, file/not-an-image: 1, file/not-there: 1"


def test_images_all_over_the_disk_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.path.commonpath", lambda _: tmp_path.anchor)
    with pytest.raises(ConfigError, match="no folder in common"):
        look([image(picture(tmp_path / "a.png", 1))], jobs=1, progress=silent)


def volume(path, seed, values=None):
    made = stream(seed, "volume").normal(size=(24, 24, 24)).astype(np.float32) if values is None else values
    nib.save(nib.Nifti1Image(made, np.eye(4)), path)
    return path


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "\udcff", "circle"])
def test_a_path_that_leads_nowhere_is_told(tmp_path, name):
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    good = picture(tmp_path / "a.png", 1)
    found = look([image(tmp_path / name), image(good, mask=tmp_path / name)], jobs=1, progress=silent)
    assert found.failed == {name: "file/not-there"}
    assert found.seen["a.png"].digest


def test_a_mask_with_no_number_in_it_still_tells_its_labels(tmp_path):
    values = np.zeros((8, 8, 8), np.float32)
    values[1:3], values[4], values[5] = 1, np.nan, np.inf
    mask = volume(tmp_path / "mask.nii", 0, values)
    found = look(
        [image(volume(tmp_path / "a.nii", 1), mask=mask, values=((1, "x"),))], jobs=1, progress=silent
    )
    assert found.seen["a.nii"].labels == ("x",)
    assert (found.failed, found.failed_masks) == ({}, {})


def test_a_mask_that_fails_is_no_image_that_fails(tmp_path):
    paths = [volume(tmp_path / f"{n}.nii", n) for n in range(2)]
    (tmp_path / "mask.nii").write_bytes(b"nothing")
    masks = (tmp_path / "mask.nii", tmp_path / "gone.nii")
    found = look([image(p, mask=m) for p, m in zip(paths, masks, strict=True)], jobs=1, progress=silent)
    assert found.failed == {}
    assert found.failed_masks == {"0.nii": "file/not-an-image", "1.nii": "file/not-there"}


def test_folders_hold_what_is_below_them(tmp_path):
    for n, name in enumerate(("a/deep/1", "a/2", "b/3")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        volume(tmp_path / f"{name}.nii", n)
    found = look([image(tmp_path / n) for n in ("a", "b", "a/deep")], jobs=1, progress=silent)
    assert sorted(found.image_of.values()) == ["a", "a", "b", "deep"]


def test_copies_are_found_whatever_their_files_are_called(tmp_path):
    (tmp_path / "many#1").mkdir()
    for name, seed in (("a#1", 1), ("b#1", 1), ("c#1", 2), ("many#1/x", 3), ("many#1/y", 2)):
        volume(tmp_path / f"{name}.nii", seed)
    table = tmp_path / "split.csv"
    table.write_text(
        "path,subject,partition\na#1.nii,p,train\nb#1.nii,q,test\nc#1.nii,r,train\nmany#1,s,test\n"
    )
    found = audit(table, jobs=1)
    assert {(p.a, p.b) for p in found.pairs} == {("a#1.nii", "b#1.nii"), ("c#1.nii", "many#1")}
    assert not found.passed
