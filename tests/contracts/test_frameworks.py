"""Every training framework keeps the contract of `isocenter.loading.framework`."""

import pickle
from importlib.util import find_spec

import numpy as np
import pytest

from isocenter.base.errors import ConfigError, MissingExtra, StoreCorrupt
from isocenter.loading.dataset import dataset
from isocenter.loading.framework import FRAMEWORKS
from isocenter.loading.samples import Samples
from isocenter.loading.skips import Skip
from isocenter.loading.turned import PLACES, VOLUMES
from isocenter.model.task import Task
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

# Their arrays are (C, I, J, K).
TURNED = {"monai", "torchio"}
NEVER_IN = {"torchio": {"affine", "boxes", "boxes_voxel", "box_labels", "box_shares", "box_numbers"}}
PATCH = (4, 8, 10)


def installed(name):
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed here; scripts/proof 8 tests it in an environment of its own")
    return name


@pytest.fixture(params=FRAMEWORKS.names())
def framework(request):
    return installed(request.param)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    cases = [make_case(n, channels=("ct", "pet")) for n in range(4)]
    return Store(build(tmp_path_factory.mktemp("frameworks") / "store", cases))


@pytest.fixture
def data(store, framework):
    return dataset(store, "train", patch=PATCH, per_case=3, framework=framework)


def house(name, value):
    """What a sample of ours holds of one that is turned."""
    if name in VOLUMES:
        return np.transpose(value, (0, 3, 2, 1))
    if name == "boxes_voxel":
        return np.stack([value[:, c] for c in (2, 1, 0, 5, 4, 3)], axis=1)
    return value[::-1] if name in PLACES else value


def same(framework, sample, expected):
    """Every name and every value, in the axes that the framework has."""
    assert sample.keys() == expected.keys() - NEVER_IN.get(framework, set())
    for name in sample:
        value, true = sample[name], expected[name]
        value = getattr(value, "tensor", value)  # of an image of TorchIO
        if not isinstance(true, np.ndarray):
            assert value == true
            continue
        found = np.asarray(value)
        if framework in TURNED:
            true = true[None] if name in VOLUMES and true.ndim == 3 else true
            found = house(name, found)
        np.testing.assert_array_equal(found, true, err_msg=name)
        assert found.dtype == true.dtype or (framework == "torchio" and true.dtype == np.bool_)


def test_it_gives_the_samples_by_number(framework, data):
    assert len(data) == 6
    for index in range(6):
        same(framework, data[index], data.samples.sample(index))
    with pytest.raises(IndexError):
        data[6]


def test_an_epoch_changes_what_is_drawn(framework, data):
    data.set_epoch(5)
    same(framework, data[2], data.samples.sample(2, epoch=5))
    assert not np.array_equal(data.samples.sample(2)["start"], data.samples.sample(2, epoch=5)["start"])


def test_the_order_of_an_epoch_is_that_of_its_samples(framework, data):
    for epoch in (0, 4):
        data.set_epoch(epoch)
        assert data.epoch == epoch
        whole = list(data.order())
        assert whole == list(data.samples.indices(epoch))
        assert list(data.order(shuffle=False)) == list(range(6))
        ranks = [list(data.order(rank=r, world=2, skip=2)) for r in (0, 1)]
        assert [n for pair in zip(*ranks, strict=True) for n in pair] == whole[2:]
    order = data.order(skip=3)
    assert len(order) == 3
    for epoch, skipped in ((5, 3), (6, 0)):  # what is skipped is of the epoch that is begun first
        order.set_epoch(epoch)
        assert list(order) == list(data.samples.indices(epoch))[skipped:]


def test_what_was_skipped_is_told(framework, store, monkeypatch):
    make = Samples._make

    def broken(self, case, index, epoch):
        if index == 4:
            raise StoreCorrupt("broken")
        return make(self, case, index, epoch)

    monkeypatch.setattr(Samples, "_make", broken)
    data = dataset(store, "train", patch=PATCH, per_case=3, errors="skip", framework=framework)
    assert data[3]["instead_of"] == -1
    assert data.skipped == ()
    data.set_epoch(2)
    assert data[4]["instead_of"] == 4
    case = data.samples.selection.ids[1]
    assert data.skipped == (Skip(epoch=2, index=4, case=case, reason="broken"),)


def test_it_can_be_sent_to_another_process(framework, data):
    data.set_epoch(3)
    same(framework, pickle.loads(pickle.dumps(data))[1], data.samples.sample(1, epoch=3))


def test_whole_volumes_of_any_framework_are_equal(store, framework):
    data = dataset(store, "val", normalise="none", framework=framework)
    for index in range(2):
        same(framework, data[index], data.samples.sample(index))


def test_what_a_sample_may_hold_is_known_to_turning(store):
    """A name that counts voxels and is not among these would be handed on in the wrong order."""
    names = set(dataset(store, "train", patch=4, framework="numpy")[0])
    plain = {
        "affine", "labels", "boxes", "box_labels", "box_shares", "box_numbers", "present", "case", "subject",
        "sampler", "augmentation", "instead_of",
    }  # fmt: skip
    assert names <= VOLUMES | PLACES | plain


def test_a_framework_that_is_not_installed_names_its_extra():
    for name in set(FRAMEWORKS.names()) - {"numpy"}:
        if find_spec(name) is None:
            with pytest.raises(MissingExtra, match=rf"isocenter\[{name}\]"):
                FRAMEWORKS.get(name)


def millimetres(case, k, j, i):
    return (case.grid.affine @ [i, j, k, 1])[:3]


def test_a_metatensor_knows_where_it_lies(store):
    installed("monai")
    from monai.data import MetaTensor

    data = dataset(store, "train", patch=PATCH, framework="monai")
    sample = data[1]
    case = store[sample["case"]]
    assert sample["image"].shape == (2, 10, 8, 4)
    for name in VOLUMES & sample.keys():
        volume = sample[name]
        assert isinstance(volume, MetaTensor)
        i, j, k = (int(n) for n in sample["start"])
        corner = np.asarray(volume.affine) @ [0, 0, 0, 1]
        np.testing.assert_allclose(corner[:3], millimetres(case, k, j, i))
        assert volume.meta["filename_or_obj"] == sample["case"]
        assert volume.meta["space"] == "RAS"
    i, j, k = (int(n) for n in sample["start"])
    assert sample["mask"][0, 3, 2, 1] == np.asarray(case.mask)[k + 1, j + 2, i + 3]
    assert sample["image"].as_tensor().untyped_storage().nbytes() == sample["image"].numel() * 4


def test_monai_transforms_move_the_affine_and_the_mask_with_the_image(store):
    installed("monai")
    from monai.transforms import Compose, CropForegroundd, Flipd, Spacingd

    data = dataset(store, "train", normalise="none", framework="monai")
    sample, case = data[0], store[data[0]["case"]]
    chain = Compose(
        [
            Flipd(["image", "mask"], spatial_axis=0),
            CropForegroundd(["image", "mask"], source_key="mask", allow_smaller=False),
        ]
    )
    done = chain(dict(sample))
    voxel = np.argwhere(np.asarray(done["mask"])[0] == 2)[0]
    where = np.asarray(done["mask"].affine) @ [*voxel, 1]
    i, j, k = np.rint(np.linalg.inv(case.grid.affine) @ where)[:3].astype(int)
    assert np.asarray(case.mask)[k, j, i] == 2
    assert float(done["image"][0, *voxel]) == np.asarray(case.image)[0, k, j, i]
    spaced = Spacingd(["image", "mask"], pixdim=(1.8, 1.6, 2.5), mode=("bilinear", "nearest"))(dict(sample))
    assert spaced["image"].shape[1:] == (18, 20, 12)  # as many as cover the same millimetres


def test_monai_takes_a_batch_apart_again(store):
    installed("monai")
    from monai.data import Dataset, decollate_batch
    from torch.utils.data import DataLoader

    data = dataset(store, "train", patch=PATCH, per_case=2, framework="monai")
    loader = DataLoader(Dataset(data), batch_size=3, collate_fn=data.collate, num_workers=2)
    batches = list(loader)
    assert [len(b["case"]) for b in batches] == [3, 1]
    parts = decollate_batch({n: batches[0][n] for n in ("image", "mask")})
    for index, part in enumerate(parts):
        np.testing.assert_array_equal(part["image"], data[index]["image"])
        np.testing.assert_allclose(part["image"].affine, data[index]["affine"])
    assert len(batches[0]["boxes"]) == 3


def test_what_monai_saves_lies_where_the_patch_was(store, tmp_path):
    """Read again by nibabel: the name, the affine and every voxel."""
    installed("monai")
    import nibabel
    from monai.transforms import SaveImage

    sample = dataset(store, "train", patch=PATCH, normalise="none", framework="monai")[1]
    SaveImage(tmp_path, output_postfix="", separate_folder=False, print_log=False)(sample["image"][:1])
    file = nibabel.load(tmp_path / f"{sample['case']}.nii.gz")
    case = store[sample["case"]]
    found = np.asarray(file.dataobj)
    for i, j, k in ((0, 0, 0), (9, 0, 3), (4, 7, 1)):
        where = file.affine @ [i, j, k, 1]
        at = np.rint(np.linalg.inv(case.grid.affine) @ where)[:3].astype(int)
        assert found[i, j, k] == np.asarray(case.image)[0, at[2], at[1], at[0]]


def test_a_torchio_subject_is_read_when_it_is_looked_at(store, monkeypatch):
    installed("torchio")
    data = dataset(store, "train", normalise="none", framework="torchio")
    read, plain = [], type(data.samples).sample
    monkeypatch.setattr(
        type(data.samples),
        "sample",
        lambda self, index, epoch=0: read.append(index) or plain(self, index, epoch),
    )
    subjects = list(data.dry_iter())
    assert [s["case"] for s in subjects] == [data.samples.sample(n)["case"] for n in range(len(data))]
    read.clear()
    assert repr(subjects[1]).startswith("Subject")
    assert read == []
    case = store[subjects[1]["case"]]
    expected = np.asarray(case.mask).T[None]
    np.testing.assert_array_equal(subjects[1].mask.data, expected)
    np.testing.assert_array_equal(subjects[1].image.data, np.asarray(case.image).transpose(0, 3, 2, 1))
    np.testing.assert_array_equal(subjects[1].image.affine, case.grid.affine)
    assert read == [1]  # one reading for all images of a subject


def test_a_torchio_subject_that_is_copied_still_reads(store):
    installed("torchio")
    import copy

    data = dataset(store, "train", framework="torchio")
    data.load_getitem = False
    subject = data[0]
    other = copy.deepcopy(subject)
    np.testing.assert_array_equal(other.image.data, subject.image.data)
    np.testing.assert_array_equal(copy.deepcopy(other).mask.data, subject.mask.data)


def test_torchio_queue_and_loader_take_it(store):
    installed("torchio")
    import torchio

    data = dataset(store, "train", framework="torchio")
    sampler = torchio.LabelSampler((8, 8, 2), "mask", {2: 1})
    queue = torchio.Queue(data, 8, 4, sampler, num_workers=0)
    batches = list(torchio.SubjectsLoader(queue, batch_size=4))
    assert sum(len(b["image"]["data"]) for b in batches) == 8
    for batch in batches:
        assert (
            batch["mask"]["data"][:, 0, 4, 4, 1] == 2
        ).all()  # the middle of a patch is what it is centred on


def test_torchio_workers_read_and_see_the_next_epoch(store):
    installed("torchio")
    import torchio

    data = dataset(store, "train", patch=PATCH, per_case=3, framework="torchio")
    loader = torchio.SubjectsLoader(data, batch_size=2, num_workers=2, persistent_workers=True)
    for epoch in range(2):
        data.set_epoch(epoch)
        starts = np.concatenate([b["start"] for b in loader])
        expected = [data.samples.sample(n, epoch)["start"][::-1] for n in range(len(data))]
        np.testing.assert_array_equal(starts, expected)


def test_a_torchio_grid_names_the_right_cases_and_places(store, monkeypatch):
    installed("torchio")
    data = dataset(store, "train", patch=(8, 24, 24), sampler="grid", framework="torchio")
    expected = [data.samples.sample(n) for n in range(len(data))]
    read, plain = [], Samples.sample
    monkeypatch.setattr(
        Samples, "sample", lambda self, index, epoch=0: read.append(index) or plain(self, index, epoch)
    )
    subjects = list(data.dry_iter())
    assert len(subjects) == len(data) > 2
    assert [s["case"] for s in subjects] == [e["case"] for e in expected]
    assert read == []
    for subject, true in zip(subjects, expected, strict=True):
        for name in ("image", "mask"):
            stored = true[name] if true[name].ndim == 4 else true[name][None]
            np.testing.assert_array_equal(house(name, subject[name].numpy()), stored)
        np.testing.assert_array_equal(subject.image.affine, true["affine"])
    assert read == list(range(len(data)))
    for n, true in enumerate(expected):
        same("torchio", data[n], true)


def test_torchio_subjects_come_in_the_order_of_an_epoch(store):
    installed("torchio")
    import torchio

    data = dataset(store, "train", patch=PATCH, per_case=3, framework="torchio")
    loader = torchio.SubjectsLoader(data, batch_size=2, num_workers=2, sampler=data.order())
    for epoch in range(2):
        data.set_epoch(epoch)
        starts = np.concatenate([b["start"] for b in loader])
        expected = [data.samples.sample(n, epoch)["start"][::-1] for n in data.samples.indices(epoch)]
        np.testing.assert_array_equal(starts, expected)


def test_torchio_transforms_move_mask_and_affine_with_the_image(store):
    installed("torchio")
    import torchio

    data = dataset(store, "train", normalise="none", framework="torchio")
    data.set_transform(torchio.Compose([torchio.Flip(axes=(0,)), torchio.Crop((2, 1, 3, 0, 1, 0))]))
    done = data[0]
    case = store[done["case"]]
    for name, stored in (("image", case.image), ("mask", np.asarray(case.mask)[None])):
        turned_over = np.asarray(stored).transpose(0, 3, 2, 1)[:, ::-1]
        np.testing.assert_array_equal(done[name].data, turned_over[:, 2:-1, 3:, 1:])
        np.testing.assert_allclose(
            done[name].affine[:3, 3], millimetres(case, 1, 3, 2)
        )  # TorchIO leaves it as it is


def test_torchio_refuses_what_it_would_leave_behind(tmp_path):
    installed("torchio")
    packed = Store(build(tmp_path / "store", [make_case(n) for n in range(4)], task=Task.DETECTION))
    with pytest.raises(ConfigError, match="no boxes"):
        dataset(packed, "train", patch=4, framework="torchio")


@pytest.mark.parametrize("threads", [1, 4])
def test_a_tensorflow_dataset_has_signatures_and_the_same_samples(store, threads):
    tf = pytest.importorskip("tensorflow")
    data = dataset(store, "train", patch=PATCH, per_case=6, framework="tensorflow")
    stream = data.as_dataset(threads)
    spec = stream.element_spec
    assert spec["image"] == tf.TensorSpec((2, *PATCH), tf.float32)
    assert spec["mask"] == tf.TensorSpec(PATCH, tf.uint8)
    assert spec["boxes"] == tf.TensorSpec((None, 6), tf.float64)
    assert spec["case"] == tf.TensorSpec((), tf.string)
    for epoch in range(3):
        data.set_epoch(epoch)
        samples = list(stream.as_numpy_iterator())
        assert len(samples) == len(data)
        for index, found in enumerate(samples):
            expected = data.samples.sample(index, epoch)
            assert found.keys() == expected.keys() - {"augmentation"}
            assert found.pop("case").decode() == expected["case"]
            for name in set(found) - {"subject", "sampler"}:
                np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_a_tensorflow_dataset_of_whole_volumes_leaves_their_size_open(store):
    tf = pytest.importorskip("tensorflow")
    stream = dataset(store, "train", framework="tensorflow").as_dataset()
    assert stream.element_spec["image"] == tf.TensorSpec((2, None, None, None), tf.float32)
    batch = next(iter(stream.padded_batch(2)))
    assert batch["image"].shape == (2, 2, 12, 40, 36)
    assert batch["boxes"].shape == (2, 1, 6)


def test_jax_arrays_keep_what_jax_would_cut(store):
    jax = pytest.importorskip("jax")
    data = dataset(store, "train", patch=PATCH, framework="jax")
    sample = data[0]
    assert isinstance(sample["image"], jax.Array)
    assert isinstance(sample["mask"], jax.Array)
    assert sample["affine"].dtype == np.float64
    mean = jax.jit(lambda image, mask: (image * (mask == 1)).sum())(sample["image"], sample["mask"])
    plain = data.samples.sample(0)
    assert float(mean) == pytest.approx((plain["image"] * (plain["mask"] == 1)).sum(), rel=1e-4, abs=1e-4)


def test_grain_batches_and_shuffles_it(store):
    grain = pytest.importorskip("grain")
    data = dataset(store, "train", patch=PATCH, per_case=4, framework="numpy")
    chosen = ("image", "mask", "start")
    source = grain.MapDataset.source(data).map(lambda s: {n: s[n] for n in chosen})
    batches = list(source.shuffle(seed=1).batch(4))
    assert [b["image"].shape for b in batches] == [(4, 2, *PATCH)] * 2
    found = {tuple(start) for b in batches for start in b["start"].tolist()}
    assert found == {tuple(data[n]["start"].tolist()) for n in range(8)}
