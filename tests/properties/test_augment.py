"""No policy takes an image beyond what it promises, whatever is drawn."""

import os
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.augment.policy import Policy
from isocenter.augment.transform import draw
from isocenter.base import seeds
from tests.contracts.test_transforms import apply, arrays, make_patch

AXES = st.sampled_from(["R", "A", "S"])
POLICIES = st.builds(
    lambda mirror, **options: Policy(
        mirror=mirror, swap={"left": "right"} if "R" in mirror else {}, **options
    ),
    rotation_deg=st.floats(0, 10),
    rotation_axes=st.lists(st.sampled_from(["R", "A", "S", "normal"]), min_size=1, max_size=3).map(tuple),
    mirror=st.lists(AXES, unique=True).map(tuple),
    side_symmetric=st.just(value=True),
    contrast=st.floats(0, 0.15),
    noise_sigma=st.floats(0, 0.01),
    elastic_mm=st.floats(0, 8),
    elastic_cell_mm=st.floats(20, 80),
    elastic_volume=st.floats(0.01, 0.2),
    elastic_in_plane=st.booleans(),
)
MANY = int(os.environ.get("ISOCENTER_AUGMENTED", "60"))


@settings(max_examples=MANY, deadline=None)
@given(policy=POLICIES, seed=st.integers(0, 1 << 32))
def test_the_same_draw_gives_the_same_bytes_within_the_limits(policy, seed):
    parameters = draw(policy, seeds.stream(seed, "x"))
    assert parameters == draw(policy, seeds.stream(seed, "x"))
    one, two = (arrays(apply(make_patch(), parameters)) for _ in range(2))
    for name in one:
        assert one[name].tobytes() == two[name].tobytes()
    assert np.isfinite(one["image"]).all()
    assert set(np.unique(one["mask"])) <= {0, 1, 2}


@settings(max_examples=MANY, deadline=None)
@given(policy=POLICIES, seed=st.integers(0, 1 << 32), size=st.integers(2, 6))
def test_a_lesion_in_the_middle_keeps_its_volume(policy, seed, size):
    """Nothing scales or crops: a blob well inside keeps its voxels, but for rounding and what a field may change."""
    shape = (24, 40, 40)
    blob = np.zeros(shape, np.uint8)
    blob[12 - size : 12 + size, 20 - size : 20 + size, 20 - size : 20 + size] = 1
    patch = replace(make_patch(shape), mask=blob, affine=np.diag([0.8, 0.8, 1.6, 1]))
    after = apply(patch, draw(policy, seeds.stream(seed, "x")))
    before = int((blob > 0).sum())
    assert (
        abs(int((after.mask > 0).sum()) - before)
        <= (0.12 + policy.elastic_volume * bool(policy.elastic_mm)) * before
    )
