"""The examples on real patients learn: the loss of a shortened run falls, through each framework."""

import shutil

import pytest
import torch

from examples import sarcoma, segmentation, segmentation_monai, segmentation_torchio

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


@pytest.mark.parametrize("example", [segmentation, segmentation_monai, segmentation_torchio])
def test_segmentation_learns(store, example):
    network, losses = example.learn(store, epochs=5, patch=(8, 48, 48), per_case=4, workers=0)
    assert losses[-1] < 0.9 * losses[0]
    assert all(0 <= value <= 1 for value in example.evaluate(network, store).values())
