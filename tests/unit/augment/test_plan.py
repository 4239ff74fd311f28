"""The limits hold at run time, whoever wrote what is to be done."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from isocenter.augment.field import Field
from isocenter.augment.motion import Motion
from isocenter.augment.plan import Plan
from isocenter.augment.tone import Tone
from isocenter.augment.transform import plan
from isocenter.base.errors import ConfigError
from tests.contracts.test_transforms import apply, make_patch

SHAPE, STEPS = (7, 20, 18), np.diag([0.7, 0.7, 2.5])
RIGID = np.diag([0.7, 0.7, 2.5, 1.0])


BENT = {"largest_mm": 0.5, "cell_mm": 48.0, "volume": 0.1, "in_plane": False, "key": 1}


def planned(motion=None, tone=None, steps=STEPS):
    return Plan(motion=motion or Motion(), tone=tone or Tone(), shape=SHAPE, steps=steps)


@pytest.mark.parametrize(
    ("turn", "word"),
    [
        (np.eye(3) * 1.01, "scaling"),
        (np.diag([1.0, 1.0, 0.98]), "scaling"),
        (np.array([[1, 0.02, 0], [0, 1, 0], [0, 0, 1.0]]), "shearing"),
        (Rotation.from_rotvec([0, 0, np.radians(10.1)]).as_matrix(), "10.1 degrees"),
        (Rotation.from_rotvec(np.radians([7.0, 7.0, 7.0])).as_matrix(), "degrees"),
        (np.diag([-1.0, 1, 1]) @ Rotation.from_rotvec([0, 0, np.radians(12)]).as_matrix(), "12 degrees"),
    ],
)
def test_a_motion_that_no_patient_makes_is_refused(turn, word):
    with pytest.raises(ConfigError, match=word):
        planned(Motion(turn=turn))


@pytest.mark.parametrize("mirrored", [(1, 1, 1), (-1, 1, 1), (-1, -1, 1), (-1, -1, -1)])
def test_ten_degrees_are_allowed_with_any_mirror(mirrored):
    turn = Rotation.from_rotvec(np.radians(10) * np.array([0.6, 0, 0.8])).as_matrix()
    assert planned(Motion(turn=turn @ np.diag(mirrored))).reach > (0, 0, 0)


def field(scale, cell_mm=20.0):
    lattice = np.random.default_rng(1).uniform(-1, 1, (3, 4, 4, 4)) * scale
    return Field(lattice=lattice, cell_mm=cell_mm, shape=SHAPE, steps=STEPS)


def test_a_field_that_moves_too_far_folds_or_swells_is_refused():
    planned(Motion(bend=field(0.5)))
    with pytest.raises(ConfigError, match="limit of 8 mm"):
        planned(Motion(bend=field(9.0, cell_mm=400.0)))
    with pytest.raises(ConfigError, match="may fold"):
        planned(Motion(bend=field(4.0, cell_mm=8.0)))
    swelling = np.zeros((3, 4, 4, 4))
    swelling[0] = np.linspace(3.4, -3.4, 4)
    with pytest.raises(ConfigError, match="volumes change"):
        planned(Motion(bend=Field(lattice=swelling, cell_mm=9.0, shape=SHAPE, steps=STEPS)))
    with pytest.raises(ConfigError, match="at least 20 mm"):
        planned(Motion(bend=field(0.5, cell_mm=19.0)))
    with pytest.raises(ConfigError, match="after an elastic field"):
        Motion(bend=field(0.5)).then(Motion(bend=field(0.5)))


@pytest.mark.parametrize(
    ("tone", "word"),
    [
        (Tone(factor=1.16), "factor of 1.16"),
        (Tone(factor=0.84), "factor of 0.84"),
        (Tone(factor=float("nan")), "factor"),
        (Tone(sigma=0.0101), "sigma"),
        (Tone(sigma=-0.001), "sigma"),
    ],
)
def test_a_tone_beyond_its_limit_is_refused(tone, word):
    with pytest.raises(ConfigError, match=word):
        planned(tone=tone)


def test_a_history_that_was_tampered_with_is_refused():
    patch = replace(make_patch(), affine=RIGID)
    for history in (
        {"rotation": {"axis": "S", "degrees": 11.0}},
        {"rotation": {"axis": "Q", "degrees": 1.0}},
        {"contrast": {"factor": 1.2}},
        {"noise": {"sigma": 0.02, "key": 1}},
        {"noise": {"sigma": 0.01, "key": 1, "law": "poisson"}},
        {"elastic": BENT | {"cell_mm": 5.0}},
        {"elastic": BENT | {"cell_mm": 0.0}},
        {"elastic": BENT | {"cell_mm": float("nan")}},
        {"elastic": BENT | {"cell_mm": float("inf")}},
        {"elastic": BENT | {"largest_mm": 30.0, "cell_mm": 400.0}},
    ):
        with pytest.raises(ConfigError, match="limit"):
            apply(patch, history)
    with pytest.raises(ConfigError, match="range of every channel"):
        apply(replace(patch, span=(0.0, 1.0)), {"noise": {"sigma": 0.01, "key": 1}})


def test_a_sheared_grid_is_not_mirrored():
    affine = RIGID.copy()
    affine[0, 2] = 0.3
    with pytest.raises(ConfigError, match="sheared"):
        plan({"mirror": {"axes": ["R"], "swap": {}}}, SHAPE, affine)
    plan({"mirror": {"axes": [], "swap": {}}}, SHAPE, affine)


def test_a_patch_of_another_size_is_a_wrong_call():
    with pytest.raises(ValueError, match="margin"):
        planned().apply(make_patch((7, 20, 17)))


def test_a_whole_chain_is_each_step_after_the_other():
    """Contrast and noise after moving: done in one pass, as if done one after the other."""
    patch = replace(make_patch(), affine=RIGID)
    chain = {
        "mirror": {"axes": ["A"], "swap": {}},
        "rotation": {"axis": "S", "degrees": 6.0},
        "contrast": {"factor": 1.1},
        "noise": {"sigma": 0.01, "key": 5},
    }
    together, steps = apply(patch, chain), apply(patch, {n: chain[n] for n in ("mirror", "rotation")})
    for name in ("contrast", "noise"):
        steps = apply(steps, {name: chain[name]})
    np.testing.assert_allclose(together.image, steps.image, atol=1e-6)
    np.testing.assert_array_equal(together.mask, steps.mask)
    assert together.background == steps.background


@pytest.mark.parametrize("moved", [{}, {"rotation": {"axis": "S", "degrees": 6.0}}])
def test_a_channel_that_is_absent_stays_what_it_is_and_the_others_what_they_become(moved):
    patch = replace(make_patch(), affine=RIGID, no_signal=(0.1, 0.7))
    image = patch.image.copy()
    image[1] = 0.5  # its background
    patch = replace(patch, image=image, span=(1.0, 0.0), present=(True, False))
    chain = moved | {"contrast": {"factor": 1.1}, "noise": {"sigma": 0.01, "key": 5}}
    after, full = apply(patch, chain), apply(replace(patch, span=(1.0, 1.0), present=()), chain)
    assert (after.image[1] == 0.5).all()
    assert (after.background[1], after.no_signal[1]) == (0.5, 0.7)
    np.testing.assert_array_equal(after.image[0], full.image[0])
    assert (full.image[1] != 0.5).any()


def test_inputs_are_never_written_to_even_where_a_margin_leaves_them_in_one_piece():
    patch = replace(make_patch((9, 20, 18), channels=1), affine=RIGID)
    before = patch.image.copy()
    out = planned(tone=Tone(factor=1.1, sigma=0.01, key=3)).apply(patch, (1, 0, 0))
    np.testing.assert_array_equal(patch.image, before)
    assert out.shape == SHAPE
