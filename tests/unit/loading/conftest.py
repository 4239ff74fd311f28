"""A small store to load from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Six CT cases of three subjects: four in train, two in val."""
    return Store(build(tmp_path / "store", [make_case(n) for n in range(6)]))


@pytest.fixture
def two_channels(tmp_path: Path) -> Store:
    """CT and PET; the second case has no PET and holds background in its place."""
    both, lacking = (make_case(n, channels=("ct", "pet")) for n in range(2))
    lacking.image[1] = 0
    cases = [both, replace(lacking, statistics={"ct": {}})]
    return Store(build(tmp_path / "two", cases))


@pytest.fixture
def uneven(tmp_path: Path) -> Store:
    """Volumes of several sizes, one of them smaller than most patches, without padding of their own."""
    shapes = [(12, 40, 36), (10, 34, 30), (5, 33, 21), (31, 36, 36)]
    cases = [replace(make_case(n, shape=s), valid=None) for n, s in enumerate(shapes)]
    return Store(build(tmp_path / "uneven", cases, background={"ct": -1000.0}))


@pytest.fixture
def whole():
    """The arrays that a case of the store was made of."""

    def arrays(number: int, **more) -> tuple[np.ndarray, np.ndarray]:
        case = make_case(number, **more)
        return case.image, case.mask

    return arrays
