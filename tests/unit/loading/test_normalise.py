import numpy as np
import pytest

from isocenter.base.errors import ConfigError
from isocenter.loading.normalise import CaseScale, scalings_of
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

VALUES = np.array([[[-1350, -600, 150, 3071, -1024]]], np.int16)


def test_a_channel_with_windows_gives_one_channel_each(two_channels):
    lung, pet = scalings_of(two_channels.manifest, ["ct", "pet"], None)
    assert (lung.name, pet.name) == ("ct:lung", "pet")
    np.testing.assert_allclose(lung.apply(VALUES, CaseScale())[0, 0], [0, 0.5, 1, 1, 326 / 1500], atol=1e-6)
    scale = CaseScale(mean=100, std=50, width=300)
    np.testing.assert_allclose(pet.apply(VALUES, scale), (VALUES.astype(float) - 100) / 50, rtol=1e-6)
    assert (lung.centre(), pet.centre()) == (0.5, 0.0)
    assert (lung.span(scale), pet.span(scale)) == (1.0, 6.0)
    assert lung.value(-600, scale) == pytest.approx(0.5)
    assert pet.value(200, scale) == pytest.approx(2)


def test_ct_without_a_window_is_its_whole_range(tmp_path):
    manifest = Store(build(tmp_path / "s", [make_case(0)], windows={})).manifest
    (scaling,) = scalings_of(manifest, ["ct"], None)
    assert scaling.name == "ct"
    np.testing.assert_allclose(
        scaling.apply(VALUES, CaseScale())[0, 0], [0, 424 / 4095, 1174 / 4095, 1, 0], atol=1e-6
    )


def test_words_for_all_or_per_channel(two_channels):
    manifest = two_channels.manifest
    names = [s.name for s in scalings_of(manifest, ["ct", "pet"], {"ct": "window:bone,lung"})]
    assert names == ["ct:bone", "ct:lung", "pet"]
    assert [s.kind for s in scalings_of(manifest, ["ct", "pet"], "none")] == ["none", "none"]
    assert [s.kind for s in scalings_of(manifest, ["pet", "ct"], {"ct": "zscore"})] == ["zscore", "zscore"]
    (raw,) = scalings_of(manifest, ["ct"], "none")
    assert raw.apply(VALUES, CaseScale(mean=3, std=9)).tolist() == VALUES.tolist()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("window:lnug", "did you mean 'lung'"),
        ("zscores", "none of none, window"),
        ({"mr": "none"}, "no channel 'mr'"),
        ({"pet": "window:lung"}, "not in the unit of channel 'pet'"),
    ],
)
def test_a_slip_is_told(two_channels, word, said):
    with pytest.raises(ConfigError, match=said):
        scalings_of(two_channels.manifest, ["ct", "pet"], word)


def test_what_a_case_keeps_of_a_channel():
    assert CaseScale.of({}) is None
    assert CaseScale.of({"mean": 5.0, "std": 0.0}) == CaseScale(mean=5.0)
    assert CaseScale.of({"mean": 5.0, "std": 2.0}) == CaseScale(mean=5.0, std=2.0, width=12.0)
    assert CaseScale.of({"mean": 5.0, "std": 2.0, "p0.5": 1.0, "p99.5": 9.0}).width == 8.0
