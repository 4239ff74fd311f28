import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from isocenter.loading.dataset import dataset
from isocenter.loading.frameworks.torch import _tensor


def test_samples_are_tensors_of_the_same_values(store):
    plain = dataset(store, "train", patch=8, framework="numpy")[1]
    sample = dataset(store, "train", patch=8)[1]
    assert sample.keys() == plain.keys()
    for name, value in plain.items():
        if isinstance(value, np.ndarray):
            assert isinstance(sample[name], torch.Tensor)
            np.testing.assert_array_equal(sample[name].numpy(), value)
        else:
            assert sample[name] == value


def test_wide_masks_become_a_type_torch_computes_with():
    assert _tensor(np.array([65535], np.uint16)).dtype == torch.int32
    many = _tensor(np.array([4_294_967_295], np.uint32))
    assert (many.dtype, many.item()) == (torch.int64, 4_294_967_295)


def test_a_batch_stacks_what_has_one_shape_and_lists_the_rest(store):
    data = dataset(store, "train", patch=(8, 16, 16), sampler="label")
    batch = next(iter(DataLoader(data, batch_size=4, collate_fn=data.collate)))
    assert batch["image"].shape == (4, 1, 8, 16, 16)
    assert batch["mask"].dtype == torch.uint8
    assert batch["loss_mask"].dtype == torch.bool
    assert batch["loss_mask"].shape == batch["mask"].shape
    assert batch["affine"].dtype == torch.float64
    assert batch["labels"].tolist() == [[1, -1]] * 4
    assert len(batch["boxes"]) == len(batch["case"]) == 4
    assert all(b.shape[1:] == (6,) for b in batch["boxes"])


def test_volumes_of_several_sizes_stay_a_list(uneven):
    data = dataset(uneven, "train")
    batch = next(iter(DataLoader(data, batch_size=2, collate_fn=data.collate)))
    assert [tuple(v.shape) for v in batch["image"]] == [(1, 12, 40, 36), (1, 10, 34, 30)]


def starts(loader):
    return [tuple(row) for batch in loader for row in batch["start"].tolist()]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_new_epoch_reaches_workers_that_stay(store):
    data = dataset(store, "train", patch=(2, 4, 4), per_case=4)
    loader = DataLoader(
        data,
        batch_size=2,
        num_workers=2,
        persistent_workers=True,
        collate_fn=data.collate,
        multiprocessing_context="fork",
    )
    seen = {}
    for epoch in (0, 1, 2, 1):
        data.set_epoch(epoch)
        seen.setdefault(epoch, []).append(starts(loader))
    assert seen[1][0] == seen[1][1]
    assert seen[0] != seen[1]
    assert seen[1][0] != seen[2][0]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_case_ends_the_loader_with_its_name(store, workers):
    data = dataset(store, "train", patch=(2, 4, 4))
    (store.path / "shards/00001.h5").write_bytes(b"broken")
    loader = DataLoader(data, num_workers=workers, collate_fn=data.collate, timeout=60 if workers else 0)
    with pytest.raises(RuntimeError, match="case-0001"):
        list(loader)
