import pytest

from isocenter.augment.policy import Policy, policy_of
from isocenter.base.errors import ConfigError


@pytest.mark.parametrize(
    ("option", "limit", "beyond"),
    [("rotation_deg", 10.0, 10.01), ("contrast", 0.15, 0.151), ("noise_sigma", 0.01, 0.0101)],
)
def test_a_limit_may_be_reached_but_not_passed(option, limit, beyond):
    assert getattr(Policy(**{option: limit}), option) == limit
    for wrong in (beyond, -0.1, float("nan")):
        with pytest.raises(ConfigError, match=rf"{option}.*limit of 0 to {limit:g}"):
            Policy(**{option: wrong})


@pytest.mark.parametrize(
    "key", ["scale", "scales", "zoom", "crop", "random_crop", "elastic", "elastic_alpha"]
)
def test_what_is_forbidden_is_told_why(key):
    with pytest.raises(ConfigError, match=r"forbidden|not offered"):
        policy_of({key: 1})


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(ConfigError) as error:
        Policy(rotation_deg=30, contrast=1, mirror=("L",), rotation_axes=("X",))
    assert {p.path for p in error.value.problems} == {"rotation_deg", "contrast", "mirror", "rotation_axes"}


def test_a_mapping_becomes_a_policy_and_a_slip_is_mended():
    assert policy_of({"rotation_deg": 5, "rotation_axes": ["S"]}) == Policy(
        rotation_deg=5, rotation_axes=("S",)
    )
    policy = Policy(contrast=0.1)
    assert policy_of(policy) is policy
    with pytest.raises(ConfigError, match="did you mean 'contrast'"):
        policy_of({"contrst": 0.1})


def test_mirroring_needs_a_task_that_is_declared_symmetric():
    with pytest.raises(ConfigError, match="side_symmetric"):
        Policy(mirror=("R",))
    assert Policy(mirror=("R",), side_symmetric=True).mirror == ("R",)


def test_a_rotation_needs_an_axis():
    with pytest.raises(ConfigError, match="axis"):
        Policy(rotation_deg=1, rotation_axes=())


@pytest.mark.parametrize("label", ["kidney_left", "Left lung", "lung_r", "R-kidney", "femur-rt"])
def test_a_label_that_names_a_side_needs_its_counterpart(label):
    policy = Policy(mirror=("R",), side_symmetric=True)
    with pytest.raises(ConfigError, match="names a side"):
        policy.check_labels(["tumour", label])
    Policy(mirror=("A",), side_symmetric=True).check_labels([label])
    Policy(mirror=("R",), side_symmetric=True, swap={label: "other"}).check_labels([label, "other"])


@pytest.mark.parametrize("label", ["liver", "tumour", "cleft", "bright", "artery"])
def test_a_label_that_names_no_side_is_fine(label):
    Policy(mirror=("R",), side_symmetric=True).check_labels([label])


def test_swapped_labels_exist_and_stand_once():
    policy = Policy(mirror=("R",), side_symmetric=True, swap={"left": "right"})
    assert policy.swaps == {"left": "right", "right": "left"}
    policy.check_labels(["left", "right"])
    with pytest.raises(ConfigError, match="no label 'right'"):
        policy.check_labels(["left"])
    with pytest.raises(ConfigError, match="twice"):
        Policy(swap={"a": "b", "c": "b"})
