"""The Python face on a simulated archive: read, index, split, audit, open, and a training batch."""

import nibabel
import numpy as np
import pytest
from torch.utils.data import DataLoader

import isocenter as iso
from isocenter.base.errors import ConfigError, FormatError, RejectedError
from isocenter.testing.simulate.truth import digest


def good(archive, kind):
    return next(
        c
        for c in archive.truth.cases
        if c.kind == kind and not c.faults and c.values_digest and c.modality == "CT"
    )


def test_a_folder_of_slices_is_one_volume(archive):
    case = good(archive, "ct-rtstruct")
    reading = iso.read((archive.folder / case.paths[0]).parent)
    volume = reading.volume
    assert (volume.unit, volume.modality, volume.array.dtype) == ("HU", "CT", np.int16)
    assert volume.array.shape == case.shape
    assert np.allclose(np.ravel(volume.grid.affine), case.affine, atol=1e-3)
    image = nibabel.as_closest_canonical(volume.to_nibabel())
    assert digest(np.asarray(image.dataobj).T.astype(np.int16)) == case.values_digest


@pytest.mark.parametrize("kind", ["nifti-masks", "nrrd-masks"])
def test_a_file_is_one_volume(archive, kind):
    case = next(
        c for c in archive.truth.cases if c.kind == kind and not c.faults and c.format in {"nifti", "nrrd"}
    )
    volume = iso.read(archive.folder / case.paths[0], modality="CT").volume
    assert volume.grid.shape == case.shape
    assert np.allclose(np.ravel(volume.grid.affine), case.affine, atol=1e-3)


def test_several_stacks_are_named_and_can_be_chosen(archive):
    cases = [
        c
        for c in archive.truth.cases
        if c.kind == "ct-rtstruct" and not c.faults and c.series_uid and c.modality == "CT"
    ][:2]
    folder = archive.folder / "site-a"
    reading = iso.read(folder)
    assert len(reading) >= 10
    with pytest.raises(RejectedError, match=r"\d+ stacks, not one: stk-"):
        _ = reading.volume
    for case in cases:
        volume = iso.read(folder, series=case.series_uid).volume
        assert np.allclose(np.ravel(volume.grid.affine), case.affine, atol=1e-3)
        again = iso.read(folder, series=volume.id).volume
        assert np.array_equal(again.array, volume.array)
    with pytest.raises(ConfigError, match="no such series"):
        iso.read(folder, series="1.2.3")
    # what is wrong with the others is told
    assert {"geometry/missing-slices", "content/localizer", "file/empty"} <= {i.rule for i in reading.issues}


def test_what_cannot_be_read_is_told(archive):
    (fault,) = (f for f in archive.truth.faults if f.name == "slice-missing")
    reading = iso.read((archive.folder / fault.paths[0]).parent)
    assert len(reading) == 0
    with pytest.raises(RejectedError, match="no volume could be read"):
        _ = reading.volume
    with pytest.raises(ConfigError, match="there is no file or folder"):
        iso.read(archive.folder / "nowhere")


def test_annotations_are_masks_on_their_image(archive):
    case = good(archive, "ct-rtstruct")
    volume = iso.read((archive.folder / case.paths[0]).parent).volume
    marks = [m for m in case.marks if m.voxels and m.label]
    assert marks
    for mark in marks:
        found = iso.read_annotations(archive.folder / mark.path, on=volume)
        (one,) = (a for a in found if a.concept == mark.name)
        mask = one.mask(volume.grid)
        assert (mask.dtype, mask.shape) == (np.bool_, volume.grid.shape)
        assert int(mask.sum()) == mark.voxels
        canonical = nibabel.as_closest_canonical(one.to_nibabel(volume.grid))
        assert digest(np.asarray(canonical.dataobj).T.astype(np.uint8)) == mark.digest


def test_a_vocabulary_chooses_and_renames(archive):
    case = good(archive, "ct-rtstruct")
    mark = next(m for m in case.marks if m.label == "lesion" and m.voxels)
    words = {"tumour": _label(mark.name)}
    (one,) = iso.read_annotations(archive.folder / mark.path, vocabulary=words)
    assert one.concept == "tumour"


def _label(name):
    from isocenter.model.task import Label

    return Label(value=1, aliases=(name,))


def test_a_mask_that_does_not_fit_is_refused(archive):
    (fault,) = (f for f in archive.truth.faults if f.name == "mask-on-other-grid")
    image, mask = sorted(fault.paths)
    volume = iso.read(archive.folder / image, modality="CT").volume
    assert iso.read_annotations(archive.folder / mask)
    with pytest.raises(FormatError, match="another grid"):
        iso.read_annotations(archive.folder / mask, on=volume)


def test_an_index_says_what_there_is(archive, segmented):
    found = iso.index(archive.folder / "site-a", site="site-a", jobs=2)
    assert found.counts["files"] == sum(f.source == 0 for f in segmented.ledger.files.values())
    assert found.counts["stacks"] == len(found.stacks) == sum(s.source == 0 for s in segmented.ledger.stacks)
    assert {s.site for s in found.series} == {"site-a"}
    assert found.instances.num_rows > 100
    assert "index/conflicting-object" in {i.rule for i in found.issues}


def test_an_index_is_kept_where_one_is_asked_for(archive, tmp_path):
    first = iso.index(archive.folder / "nodules", workspace=tmp_path / "work", jobs=1)
    again = iso.index(archive.folder / "nodules", workspace=tmp_path / "work", jobs=1)
    assert (first.counts["scanned"], again.counts["scanned"]) == (first.counts["files"], 0)
    assert again.stacks == first.stacks


def test_a_workspace_is_split_and_audited(segmented):
    split = iso.split(segmented.root, strategy="grouped", fractions={"train": 0.5, "test": 0.5}, seed=3)
    subjects = {c.subject for c in segmented.ledger.cases.values() if c.verdict != "reject"}
    assert {r.subject for r in split.rows} == subjects
    assert {r.partition for r in split.rows} == {"train", "test"}
    assert iso.audit(split).passed
    audit = iso.audit(segmented.root)
    assert audit.passed
    assert len(audit.table) > 0


def test_a_store_is_read_and_a_batch_is_drawn(segmented):
    store = iso.open(segmented.run.store, verify="read")
    sizes = {}
    for partition in ("train", "val", "test"):
        data = iso.dataset(store, partition, patch=(8, 24, 24), sampler="label", review="include", seed=1)
        sizes[partition] = len(data)
        if partition == "train":
            batch = next(iter(DataLoader(data, batch_size=3, collate_fn=data.collate, num_workers=0)))
            assert batch["image"].shape == (3, 1, 8, 24, 24)
            assert batch["mask"].shape[-3:] == (8, 24, 24)
            assert 0 <= float(batch["image"].min()) <= float(batch["image"].max()) <= 1
    rows = {r.partition: r for r in store.split("default").rows}
    assert rows.keys() == {"train", "val", "test"}
    assert sum(sizes.values()) == len(store)


def test_classes_and_boxes_are_batched_too(classified, detected):
    for done, part in ((classified, "train"), (detected, "train")):
        data = iso.dataset(done.run.store, part, review="include", framework="numpy")
        sample = data[0]
        assert sample["image"].ndim == 4
        assert sample["case"] in iso.open(done.run.store)
