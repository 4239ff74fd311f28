"""Seven analytic shapes and harder contours, from a structure set in a file to the mask on the images beside it.

`ISOCENTER_CONFORMANCE=all` makes the grid that of the public suite, 512 x 512 x 200 voxels of a millimetre; without it,
there are some slices of it only.
"""

import os

import numpy as np
import pytest

import isocenter as iso
from isocenter.testing.simulate.conformance import IDEALS, write_ideals

PLANES = range(200) if os.environ.get("ISOCENTER_CONFORMANCE") == "all" else range(58, 102)
LEAST_DICE = 0.995
INSIDE = {
    "sphere": lambda x, y, z: x * x + y * y + z * z <= 40**2,
    "cube": lambda x, y, z: (abs(x) <= 30) & (abs(y) <= 30) & (abs(z) <= 30),
    "cylinder": lambda x, y, z: (x * x + y * y <= 30**2) & (abs(z) <= 40),
    "ellipsoid": lambda x, y, z: (x / 30) ** 2 + (y / 50) ** 2 + (z / 60) ** 2 <= 1,
    "torus": lambda x, y, z: (np.hypot(x, y) - 60) ** 2 + z * z <= 20**2,
    "hollow sphere": lambda x, y, z: abs(x * x + y * y + z * z - 1000) <= 600,
    "straw": lambda x, y, z: (abs(x * x + y * y - 1000) <= 600) & (abs(z) <= 60),
}
VOLUMES = {
    "sphere": 4 / 3 * np.pi * 40**3,
    "cube": 60.0**3,
    "cylinder": np.pi * 30**2 * 80,
    "ellipsoid": 4 / 3 * np.pi * 30 * 50 * 60,
    "torus": 2 * np.pi**2 * 60 * 20**2,
    "hollow sphere": 4 / 3 * np.pi * (40**3 - 20**3),
    "straw": np.pi * (40**2 - 20**2) * 120,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Images and structure sets as files, and the volume that the images give."""
    images, structures = write_ideals(tmp_path_factory.mktemp("ideals"), planes=PLANES)
    return iso.read(images).volume.grid, structures


@pytest.fixture(scope="module", params=["inner", "keyhole"])
def found(request, written):
    """Every structure by name."""
    grid, structures = written
    return grid, {a.concept: a for a in iso.read_annotations(structures / f"{request.param}.dcm")}


def truth(name, parts=8):
    """Voxels of which the shape holds half or more, by so many points along each side (the suite's own truth)."""
    centre = next(i.centre for i in IDEALS if i.name == name)
    axes = [
        np.array(n, float) - c for n, c in zip((PLANES, range(512), range(512)), centre[::-1], strict=True)
    ]
    box = tuple(slice(n[0], n[-1] + 1) for n in (np.flatnonzero(abs(a) <= 82) for a in axes))
    z, y, x = np.meshgrid(*(a[b] for a, b in zip(axes, box, strict=True)), indexing="ij", sparse=True)
    inside, ends = INSIDE[name], (-0.5, 0.5)
    corners = sum(inside(x + a, y + b, z + c).astype(np.uint8) for a in ends for b in ends for c in ends)
    is_in = corners == 8
    k, j, i = np.nonzero((corners > 0) & (corners < 8))
    z, y, x = z[k, 0, 0], y[0, j, 0], x[0, 0, i]
    offsets = (np.arange(parts) + 0.5) / parts - 0.5
    count = sum(inside(x + a, y + b, z + c).astype(int) for a in offsets for b in offsets for c in offsets)
    is_in[k, j, i] = 2 * count >= parts**3
    out = np.zeros((len(PLANES), 512, 512), bool)
    out[box] = is_in
    return out


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("name", INSIDE)
def test_the_shapes_of_the_public_suite(name, found):
    grid, by_name = found
    assert set(by_name) == set(INSIDE)
    assert grid.shape == (len(PLANES), 512, 512)
    mask = by_name[name].mask(grid)
    assert dice(mask, truth(name)) >= LEAST_DICE
    if len(PLANES) == 200:
        assert np.count_nonzero(mask) == pytest.approx(VOLUMES[name], rel=0.01)
