"""Raters who looked at parts: every voxel is fused of those who saw it, compared with votes counted one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from isocenter.model.annotation import AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.task import Channel, Label, Task, TaskContract
from isocenter.stages.build.consensus import agreed_of
from isocenter.stages.build.opinions import Opinions
from isocenter.stages.build.options import AgreementOptions

SHAPE = (2, 3, 3)
GRID = Grid(SHAPE, np.eye(4))
CONTRACT = TaskContract(
    task=Task.SEGMENTATION,
    labels={"lesion": Label(value=1)},
    channels={"ct": Channel(modality="CT")},
    reference="ct",
)
VOXELS = arrays(bool, SHAPE, elements=st.booleans())


def counted(votes, method, tie):
    """What a voxel is by those who saw it, None where nobody did."""
    if not votes:
        return None
    if method in {"union", "intersection"}:
        return any(votes) if method == "union" else all(votes)
    return 2 * sum(votes) > len(votes) or (2 * sum(votes) == len(votes) and tie == "foreground")


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.tuples(VOXELS, st.none() | VOXELS), min_size=1, max_size=4),
    st.sampled_from(["majority", "union", "intersection", "soft-mean"]),
    st.sampled_from(["background", "foreground"]),
)
def test_every_voxel_is_decided_by_those_who_saw_it(raters, method, tie):
    opinions = Opinions()
    for n, (mask, known) in enumerate(raters):
        mask = mask if known is None else mask & known  # noqa: PLW2901
        state = AnnotationState.PARTIAL if known is not None else AnnotationState.MARKED
        opinions.of("lesion", f"rater-{n}").add(state, mask, known)
    agreed = agreed_of(opinions, GRID, CONTRACT, AgreementOptions(method=method, tie=tie))
    known = agreed.known.get("lesion")
    mask = agreed.consensus.masks.get("lesion", np.zeros(SHAPE, bool))
    seen_by = [k if k is not None else np.ones(SHAPE, bool) for _, k in raters]
    for voxel in np.ndindex(SHAPE):
        votes = [bool(m[voxel]) for (m, _), k in zip(raters, seen_by, strict=True) if k[voxel]]
        expected = counted(votes, method, tie)
        assert (known is None or bool(known[voxel])) == (expected is not None)
        assert bool(mask[voxel]) == bool(expected)
        if method == "soft-mean" and votes:
            shares = agreed.consensus.shares["lesion"]
            np.testing.assert_allclose(shares[voxel], sum(votes) / len(votes), atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(VOXELS, VOXELS, VOXELS, VOXELS)
def test_two_raters_are_compared_where_both_looked(first, second, seen_first, seen_second):
    opinions = Opinions()
    opinions.of("lesion", "a").add(AnnotationState.PARTIAL, first & seen_first, seen_first)
    opinions.of("lesion", "b").add(AnnotationState.PARTIAL, second & seen_second, seen_second)
    agreed = agreed_of(opinions, GRID, CONTRACT, AgreementOptions())
    both = seen_first & seen_second
    one, other = first & both, second & both
    if not both.any():
        assert agreed.consensus.agreements == ()
        return
    [pair] = agreed.consensus.agreements
    total = int(one.sum() + other.sum())
    assert pair.dice == (None if not total else 2 * int((one & other).sum()) / total)
