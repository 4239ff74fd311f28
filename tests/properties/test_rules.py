"""Clean random stacks raise no alarm, and planted faults always do, each by its own rule.

Positions and directions are made here as a scanner would write them, rounded as a header rounds them, and
measured by plain projection; no code of the index stage takes part.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from isocenter.model.suv import SuvFacts
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.testing.rules import a_stack

ENGINE = Engine(ScreenOptions())
CLASSES = {"CT": "2", "MR": "4", "PT": "128"}

stacks = st.fixed_dictionaries(
    {
        "modality": st.sampled_from(sorted(CLASSES)),
        "count": st.integers(3, 60),
        "distance": st.floats(0.3, 5.0),
        "pixel": st.floats(0.1, 6.0),
        "angles": st.tuples(*[st.floats(-180, 180)] * 3),
        "origin": st.tuples(*[st.floats(-900, 900)] * 3),
        "decimals": st.integers(4, 12),
        "noise": st.floats(0, 1e-4),
        "seed": st.integers(0, 2**32 - 1),
        "overlap": st.floats(0.7, 2.0),
        "bits": st.sampled_from([(12, "int16"), (16, "int16"), (12, "uint16"), (16, "uint16")]),
        "first": st.integers(0, 5000),
        "told": st.sampled_from(
            ["nothing", "the stack", "with what was split off", "another reconstruction"]
        ),
        "beside": st.integers(1, 90),
        "compressed": st.sampled_from(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90"]),
        "turned": st.floats(0, 9e-5),
    }
)


def stack_of(made: dict, keep=None, moved: dict[int, float] | None = None):
    """The stack that a header would describe; `keep` picks slices, `moved` shifts some along the normal."""
    turn = Rotation.from_euler("xyz", made["angles"], degrees=True).as_matrix()
    lots = np.random.default_rng(made["seed"]).uniform(-1, 1, (made["count"], 3))
    along = np.arange(made["count"]) * made["distance"]
    for n, shift in (moved or {}).items():
        along[n] += shift
    points = np.array(made["origin"]) + along[:, None] * turn[:, 2] + lots * made["noise"]
    points = np.round(points, made["decimals"])[range(made["count"]) if keep is None else keep]
    cosines = np.round(turn[:, :2].T.ravel(), max(6, made["decimals"]))
    normal = np.cross(cosines[:3], cosines[3:])
    normal /= np.linalg.norm(normal)
    positions = points @ normal
    step = (points[-1] - points[0]) / (len(points) - 1)
    affine = np.eye(4)
    affine[:3, :4] = np.column_stack(
        [cosines[:3] * made["pixel"], cosines[3:] * made["pixel"], step, points[0]]
    )
    across = points[-1] - points[0]
    expected = points[0] + np.arange(len(points))[:, None] * step
    return a_stack(
        modality=made["modality"],
        sop_class_uid=f"1.2.840.10008.5.1.4.1.1.{CLASSES[made['modality']]}",
        pet_units="GML",
        suv=SuvFacts(units="GML", suv_type="BW"),
        positions_mm=tuple(positions),
        spacing_mm=(float(np.linalg.norm(step)), made["pixel"], made["pixel"]),
        slice_distance_mm=float(np.median(np.diff(positions))),
        slice_thickness_mm=made["distance"] * made["overlap"],
        orientation=tuple(cosines),
        affine=tuple(affine.ravel()),
        shear_mm=float(np.linalg.norm(across - (across @ normal) * normal)),
        affine_residual_mm=float(np.linalg.norm(points - expected, axis=1).max()),
        orientation_residual=made["turned"],
        bits_stored=made["bits"][0],
        all_bits_stored=made["bits"][:1],
        all_signs=(int(made["bits"][1] == "int16"),),
        dtype=made["bits"][1],
        transfer_syntax_uid=made["compressed"],
        all_transfer_syntaxes=(made["compressed"],),
        **numbering(made, len(points)),
    )


def numbering(made: dict, count: int) -> dict:
    """Instance Numbers from any number on, whatever the header says of how many images were made."""
    first, beside = made["first"], made["beside"]
    told = {
        "nothing": (None, count),
        "the stack": (count, count),
        "with what was split off": (count + beside, count + beside),
        "another reconstruction": (max(count, first + count - 1 - beside), count),
    }
    in_acquisition, in_series = told[made["told"]]
    return {
        "first_number": first,
        "last_number": first + count - 1,
        "images_in_acquisition": in_acquisition,
        "n_in_series": in_series,
    }


def rules_on(stack) -> set[str]:
    return {issue.rule for issue in ENGINE.check(stack)}


@given(stacks)
@settings(max_examples=300)
def test_clean_stacks_raise_nothing(made) -> None:
    assert rules_on(stack_of(made)) == set()


@given(stacks, st.data())
def test_a_slice_that_is_missing_inside_is_always_told(made, data) -> None:
    gone = data.draw(st.integers(1, made["count"] - 2))
    made["count"] += 2  # so that the usual gap stays the usual one
    keep = [n for n in range(made["count"]) if n != gone]
    assert "geometry/missing-slices" in rules_on(stack_of(made, keep))


@given(stacks, st.data())
def test_a_slice_that_is_there_twice_is_always_told(made, data) -> None:
    twice = data.draw(st.integers(0, made["count"] - 1))
    keep = sorted([*range(made["count"]), twice])
    assert "geometry/repeated-positions" in rules_on(stack_of(made, keep))


@given(stacks, st.data(), st.floats(0.15, 0.45), st.sampled_from([-1, 1]))
def test_a_slice_off_its_place_is_always_told(made, data, share, sign) -> None:
    made["count"] += 3
    moved = data.draw(st.integers(1, made["count"] - 2))
    stack = stack_of(made, moved={moved: sign * share * made["distance"]})
    assert "geometry/uneven-slice-spacing" in rules_on(stack)


@given(stacks, st.floats(0.02, 0.09))
def test_a_little_jitter_is_noted_and_no_more(made, share) -> None:
    made["count"] += 3
    stack = stack_of(
        made | {"distance": max(made["distance"], 1.0)}, moved={1: share * max(made["distance"], 1.0)}
    )
    severities = {i.severity for i in ENGINE.check(stack) if i.rule == "geometry/jittering-slice-spacing"}
    assert {s.value for s in severities} == {"note"}
    assert not rules_on(stack) & {"geometry/uneven-slice-spacing", "geometry/missing-slices"}
