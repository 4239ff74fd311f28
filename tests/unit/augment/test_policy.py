import numpy as np
import pytest

from isocenter.augment.policy import Policy, policy_of
from isocenter.base.documents import parse_yaml
from isocenter.base.errors import ConfigError


@pytest.mark.parametrize(
    ("option", "limit", "beyond"),
    [
        ("rotation_deg", 10.0, 10.01),
        ("contrast", 0.15, 0.151),
        ("noise_sigma", 0.01, 0.0101),
        ("elastic_mm", 8.0, 8.01),
        ("elastic_volume", 0.2, 0.201),
    ],
)
def test_a_limit_may_be_reached_but_not_passed(option, limit, beyond):
    assert getattr(Policy(**{option: limit}), option) == limit
    for wrong in (beyond, -0.1, float("nan")):
        with pytest.raises(ConfigError, match=rf"{option}.*limit of 0 to {limit:g}"):
            Policy(**{option: wrong})


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("scale", "size is physical"),
        ("scales", "size is physical"),
        ("zoom", "size is physical"),
        ("resized_crop", "size and surroundings"),
        ("crop", "size and surroundings"),
        ("random_spacing", "size is physical"),
        ("cutout", "take the lesion"),
        ("coarse_dropout", "take the lesion"),
        ("simulate_low_resolution", "what is small is lost"),
        ("affine", "scale and shear"),
    ],
)
def test_what_is_forbidden_is_told_why(key, word):
    with pytest.raises(ConfigError, match=rf"forbidden.*{word}"):
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


def test_control_points_of_a_field_are_not_too_near():
    assert Policy(elastic_mm=8, elastic_cell_mm=20).elastic_cell_mm == 20
    for wrong in (19.9, -1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match=r"elastic_cell_mm.*at least 20 mm"):
            Policy(elastic_cell_mm=wrong)
    with pytest.raises(ConfigError, match="elastic_volume"):
        Policy(elastic_mm=1, elastic_volume=0)


def test_a_law_of_noise_is_known():
    assert Policy(noise_law="gaussian").noise_law == "gaussian"
    with pytest.raises(ConfigError, match="noise_law"):
        Policy(noise_law="poisson")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("rotation_deg", "5", "a number"),
        ("contrast", None, "a number"),
        ("noise_sigma", True, "a number"),
        ("elastic_mm", [2], "a number"),
        ("elastic_cell_mm", "48", "a number"),
        ("elastic_volume", {}, "a number"),
        ("side_symmetric", "no", "true or false"),
        ("side_symmetric", 1, "true or false"),
        ("elastic_in_plane", "false", "true or false"),
        ("rotation_axes", "normal", "a list of axes"),
        ("mirror", "R", "a list of axes"),
        ("mirror", [1], "a list of axes"),
        ("noise_law", None, "a word"),
        ("swap", ["left", "right"], "a mapping of labels"),
        ("swap", {"left": 2}, "a mapping of labels"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_with_what_is_expected(option, value, expected):
    with pytest.raises(ConfigError) as error:
        policy_of({option: value})
    assert [
        (p.path, p.message.partition(" is expected")[0].startswith(expected)) for p in error.value.problems
    ] == [(option, True)]


def test_wrong_types_are_told_with_all_else_that_is_wrong():
    with pytest.raises(ConfigError) as error:
        policy_of({"side_symmetric": "no", "mirror": ["R"], "contrast": None, "rotation_deg": 30})
    assert {p.path for p in error.value.problems} == {"side_symmetric", "contrast", "rotation_deg"}


def test_a_word_of_yaml_that_means_no_allows_no_mirroring():
    with pytest.raises(ConfigError, match="true or false is expected, not 'no'"):
        policy_of(parse_yaml("mirror: [R]\nside_symmetric: no\n", "policy.yaml").data)


def test_what_is_no_mapping_is_no_policy():
    with pytest.raises(ConfigError, match="mapping"):
        policy_of("rotation")


def test_numbers_and_truths_of_numpy_are_as_good_as_others():
    policy = policy_of(
        {
            "rotation_deg": np.int64(5),
            "contrast": np.float32(0.125),
            "side_symmetric": np.bool_(True),
            "mirror": ["A"],
        }
    )
    assert policy == Policy(rotation_deg=5, contrast=0.125, side_symmetric=True, mirror=("A",))
    assert type(policy.contrast) is float
    assert type(policy.side_symmetric) is bool


def test_an_axis_is_mirrored_once_and_labels_change_places_with_it_only():
    with pytest.raises(ConfigError, match=r"mirror.*twice"):
        Policy(mirror=("R", "R"), side_symmetric=True)
    for mirror in ((), ("A", "S")):
        with pytest.raises(ConfigError, match="mirror has no R"):
            Policy(mirror=mirror, side_symmetric=True, swap={"left": "right"})


@pytest.mark.parametrize(
    "label", ["Liver", "spleen", "gall bladder", "inferior-vena-cava", "heart", "Leber", "肝脏"]
)
def test_an_organ_of_one_side_is_not_mirrored_unless_it_is_said_so(label):
    policy = Policy(mirror=("R",), side_symmetric=True)
    with pytest.raises(ConfigError, match="organ of one side"):
        policy.check_labels(["tumour", label])
    Policy(mirror=("A", "S"), side_symmetric=True).check_labels([label])
    stays = Policy(mirror=("R",), side_symmetric=True, swap={label: label})
    stays.check_labels(["tumour", label])
    assert stays.swaps == {label: label}


@pytest.mark.parametrize("label", ["左肾", "Niere_links", "rein gauche", "riñón derecho", "LeftLung"])
def test_sides_are_known_in_other_languages(label):
    with pytest.raises(ConfigError, match="names a side"):
        Policy(mirror=("R",), side_symmetric=True).check_labels([label])


@pytest.mark.parametrize("label", ["kidney_left", "Left lung", "lung_r", "R-kidney", "femur-rt"])
def test_a_label_that_names_a_side_needs_its_counterpart(label):
    policy = Policy(mirror=("R",), side_symmetric=True)
    with pytest.raises(ConfigError, match="names a side"):
        policy.check_labels(["tumour", label])
    Policy(mirror=("A",), side_symmetric=True).check_labels([label])
    Policy(mirror=("R",), side_symmetric=True, swap={label: "other"}).check_labels([label, "other"])


@pytest.mark.parametrize("label", ["kidney", "tumour", "cleft", "bright", "artery", "heartwood", "delivery"])
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
