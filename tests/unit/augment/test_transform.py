import numpy as np

from isocenter.augment.transform import plan


def test_reach_is_the_largest_along_each_axis():
    parameters = {"mirror": {"axes": [], "swap": {}}, "rotation": {"axis": "S", "degrees": 10.0}}
    k, j, i = plan(parameters, (10, 100, 100), np.eye(4)).reach
    assert k == 0
    assert j == i == 8
