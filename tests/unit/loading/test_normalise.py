from dataclasses import replace

import numpy as np
import pytest

from isocenter.base.errors import ConfigError
from isocenter.loading.normalise import CaseScale, needs_fitting, scalings_of
from isocenter.stores.fitted import FittedChannel
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
        ("percentile:9-2", "a lower and a higher percentile"),
        ("cohort", "no training case has channel 'ct'"),
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


FITTED = FittedChannel(
    cases=3,
    count=900,
    mean=10.0,
    std=4.0,
    low=2.0,
    high=22.0,
    error=0.0,
    standard=(0.0, 10, 20, 30, 40, 55, 60, 70, 80, 90, 100),
    without_scale=0,
    units=("stored",),
    foregrounds=("mean",),
)


def only(store, word, **changes):
    (scaling,) = scalings_of(store.manifest, ["pet"], word, {"pet": replace(FITTED, **changes)})
    return scaling


def test_percentiles_of_the_case_become_0_and_1(two_channels):
    scaling, scale = only(two_channels, "percentile"), CaseScale(marks=(10.0, 30.0))
    values = np.array([[[0, 10, 20, 30, 90]]], np.int16)
    assert scaling.apply(values, scale)[0, 0].tolist() == [0, 0, 0.5, 1, 1]
    assert scaling.percents == (0.5, 99.5)
    assert (scaling.centre(), scaling.span(scale)) == (0.5, 1.0)
    flat = scaling.apply(values, CaseScale(marks=(20.0, 20.0)))
    assert flat[0, 0].tolist() == [0, 0, 0, 1, 1]
    assert scaling.apply(values, CaseScale()).tolist() == [[[0.0] * 5]]


def test_a_cohort_is_cut_off_then_scaled_by_its_own_mean_and_spread(two_channels):
    scaling = only(two_channels, "cohort")
    values = np.array([[[-50, 2, 10, 14, 22, 500]]], np.int16)
    assert scaling.apply(values, CaseScale())[0, 0].tolist() == [-2, -2, 0, 1, 3, 3]
    assert (scaling.centre(), scaling.span(CaseScale())) == (0.0, 5.0)


def test_the_standard_scale_has_its_own_centre_and_width(two_channels):
    scaling = only(two_channels, "nyul")
    scale = CaseScale(marks=tuple(float(n) for n in range(0, 110, 10)))
    assert scaling.apply(np.array([[[0, 50, 100]]], np.int16), scale)[0, 0].tolist() == [0, 55, 100]
    assert (scaling.centre(), scaling.span(scale)) == (55, 100.0)
    assert scaling.value(50, CaseScale()) == 0.0


@pytest.mark.parametrize(
    ("word", "changes", "said"),
    [
        ("cohort", {"units": ("Bq/ml", "counts")}, "in Bq/ml and counts"),
        ("cohort", {"std": 0.0}, "one single value"),
        ("nyul", {"standard": ()}, "in no training case"),
    ],
)
def test_what_cannot_be_fitted_is_told(two_channels, word, changes, said):
    with pytest.raises(ConfigError, match=said):
        only(two_channels, word, **changes)


def test_the_cohort_says_how_a_channel_is_normalised_unless_the_caller_does(two_channels):
    manifest = two_channels.manifest
    channels = {
        n: replace(c, normalise="nyul" if n == "pet" else "") for n, c in manifest.task.channels.items()
    }
    manifest = replace(manifest, task=replace(manifest.task, channels=channels))
    assert needs_fitting(manifest, ["ct", "pet"], None)
    assert not needs_fitting(manifest, ["ct"], None)
    assert not needs_fitting(manifest, ["ct", "pet"], {"pet": "zscore"})
    assert not needs_fitting(manifest, ["ct", "pet"], "none")
    kinds = [s.kind for s in scalings_of(manifest, ["ct", "pet"], None, {"pet": FITTED})]
    assert kinds == ["window", "nyul"]


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.uint8, np.int32, np.float32])
@pytest.mark.parametrize("word", ["none", "zscore", "percentile", "cohort", "nyul"])
def test_written_in_place_every_value_is_what_it_is_alone(two_channels, word, kind):
    scaling = only(two_channels, word)
    marks = tuple(float(n) for n in range(0, 1100, 100))
    scale = CaseScale(mean=31.7, std=13.3, marks=marks[:2] if word == "percentile" else marks)
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (5, 120, 120)).astype(kind)
    if kind in (np.int16, np.uint16):
        values = np.arange(1 << 16, dtype=np.uint16).view(kind).repeat(2).reshape(8, 128, 128)
    for layout in (values, values[:, ::2], values[:, :, ::-1]):
        out = np.full(layout.shape, 7, np.float32)
        scaling.into(layout, scale, out)
        np.testing.assert_array_equal(out, scaling.apply(np.ascontiguousarray(layout), scale))


def test_a_case_never_has_the_table_of_another(two_channels):
    scaling, values = only(two_channels, "zscore"), np.zeros((1, 256, 256), np.int16)
    found = []
    for mean in (1.0, 2.0, 1.0):
        out = np.empty(values.shape, np.float32)
        scaling.into(values, CaseScale(mean=mean, std=1.0), out)
        found.append(float(out[0, 0, 0]))
    assert found == [-1, -2, -1]
