"""The examples on simulated archives learn: the loss of a shortened run falls, and what they say of boxes is right."""

import pytest
import torch

from examples import classification, detection
from examples.simulated import packed


@pytest.fixture(autouse=True)
def one_thread():
    """A machine that runs several tests at once is slowed down by more; and sums of floats depend on how many."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_detection_learns(tmp_path):
    store = packed(detection.CONFIG, tmp_path, "ct-boxes", patients=40)
    network, losses = detection.learn(store, epochs=5, per_case=4, workers=0)
    assert losses[-1] < 0.8 * losses[0]
    hit, nodules, _, cases = detection.evaluate(network, store)
    assert cases >= 2
    assert 0 <= hit <= nodules


def test_classification_learns(tmp_path):
    store = packed(classification.CONFIG, tmp_path, "xray-labels", patients=60)
    network, losses = classification.learn(store, epochs=12, workers=0)
    assert losses[-1] < 0.9 * losses[0]
    assert set(classification.evaluate(network, store)) == {"nodule", "effusion", "cardiomegaly"}


def test_the_middle_of_a_box_and_its_sides_give_the_box_again():
    boxes = torch.tensor([[2, 3, 4, 7, 5, 5], [0, 0, 0, 1, 1, 2]])
    for box, middle in zip(boxes, detection.middle_of(boxes), strict=True):
        low, high = (detection.sides_of(box, middle.tolist()) * detection.SCALE).split(3)
        assert torch.cat([middle - low, middle + high]).tolist() == box.tolist()
        assert (middle >= box[:3]).all()
        assert (middle < box[3:]).all()
    heat = detection.middles(boxes, (8, 8, 8))
    assert [tuple(p) for p in torch.nonzero(heat == 1).tolist()] == [(0, 0, 0), (4, 3, 4)]


def test_the_area_under_the_curve_counts_pairs():
    area = classification._area
    assert area(torch.tensor([3.0, 1.0]), torch.tensor([2.0, 0.0])) == 0.75
    assert area(torch.tensor([1.0]), torch.tensor([1.0])) == 0.5
