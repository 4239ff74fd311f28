from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.base.errors import ConfigError
from isocenter.loading.aggregate import Aggregator
from isocenter.loading.dataset import dataset
from isocenter.loading.sampler import Grid, counts_on_grid, place_on_grid
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case


class Volumes:
    """Stands for the samples of one case."""

    def __init__(self, shape, patch, overlap):
        self.sampler, self.patch, self._shape = Grid(overlap=overlap), patch, shape
        self.selection, self.is_turned = self, False
        self.columns = {"ids": np.array([b"a"])}

    def shape_of(self, case):
        return self._shape

    def size_in(self, shape):
        return tuple(p or n for p, n in zip(self.patch, shape, strict=True))

    def patches(self, volume):
        """Every patch of the grid, cut out of the volume as padded."""
        size = self.size_in(self._shape)
        counts = counts_on_grid(np.array([self._shape]), size, self.sampler.overlap)[0]
        padded = np.pad(volume, ((0, 0), *[(30, 30)] * 3), constant_values=-99)
        for number in range(int(counts.prod())):
            start = place_on_grid(number, counts, self._shape, size, self.sampler.overlap)
            where = tuple(slice(s + 30, s + 30 + n) for s, n in zip(start, size, strict=True))
            yield start, padded[(slice(None), *where)]


@settings(max_examples=80, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 20)] * 3),
    patch=st.tuples(*[st.one_of(st.none(), st.integers(1, 16))] * 3).filter(any),
    mode=st.sampled_from(["average", "crop"]),
    data=st.data(),
)
def test_what_was_cut_up_comes_together_to_the_bit(shape, patch, mode, data):
    overlap = tuple(data.draw(st.integers(0, (p or n) - 1)) for p, n in zip(patch, shape, strict=True))
    volumes = Volumes(shape, patch, overlap)
    volume = np.random.default_rng(1).normal(size=(2, *shape)).astype(np.float32)
    aggregator = Aggregator(volumes, mode=mode)
    made = [aggregator.put("a", start, part) for start, part in volumes.patches(volume)]
    assert all(m is None for m in made[:-1])
    assert made[-1].dtype == np.float32
    np.testing.assert_array_equal(made[-1], volume)
    assert aggregator.unfinished == ()


def plain_average(volumes, shape, say):
    total, count = np.zeros((1, *shape)), np.zeros(shape)
    for number, (start, part) in enumerate(volumes.patches(np.zeros((1, *shape)))):
        low = [max(s, 0) for s in start]
        high = [min(s + n, e) for s, n, e in zip(start, part.shape[1:], shape, strict=True)]
        where = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        total[(slice(None), *where)] += say(number)
        count[where] += 1
    return total / count


def test_where_patches_overlap_what_they_say_is_averaged():
    volumes = Volumes((9, 10, 11), (4, 12, 5), (2, 0, 1))
    aggregator = Aggregator(volumes)
    parts = [(start, np.full_like(part, n * n)) for n, (start, part) in enumerate(volumes.patches(np.zeros((1, 9, 10, 11))))]  # fmt: skip
    whole = [aggregator.put("a", *p) for p in parts][-1]
    np.testing.assert_allclose(whole, plain_average(volumes, (9, 10, 11), lambda n: n * n), rtol=1e-6)


def test_cropping_takes_each_voxel_from_the_patch_it_lies_deepest_in():
    volumes = Volumes((1, 1, 20), (1, 1, 8), (0, 0, 4))
    parts = list(volumes.patches(np.zeros((1, 1, 1, 20))))
    assert [start[2] for start, _ in parts] == [0, 4, 8, 12]
    aggregator = Aggregator(volumes, mode="crop", dtype=np.uint8)
    whole = [aggregator.put("a", s, np.full_like(p, n)) for n, (s, p) in enumerate(parts)][-1]
    assert whole[0, 0, 0].tolist() == [0] * 6 + [1] * 4 + [2] * 4 + [3] * 6


def test_only_planes_that_a_patch_may_reach_are_held():
    volumes = Volumes((400, 6, 6), (8, 6, 6), (4, 0, 0))
    aggregator = Aggregator(volumes, reduce=lambda planes: planes.argmax(axis=0).astype(np.uint8))
    volume = np.random.default_rng(2).normal(size=(3, 400, 6, 6)).astype(np.float32)
    most = 0
    for start, part in volumes.patches(volume):
        whole = aggregator.put("a", start, part)
        if whole is None:
            most = max(most, aggregator._open["a"].window.shape[1])
    assert most == 8
    assert whole.dtype == np.uint8
    np.testing.assert_array_equal(whole, volume.argmax(axis=0))


def test_a_data_set_in_batches_comes_back_as_the_volumes_it_was_made_of(uneven, whole):
    data = dataset(uneven, "train", patch=(6, 16, 16), sampler=Grid(overlap=(1, 2, 3)), normalise="none")
    aggregator = Aggregator(data)
    made = {}
    for batch in data.loader(3, shuffle=False):
        made |= dict(aggregator.add(batch["image"], batch))
    assert made.keys() == {"case-0000", "case-0001"}
    for number, shape in enumerate([(12, 40, 36), (10, 34, 30)]):
        np.testing.assert_array_equal(made[f"case-{number:04x}"], whole(number, shape=shape)[0])


def test_slices_come_back_as_a_volume(uneven, whole):
    data = dataset(uneven, "train", patch="coronal", sampler="grid", framework="numpy")
    aggregator = Aggregator(data)
    made = {}
    for n in range(len(data)):
        sample = data[n]
        batch = {"case": [sample["case"]], "start": [sample["start"]]}
        made |= dict(aggregator.add([sample["mask"]], batch))
    np.testing.assert_array_equal(made["case-0001"], whole(1, shape=(10, 34, 30))[1])


@pytest.mark.parametrize("framework", ["monai", "torchio"])
@pytest.mark.parametrize("mode", ["average", "crop"])
def test_where_a_framework_turns_axes_volumes_are_turned_back(tmp_path, framework, mode):
    """Of a cube cut into cubes, no shape would tell."""
    pytest.importorskip(framework)
    case = replace(make_case(0, shape=(20, 20, 20)), valid=None)
    case.mask[:] = np.random.default_rng(0).integers(0, 3, case.mask.shape)
    store = Store(build(tmp_path / "s", [case], shards=1))
    data = dataset(
        store, "train", patch=8, sampler=Grid(overlap=(1, 2, 3)), normalise="none", framework=framework
    )
    for source in (data, data.samples):
        images, masks = Aggregator(source, mode=mode), Aggregator(source, mode=mode, dtype=np.uint8)
        made = {}
        for n in range(len(data)):
            sample = data[n]
            batch = {"case": [sample["case"]], "start": [sample["start"]]}
            image, mask = (getattr(sample[name], "tensor", sample[name]) for name in ("image", "mask"))
            made["image"] = dict(images.add(image[None], batch))
            made["mask"] = dict(masks.add(mask, batch))  # (B, i, j, k)
        np.testing.assert_array_equal(made["image"][case.id], case.image)
        np.testing.assert_array_equal(made["mask"][case.id], case.mask)


def test_what_is_missing_twice_or_out_of_order_is_told(uneven):
    volumes = Volumes((8, 4, 4), (4, 4, 4), (0, 0, 0))
    parts = list(volumes.patches(np.zeros((1, 8, 4, 4))))
    aggregator = Aggregator(volumes)
    aggregator.put("a", *parts[0])
    assert aggregator.unfinished == ("a",)
    with pytest.raises(ConfigError, match="came before"):
        aggregator.put("a", *parts[0])
    with pytest.raises(ConfigError, match="begins at 2 along axis 0"):
        aggregator.put("a", (2, 0, 0), parts[0][1])
    with pytest.raises(ConfigError, match=r"a patch is \(C, 4, 4, 4\)"):
        aggregator.put("a", (4, 0, 0), np.zeros((4, 4, 3)))
    with pytest.raises(ConfigError, match="is not one of"):
        aggregator.put("b", *parts[0])
    with pytest.raises(ConfigError, match="not in the order"):
        Aggregator(volumes).put("a", *parts[1])
    with pytest.raises(ConfigError, match="sampler='grid'"):
        Aggregator(dataset(uneven, "train", patch=4, framework="numpy"))
    with pytest.raises(ConfigError, match="average, crop"):
        Aggregator(volumes, mode="mean")
    shrinking = Aggregator(volumes, reduce=lambda planes: planes[..., :2])
    shrinking.put("a", *parts[0])
    with pytest.raises(ConfigError, match="the last three axes"):
        shrinking.put("a", *parts[1])
