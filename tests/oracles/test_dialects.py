"""Names and defaults that we say of a framework's transforms are those of the framework, where it is installed."""

import inspect

import pytest

from isocenter.augment.dialect import DIALECTS
from isocenter.augment.steps import Step


@pytest.mark.parametrize(("name", "module"), [("torchio", "torchio"), ("monai", "monai.transforms")])
def test_names_places_and_defaults_are_those_of_the_framework(name, module):
    framework = pytest.importorskip(module, exc_type=ImportError)
    dialect = DIALECTS.get(name)
    n_compared = n_ordered = 0
    dictionaries = [f"{n}d" for n in dialect._KNOWN] if name == "monai" else []
    for transform in (*dialect._KNOWN, *dictionaries, "RandomAffine"):
        made = getattr(framework, transform, None)
        meaning = dialect.meaning_of(Step(name=transform, line=1))
        if made is None or meaning is None:
            continue
        parameters = inspect.signature(made).parameters
        if meaning.order:
            assert (transform, list(parameters)[: len(meaning.order)]) == (transform, [*meaning.order])
            n_ordered += 1
        for bound in meaning.bounds:
            own = parameters[bound.name]
            default = None if own.default is inspect.Parameter.empty else own.default
            assert (transform, bound.name, _plain(default)) == (transform, bound.name, _plain(bound.default))
            assert bound.name in meaning.order
            n_compared += 1
        if meaning.mirrors:
            assert meaning.mirrors in parameters
    assert n_compared >= {"torchio": 4, "monai": 30}[name]
    assert n_ordered >= {"torchio": 4, "monai": 24}[name]


def _plain(default):
    """A default without its spelling: nothing said and 0 both mean no change."""
    if default is None:
        return 0.0
    return tuple(float(n) for n in default) if isinstance(default, tuple | list) else default
