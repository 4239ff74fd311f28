"""The examples on real patients learn: the loss of a shortened run falls, through each framework."""

import shutil

import pytest
import torch

import isocenter as iso
from examples import sarcoma, segmentation, segmentation_monai, segmentation_torchio
from examples.training import overlap_loss

pytestmark = pytest.mark.real
PATIENTS = ("STS_002", "STS_008", "STS_012", "STS_018")


@pytest.fixture(autouse=True)
def one_thread():
    """A machine that runs several tests at once is slowed down by more; and sums of floats depend on how many."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def store(real_data, tmp_path_factory):
    """Some of the patients, packed; their MR is left out, which the config would do."""
    folder = tmp_path_factory.mktemp("sarcoma")
    for patient in PATIENTS:
        shutil.copytree(
            real_data / sarcoma.FOLDER / patient,
            folder / "dicom" / patient,
            ignore=shutil.ignore_patterns("MR_*"),
        )
    return sarcoma.packed(folder / "dicom", folder / "work")


@torch.no_grad()
def loss(network, store, *, is_turned):
    """Of patches of the training patients, in inference mode; `is_turned` where the network saw i, j, k."""
    network.eval()
    data = iso.dataset(store, "train", patch=(8, 48, 48), per_case=8, sampler="label", seed=7)
    out = []
    for n in range(len(data)):
        image, mask, where = (data[n][name] for name in ("image", "mask", "loss_mask"))
        arrays = [image[None], mask[None, None] > 0, where[None, None]]
        image, mask, where = (a.swapaxes(2, 4) if is_turned else a for a in arrays)
        out.append(float(overlap_loss(network(image), mask, where)))
    return sum(out) / len(out)


@pytest.mark.parametrize("example", [segmentation, segmentation_monai, segmentation_torchio])
def test_segmentation_learns(store, example):
    """On patches that are the same before and after; the losses of two epochs are of other ones."""
    options = {"patch": (8, 48, 48), "per_case": 4, "workers": 0}
    fresh, _ = example.learn(store, epochs=0, **options)
    network, losses = example.learn(store, epochs=8, **options)
    assert len(losses) == 8
    is_turned = example is not segmentation
    assert loss(network, store, is_turned=is_turned) < 0.9 * loss(fresh, store, is_turned=is_turned)
    assert all(0 <= value <= 1 for value in example.evaluate(network, store).values())
