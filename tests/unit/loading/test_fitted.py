"""What is fitted comes from the training part alone, equals what its voxels say, and is refused for other cases."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.base import tables
from isocenter.base.errors import ConfigError, StaleArtefact, StoreCorrupt
from isocenter.imaging.histogram_bytes import pack
from isocenter.imaging.landmarks import PERCENTS
from isocenter.imaging.statistics import measure
from isocenter.loading import fitted
from isocenter.loading.dataset import dataset
from isocenter.loading.fitted import fitted_of
from isocenter.model.rows import CaseRow
from isocenter.model.split import Split, SplitRow
from isocenter.stores.fitted import read_fitted
from isocenter.stores.splits import write_split
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

TRAIN, VAL = (0, 1, 4, 5), (2, 3)
SHAPE = (6, 20, 18)


def head(number: int, dtype: str) -> np.ndarray:
    """An MR image of one case: background, two tissues, and a gain that is the case's own."""
    random = np.random.default_rng(number)
    values = np.where(random.random(SHAPE) < 0.4, random.normal(20, 6, SHAPE), random.normal(400, 90, SHAPE))
    values = np.clip(values * (1 + 0.3 * number), 0, 32_000)
    return values.astype(dtype)


def made(
    root: Path, *, dtype: str = "int16", flat: int | None = None, verdicts: dict[int, str] | None = None
) -> Store:
    """Six cases with CT and MR whose rows are measured, as the build measures them."""
    cases, facts = [], {}
    for number in range(6):
        case = replace(make_case(number, SHAPE, ("ct", "mr")), verdict=(verdicts or {}).get(number, "keep"))
        image = case.image.astype(dtype)
        image[1] = 7 if number == flat else head(number, dtype)
        cases.append(replace(case, image=image, valid=None))
        facts[case.id] = [
            measure(image[0], foreground="hu>-500"),
            measure(image[1], foreground="mean" if number != flat else "all"),
        ]
    build(root, cases)
    rows = [
        replace(
            row,
            statistics=tuple(json.dumps(m.facts) for m in facts[row.id]),
            foregrounds=tuple(m.foreground.name for m in facts[row.id]),
            histograms=tuple(pack(m.inside) for m in facts[row.id]),
            backgrounds=tuple(pack(m.outside) for m in facts[row.id]),
            units=("HU", "stored"),
        )
        for row in tables.read(root / "cases.parquet", CaseRow)
    ]
    tables.write(root / "cases.parquet", CaseRow, rows)
    return Store(root, verify="none")


def inside(store: Store, number: int, channel: int) -> np.ndarray:
    values = np.asarray(store[f"case-{number:04x}"].image)[channel].astype(np.float64)
    return values[values > (-500 if channel == 0 else values.mean())]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_it_is_what_the_voxels_of_the_training_part_say(tmp_path, dtype):
    store = made(tmp_path / "s", dtype=dtype)
    channels = fitted_of(store, "default", None).channels
    for number, name in enumerate(("ct", "mr")):
        voxels = np.concatenate([inside(store, n, number) for n in TRAIN])
        found = channels[name]
        assert (found.cases, found.count) == (4, voxels.size)
        assert found.mean == pytest.approx(voxels.mean(), rel=1e-12)
        assert found.std == pytest.approx(voxels.std(), rel=1e-12)
        assert found.low == pytest.approx(np.percentile(voxels, 0.5), abs=found.error + 1e-9)
        assert found.high == pytest.approx(np.percentile(voxels, 99.5), abs=found.error + 1e-9)
        assert (found.error == 0) == (dtype == "int16")
        assert found.error <= 0.001 * (found.high - found.low)
    own = [np.percentile(inside(store, n, 1), PERCENTS) for n in TRAIN]
    scale = np.mean([100 * (p - p[0]) / (p[-1] - p[0]) for p in own], axis=0)
    assert channels["mr"].standard == pytest.approx(scale, rel=1e-9)
    assert channels["mr"].foregrounds == ("mean",)


def test_the_other_parts_change_nothing(tmp_path):
    """The validation images are others altogether: the fitted numbers are the same to the last digit."""
    store = made(tmp_path / "s")
    before = fitted_of(store, "default", None)
    rows = list(store.rows())
    loud = measure(head(3, "int16") * 30, foreground="mean")
    for n in VAL:
        row = next(r for r in rows if r.id == f"case-{n:04x}")
        at = rows.index(row)
        rows[at] = replace(
            row,
            statistics=(row.statistics[0], json.dumps(loud.facts)),
            histograms=(row.histograms[0], pack(loud.inside)),
        )
    tables.write(store.path / "cases.parquet", CaseRow, rows)
    (store.path / "fitted/default.json").unlink()
    assert fitted_of(Store(store.path, verify="none"), "default", None) == before


def test_cases_under_review_are_not_fitted(tmp_path):
    store = made(tmp_path / "s", verdicts={0: "review"})
    assert fitted_of(store, "default", None).cases == 3


def test_it_is_kept_and_read_again_and_refused_for_other_cases(tmp_path):
    store = made(tmp_path / "s")
    first = fitted_of(store, "default", None)
    assert read_fitted(store.path, "default", None) == first
    assert fitted_of(store, "default", None) == first
    rows = [replace(r, digest="another") if r.id == "case-0000" else r for r in store.rows()]
    tables.write(store.path / "cases.parquet", CaseRow, rows)
    again = Store(store.path, verify="none")
    with pytest.raises(StaleArtefact, match="other cases"):
        dataset(again, "val", normalise={"mr": "nyul"}, framework="numpy")
    dataset(again, "val", normalise={"mr": "zscore"}, framework="numpy")
    (store.path / "fitted/default.json").unlink()
    assert fitted_of(again, "default", None).digest != first.digest


def test_each_fold_has_its_own(tmp_path):
    store = made(tmp_path / "s")
    rows = tuple(SplitRow(subject=f"subject-{n}", partition=f"fold-{n}") for n in range(3))
    write_split(store.path, "cv", Split(strategy="x", seed=0, fractions={}, rows=rows))
    found = [fitted_of(store, "cv", n) for n in range(3)]
    assert len({f.digest for f in found}) == 3
    assert found[1].channels["mr"].count == sum(inside(store, n, 1).size for n in TRAIN)
    with pytest.raises(ConfigError, match="say which one is val"):
        fitted_of(store, "cv", None)
    assert len(list((store.path / "fitted").iterdir())) == 3


def test_a_store_that_cannot_be_written_to_is_fitted_each_time(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    store = made(tmp_path / "s")
    kept = fitted_of(store, "default", None)
    (store.path / "fitted/default.json").unlink()
    monkeypatch.setattr(fitted, "write_fitted", refuse)
    assert fitted_of(store, "default", None) == kept
    assert list((store.path / "fitted").iterdir()) == []


def test_samples_are_on_the_standard_scale(tmp_path):
    store = made(tmp_path / "s")
    standard = fitted_of(store, "default", None).channels["mr"].standard
    for part, numbers in (("train", TRAIN), ("val", VAL)):
        data = dataset(store, part, channels=["mr"], normalise="nyul", framework="numpy")
        for n, number in enumerate(numbers):
            sample = data[n]
            image = np.asarray(store[sample["case"]].image)[1]
            assert sample["case"] == f"case-{number:04x}"
            values = sample["image"][0][image > image.astype(float).mean()]
            np.testing.assert_allclose(np.percentile(values, PERCENTS), standard, atol=0.5)


def test_samples_of_a_cohort_are_cut_off_and_scaled_alike(tmp_path):
    store = made(tmp_path / "s")
    voxels = np.concatenate([inside(store, n, 0) for n in TRAIN])
    low, high = np.percentile(voxels, [0.5, 99.5])
    data = dataset(store, "val", channels=["ct"], normalise="cohort", framework="numpy")
    stored = np.asarray(store[data[0]["case"]].image)[0].astype(np.float64)
    expected = (np.clip(stored, low, high) - voxels.mean()) / voxels.std()
    np.testing.assert_allclose(data[0]["image"][0], expected, atol=1e-5)


def test_percentiles_of_the_case_become_0_and_1(tmp_path):
    store = made(tmp_path / "s")
    for word, percents in (("percentile", (0.5, 99.5)), ("percentile:2-97.5", (2, 97.5))):
        data = dataset(store, "val", channels=["mr"], normalise=word, framework="numpy")
        stored = np.asarray(store[data[0]["case"]].image)[1].astype(np.float64)
        low, high = np.percentile(inside(store, VAL[0], 1), percents)
        expected = np.clip((stored - low) / (high - low), 0, 1)
        np.testing.assert_allclose(data[0]["image"][0], expected, atol=1e-5)


@pytest.mark.parametrize("number", [TRAIN[0], VAL[0]])
def test_percentiles_that_bins_do_not_tell_are_refused(tmp_path, number):
    """One voxel far beyond all others makes the bins of floats as wide as the tissue."""
    store = made(tmp_path / "s", dtype="float32")
    image = head(number, "float32")
    image[0, 0, 0] = 1e6
    spiked = measure(image, foreground="mean")
    rows = list(store.rows())
    at = next(n for n, r in enumerate(rows) if r.id == f"case-{number:04x}")
    statistics, histograms = rows[at].statistics, rows[at].histograms
    rows[at] = replace(
        rows[at],
        statistics=(statistics[0], json.dumps(spiked.facts)),
        histograms=(histograms[0], pack(spiked.inside)),
    )
    tables.write(store.path / "cases.parquet", CaseRow, rows)
    store, word = Store(store.path, verify="none"), "cohort" if number in TRAIN else "percentile:2-98"
    with pytest.raises(ConfigError, match="are known to"):
        dataset(store, "val", channels=["mr"], normalise=word, framework="numpy")
    dataset(store, "val", channels=["mr"], normalise="percentile:1-99", framework="numpy")


def changed(store: Store, number: int, **changes) -> Store:
    """The store with one row that says something else of its MR image."""
    rows = [
        replace(r, **{n: (*getattr(r, n)[:1], v) for n, v in changes.items()})
        if r.id == f"case-{number:04x}"
        else r
        for r in store.rows()
    ]
    tables.write(store.path / "cases.parquet", CaseRow, rows)
    return Store(store.path, verify="none")


def test_images_of_which_nothing_is_foreground_are_refused_by_name(tmp_path):
    """Raw values would pass for z-scores."""
    nothing = json.dumps({"count": 0, "clipped_below": 0.0, "clipped_above": 0.0})
    store = changed(made(tmp_path / "s"), TRAIN[1], statistics=nothing)
    with pytest.raises(ConfigError, match=r"zscore.*'mr'.*nothing is foreground in 1 cases \(case-0001\)"):
        dataset(store, "train", framework="numpy")
    dataset(store, "val", framework="numpy")
    dataset(store, "train", normalise={"mr": "none"}, framework="numpy")
    dataset(store, "train", channels=["ct"], framework="numpy")


def test_raw_values_of_two_units_are_refused(tmp_path):
    store = changed(made(tmp_path / "s"), TRAIN[1], units="SUVbw")
    with pytest.raises(ConfigError, match="'mr' is in SUVbw and no unit, which have no scale in common"):
        dataset(store, "train", normalise={"mr": "none"}, framework="numpy")
    dataset(store, "train", normalise={"mr": "zscore"}, framework="numpy")
    dataset(store, "val", normalise={"mr": "none"}, framework="numpy")
    unnamed = changed(
        store, TRAIN[1], units="arbitrary"
    )  # scaled by a slope, which no more says what values are
    dataset(unnamed, "train", normalise={"mr": "none"}, framework="numpy")


def test_images_without_a_range_are_told(tmp_path):
    store = made(tmp_path / "s", flat=1)
    assert fitted_of(store, "default", None).channels["mr"].without_scale == 1
    with pytest.raises(ConfigError, match=r"1 cases is of one value.*case-0001"):
        dataset(store, "train", normalise={"mr": "nyul"}, framework="numpy")
    dataset(store, "val", normalise={"mr": "nyul"}, framework="numpy")


def test_a_table_of_other_bytes_is_refused(tmp_path):
    store = made(tmp_path / "s")
    rows = [replace(r, histograms=(b"\7", b"\7")) for r in store.rows()]
    tables.write(store.path / "cases.parquet", CaseRow, rows)
    with pytest.raises(StoreCorrupt, match="no histogram"):
        fitted_of(Store(store.path, verify="none"), "default", None)


@pytest.mark.parametrize(
    "word", ["percentile", "percentile:1-99", "percentile:2-98", "nyul", "cohort", "zscore", "none"]
)
def test_a_channel_that_a_case_lacks_is_scaled_by_nothing_in_any_way(tmp_path, word):
    """Rows hold no statistics and no bytes for it, as the build writes them."""
    store = changed(made(tmp_path / "s"), 1, statistics="{}", histograms=b"", units="", foregrounds="")
    data = dataset(store, "train", channels=["mr"], normalise=word, framework="numpy")
    present = {data[n]["case"]: bool(data[n]["present"][0]) for n in range(4)}
    assert present == {"case-0000": True, "case-0001": False, "case-0004": True, "case-0005": True}
    lacking, there = data[1]["image"], data[0]["image"]
    assert np.ptp(lacking) == 0
    assert np.isfinite(lacking).all()
    whole = dataset(made(tmp_path / "whole"), "train", channels=["mr"], normalise=word, framework="numpy")
    if word not in {"nyul", "cohort"}:  # those are fitted over the cases that have the channel
        np.testing.assert_array_equal(there, whole[0]["image"])
