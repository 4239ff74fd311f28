"""What a build says of intensities: foreground by name, histograms that merge, and MR without its bias field."""

import json
import shutil

import numpy as np
import pytest

import isocenter
from isocenter.base.errors import ConfigError
from isocenter.imaging.histogram import merge
from isocenter.imaging.histogram_bytes import unpack
from isocenter.loading.fitted import fitted_of
from isocenter.model.issue import Issue
from isocenter.model.rows import CaseRow
from isocenter.stores.store import Store
from tests.unit.stages.cohort import BOX, Cohort


@pytest.fixture
def cohort(tmp_path):
    return Cohort(tmp_path)


def only(cohort, **standardise) -> CaseRow:
    cohort.run(standardise=standardise)
    [row] = cohort.rows("cases", CaseRow)
    return row


def test_a_row_names_the_foreground_and_holds_every_value(cohort):
    array = cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX))
    for way, name, inside in (
        ("auto", "hu>-500", array > -500),
        ("mean", "mean", array > array.astype(float).mean()),
        ("nonzero", "nonzero", array != 0),
        ("all", "all", array > -2000),
    ):
        row = only(cohort, foreground=way)
        assert row.foregrounds == (name,)
        facts = json.loads(row.statistics[0])
        assert facts["count"] == inside.sum()
        assert facts["p30"] == pytest.approx(np.percentile(array[inside], 30))
        whole = merge([unpack(row.histograms[0]), unpack(row.backgrounds[0])])
        levels, counts = np.unique(array, return_counts=True)
        seen = np.flatnonzero(whole.counts)
        assert (seen + whole.first).tolist() == levels.tolist()
        assert whole.counts[seen].tolist() == counts.tolist()
        assert unpack(row.histograms[0]).total == inside.sum()
    assert "threshold" not in facts


def test_otsu_says_where_it_parts(cohort):
    array = cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX))
    facts = json.loads(only(cohort, foreground="otsu").statistics[0])
    assert facts["count"] == (array > facts["threshold"]).sum()


def test_a_channel_that_is_not_there_has_no_histogram(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX))
    late = {"modality": "MR", "path": ["*/mr.nii"], "optional": True, "normalise": "nyul"}
    cohort.run(channels=cohort.document["channels"] | {"mr": late})
    [row] = cohort.rows("cases", CaseRow)
    assert row.foregrounds == ("hu>-500", "")
    assert row.histograms[1] == row.backgrounds[1] == b""


def test_a_store_copied_alone_can_be_fitted(cohort, tmp_path):
    for n in range(6):
        cohort.ct(f"p{n}/ct.nii", seed=n)
        cohort.mask(f"p{n}/mask1.nii", (1, BOX))
    cohort.run()
    isocenter.run(cohort.folder / "cohort.yaml", until="split")
    shutil.copytree(cohort.work / "store", tmp_path / "alone")
    shutil.rmtree(cohort.work)
    store = Store(tmp_path / "alone")
    train = {r.subject for r in store.split().of("train")}
    voxels = [np.asarray(c.image)[0] for c in store.values() if c.subject in train]
    inside = np.concatenate([v[v > -500] for v in voxels]).astype(np.float64)
    found = fitted_of(store, "default", None).channels["ct"]
    assert found.count == inside.size
    assert (found.mean, found.std) == pytest.approx((inside.mean(), inside.std()), rel=1e-12)
    assert (found.low, found.high) == pytest.approx(np.percentile(inside, [0.5, 99.5]))


def test_mr_alone_loses_its_bias_field(cohort):
    shape = (32, 32, 24)
    random = np.random.default_rng(2)
    i = np.linspace(-1, 1, shape[0])[:, None, None]
    head = np.zeros(shape)
    head[4:-4, 4:-4, 3:-3] = 800
    biased = head * np.exp(0.4 * i) + random.normal(20, 5, shape)
    cohort.save("p/mr.nii", biased.astype(np.int16), np.diag([2.0, 2, 2, 1]))
    cohort.save("p/ct.nii", (biased - 1000).astype(np.int16), np.diag([2.0, 2, 2, 1]))
    cohort.mask("p/mask1.nii", (1, BOX), affine=np.diag([2.0, 2, 2, 1]), shape=shape)
    mr = {"modality": "MR", "path": ["*/mr.nii"], "assume_registered": "made so"}
    cohort.run(channels=cohort.document["channels"] | {"mr": mr}, standardise={"bias_field": "n4"})
    [record] = cohort.records()
    ct, made = np.asarray(record.image)
    tissue = head.transpose(2, 1, 0) > 0
    assert np.array_equal(ct.astype(np.int16), (biased - 1000).astype(np.int16).transpose(2, 1, 0))
    before, after = (float(a[tissue].std() / a[tissue].mean()) for a in (ct + 1000, made))
    assert after < before / 3
    told = [i.rule for i in cohort.rows("issues", Issue)]
    assert told.count("read/bias-corrected") == 1


@pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos"])
def test_no_kernel_leaves_the_range_that_the_store_names(cohort, kernel):
    shape = (24, 24, 12)
    array = np.full(shape, -1000, np.int16)
    array[6:18, 6:18] = 40
    array[10:13, 10:13] = 8000  # metal: a cubic rings there, above 3071 and below -1024
    cohort.save("p/ct.nii", array)
    cohort.mask("p/mask1.nii", (1, BOX), shape=shape)
    cohort.run(standardise={"kernel": kernel, "spacing": 0.7})
    [record] = cohort.records()
    image = np.asarray(record.image)
    assert (image.min(), image.max()) == (-1000 if kernel == "linear" else -1024, 3071)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"standardise": {"foreground": "body"}}, "auto, mean, otsu, nonzero, all"),
        ({"standardise": {"bias_field": "n3"}}, "n3"),
        ({"channels": {"ct": {"modality": "CT", "normalise": "nyull"}}}, "none of none"),
    ],
)
def test_a_wrong_word_in_the_config_is_told(cohort, changes, said):
    cohort.ct()
    with pytest.raises(ConfigError, match=said):
        cohort.run(**changes)
