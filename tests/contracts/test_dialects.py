"""Every dialect keeps its promise: it speaks of its own transforms alone, and in terms that the contract limits."""

import pytest

from isocenter.augment.dialect import DIALECTS, Meaning
from isocenter.augment.lint import LIMITS
from isocenter.augment.steps import Step

# A random transform of each that scales, and one that is no transform of anybody.
SCALING = {"monai": "RandZoomd", "torchio": "RandomAffine", "nnunet": "ZoomTransform"}
THEIRS = {"monai": "monai.transforms", "torchio": "torchio", "nnunet": "batchgeneratorsv2.transforms"}


@pytest.fixture(params=DIALECTS.names())
def name(request):
    return request.param


def step(name, origin="", **arguments):
    return Step(name=name, line=1, arguments=arguments, origin=origin)


def test_it_knows_its_own_and_leaves_the_rest_to_others(name):
    dialect = DIALECTS.get(name)
    assert isinstance(dialect.meaning_of(step(SCALING[name])), Meaning)
    for other in {*SCALING} - {name}:
        assert dialect.meaning_of(step(SCALING[other])) is None
    assert dialect.meaning_of(step("Conv3d")) is None
    assert not dialect.is_unknown(step("Conv3d", origin="torch.nn"))


def test_it_limits_only_what_the_contract_limits(name):
    dialect = DIALECTS.get(name)
    meanings = [dialect.meaning_of(step(one)) for one in (*SCALING.values(), *dialect._KNOWN)]
    bounds = [b for m in meanings if m is not None for b in m.bounds]
    assert bounds
    assert {b.what for b in bounds} <= set(LIMITS)


def test_it_claims_names_like_its_own_from_its_own_modules_alone(name):
    dialect = DIALECTS.get(name)
    strange = {"monai": "RandStranged", "torchio": "RandomStrange", "nnunet": "StrangeTransform"}[name]
    assert dialect.is_unknown(step(strange, origin=THEIRS[name]))
    assert not dialect.is_unknown(step(strange, origin="here"))
