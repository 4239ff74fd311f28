import itertools
import warnings

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from isocenter.base.errors import ConfigError
from isocenter.loading import memory
from isocenter.loading.dataset import dataset
from isocenter.loading.torch_batches import padded, stacked


@pytest.fixture
def data(store):
    return dataset(store, "train", patch=(4, 8, 8), per_case=7, sampler="label")


def drawn(batches):
    return [(c, *s.tolist()) for b in batches for c, s in zip(b["case"], b["start"], strict=True)]


def test_an_epoch_is_every_sample_once_by_lot_and_another_one_each_time(data):
    order = data.order()
    first = list(order)
    assert sorted(first) == list(range(28))
    with pytest.warns(UserWarning, match="epoch 0 is gone through again"):
        assert list(order) == first
    order.set_epoch(1)
    assert sorted(order) == list(range(28))
    assert list(order) != first
    assert list(data.order(shuffle=False)) == list(range(28))


@pytest.mark.parametrize("world", [1, 2, 3, 4, 8])
def test_ranks_share_an_epoch(data, world):
    parts = [list(data.order(rank=r, world=world)) for r in range(world)]
    assert sorted(itertools.chain(*parts)) == list(range(28))
    even = [list(data.order(rank=r, world=world, is_even=True)) for r in range(world)]
    assert {len(e) for e in even} == {28 // world}


def test_going_on_in_the_middle_is_not_having_stopped(data):
    whole = drawn(data.loader(4))
    data.set_epoch(0)
    assert drawn(data.loader(4, skip=12)) == whole[12:]
    ranks = [drawn(data.loader(2, skip=12, rank=r, world=2)) for r in range(2)]
    assert [x for pair in zip(*ranks, strict=True) for x in pair] == whole[12:]


def test_only_the_epoch_that_is_gone_on_with_is_shorter(data):
    loader = data.loader(4, skip=12)
    assert len(loader) == 4
    assert len(drawn(loader)) == 16
    data.set_epoch(1)
    assert len(loader) == 7
    assert len(drawn(loader)) == 28


def test_a_loader_that_is_made_before_the_epoch_is_set_goes_on_in_it(data):
    """As loops do that go on: the loader is made, then comes `for epoch in range(3, 9): set_epoch(epoch)`."""
    loader = data.loader(4, skip=12)
    data.set_epoch(3)
    assert len(loader) == 4
    gone_on = drawn(loader)
    assert gone_on == drawn(data.loader(4))[12:]
    data.set_epoch(4)
    assert (len(loader), len(drawn(loader))) == (7, 28)


def test_so_does_an_order(data):
    order = data.order(skip=12)
    data.set_epoch(3)
    assert list(order) == list(data.samples.indices(3))[12:]
    data.set_epoch(4)
    assert list(order) == list(data.samples.indices(4))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("is_persistent", [False, True])
def test_workers_of_any_loader_go_on_in_one_epoch(data, is_persistent):
    """Those that live for an epoch only are told too which one it was."""
    stream = data.stream(4, skip=12)
    loader = DataLoader(
        stream,
        batch_size=None,
        num_workers=2,
        persistent_workers=is_persistent,
        multiprocessing_context="fork",
        timeout=100,
    )
    counts = []
    for epoch in (3, 4, 5):
        data.set_epoch(epoch)
        counts.append(len(drawn(loader)))
    assert counts == [16, 28, 28]


def again(make, data, epochs):
    """How often the second, third, ... pass is warned of."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for epoch in epochs:
            data.set_epoch(epoch)
            for _ in make(data):
                pass
    return len([w for w in told if "gone through again" in str(w.message)])


WAYS = {
    "loader": lambda data: data.loader(4),
    "workers": lambda data: data.loader(4, workers=1, start="fork", timeout_seconds=100),
    "order": lambda data: DataLoader(data, 4, collate_fn=data.collate, sampler=data.order()),
    "stream": lambda data: data.stream(4),
}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("way", WAYS)
def test_an_epoch_that_is_trained_with_again_is_told_once(data, way):
    assert again(WAYS[way], data, [0, 1, 2]) == 0
    assert again(WAYS[way], data, [0, 0, 0, 0]) == 1


def test_what_is_no_training_or_has_no_chance_in_it_may_be_repeated(store):
    for options in ({"patch": None}, {"sampler": "grid", "patch": 8}):
        assert again(WAYS["loader"], dataset(store, "train", **options), [0, 0]) == 0
    assert again(WAYS["loader"], dataset(store, "val", patch=8), [0, 0]) == 0
    augmented = dataset(store, "train", augment={"noise_sigma": 0.01})
    assert again(WAYS["loader"], augmented, [0, 0]) == 1


def test_a_look_at_a_batch_is_no_pass_and_what_goes_on_is_no_second_one(data):
    next(iter(data.loader(4)))
    assert again(WAYS["loader"], data, [0]) == 0
    assert again(lambda data: data.loader(4, skip=12), data, [0]) == 0
    assert again(lambda data: data.loader(4, rank=1, world=2), data, [0]) == 0
    assert again(lambda data: data.loader(4, shuffle=False), data, [0]) == 0


def test_a_stream_is_what_the_order_says(data):
    indices = list(data.samples.indices())
    by_hand = [data.collate([data[i] for i in indices[n : n + 5]]) for n in range(0, 28, 5)]
    batches = list(DataLoader(data.stream(5), batch_size=None))
    assert [len(b["case"]) for b in batches] == [5, 5, 5, 5, 5, 3]
    for batch, expected in zip(batches, by_hand, strict=True):
        torch.testing.assert_close(batch["image"], expected["image"], rtol=0, atol=0)
    data.set_epoch(1)
    assert [len(b["case"]) for b in data.stream(5, drop_last=True)] == [5] * 5
    assert len(data.stream(5, drop_last=True)) == 5
    with pytest.raises(ConfigError, match="at least 1"):
        data.stream(0)


def sample(boxes, points=None):
    boxes = torch.arange(6.0 * boxes).reshape(-1, 6)
    return {
        "image": torch.zeros(1, 2, 2, 2),
        "boxes": boxes,
        "box_labels": torch.full((len(boxes),), 3),
        "case": "c",
        **({} if points is None else {"points": torch.ones(points, 3), "point_labels": torch.ones(points)}),
    }


def test_boxes_are_a_list_or_padded():
    batch = [sample(2), sample(0), sample(1)]
    plain = stacked(batch)
    assert [len(b) for b in plain["boxes"]] == [2, 0, 1]
    assert plain["image"].shape == (3, 1, 2, 2, 2)
    full = padded(batch)
    assert full["boxes"].shape == (3, 2, 6)
    assert full["box_counts"].tolist() == [2, 0, 1]
    assert full["box_labels"].tolist() == [[3, 3], [-1, -1], [3, -1]]
    assert not full["boxes"][1].any()
    assert full["boxes"][2, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert full["case"] == ["c"] * 3
    nothing = padded([sample(0), sample(0)])
    assert (nothing["boxes"].shape, nothing["box_counts"].tolist()) == ((2, 0, 6), [0, 0])


def test_points_are_padded_as_boxes_are():
    full = padded([sample(1, points=2), sample(1, points=0)])
    assert full["points"].shape == (2, 2, 3)
    assert full["point_counts"].tolist() == [2, 0]
    assert full["point_labels"].tolist() == [[1, 1], [-1, -1]]


def test_a_loader_pads_boxes_when_asked(data):
    batch = next(iter(data.loader(4, pad_boxes=True)))
    assert batch["boxes"].shape == (4, int(batch["box_counts"].max()), 6)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_what_was_skipped_is_counted_over_workers_and_warned_of(store):
    data = dataset(store, "train", patch=(4, 8, 8), per_case=7, errors="skip")
    shard = store.path / "shards/00000.h5"
    shard.write_bytes(shard.read_bytes()[:2000])
    with pytest.warns(
        UserWarning, match=r"samples could not be read and others took their places; case case-000"
    ):
        batches = list(data.loader(4, workers=2, start="fork", timeout_seconds=100))
    taken = torch.cat([b["instead_of"] if isinstance(b["instead_of"], torch.Tensor) else torch.tensor(b["instead_of"]) for b in batches])  # fmt: skip
    assert (taken >= 0).sum() == 14
    assert {s.case for s in data.skipped} == {"case-0000", "case-0004"}
    assert set(taken[taken >= 0].tolist()) <= {s.index for s in data.skipped}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_batches_of_workers_lie_in_shared_memory(data):
    """Else each would be copied once more on its way to the training process."""
    for batch in data.loader(4, workers=1, start="fork", timeout_seconds=100):
        assert batch["image"].is_shared()
        assert np.isfinite(batch["image"].numpy()).all()


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("policy", [None, {"rotation_deg": 8, "noise_sigma": 0.01}, {"contrast": 0.1}])
def test_batches_made_in_memory_that_is_used_again_are_those_of_their_samples(
    store, monkeypatch, policy, workers
):
    """Held or let go of, made here or in workers: nothing is written over that somebody looks at."""
    monkeypatch.setattr(memory, "LEAST_BYTES", 1)
    options = {"patch": (4, 8, 8), "per_case": 7, "sampler": "label", "augment": policy}
    data, alone = (dataset(store, "train", framework=f, **options) for f in ("torch", "numpy"))
    loader = data.loader(5, workers=workers, start="fork" if workers else None)
    for epoch in range(2):
        data.set_epoch(epoch)
        held, indices = [], iter(data.order())
        for number, batch in enumerate(loader):
            copies = {n: v.clone() for n, v in batch.items() if isinstance(v, torch.Tensor)}
            held.append((batch if number % 3 == 0 else {"image": batch["image"][-1:]}, copies))
            samples = [alone.samples.sample(i, epoch) for i in itertools.islice(indices, 5)]
            for name in copies:
                np.testing.assert_array_equal(batch[name], np.stack([s[name] for s in samples]), err_msg=name)
            del batch
        for batch, copies in held:
            for name in batch.keys() & copies.keys():
                torch.testing.assert_close(
                    batch[name], copies[name][-len(batch[name]) :], rtol=0, atol=0, equal_nan=True
                )
