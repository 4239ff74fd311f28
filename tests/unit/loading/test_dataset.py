import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import isocenter
from isocenter.augment.policy import Policy
from isocenter.base.errors import ConfigError, UnknownPlugin
from isocenter.loading.dataset import dataset
from isocenter.loading.sampler import Grid, LabelCentred, Weighted
from isocenter.model.task import Task
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case


def test_a_store_or_its_folder(store):
    for source in (store, store.path, str(store.path)):
        assert len(isocenter.dataset(source, "train", framework="numpy")) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"channels": ["ctt"]}, "did you mean 'ct'"),
        ({"channels": []}, "at least one"),
        ({"channels": ["ct", "ct"]}, "each once"),
        ({"patch": (3, 3)}, "three sizes"),
        ({"patch": 0}, "at least 1"),
        ({"per_case": 0}, "at least 1"),
        ({"per_case": 2, "sampler": Grid(), "patch": 8}, "grid"),
        ({"per_case": 2}, "whole volume"),
        ({"patch": "axal"}, "did you mean 'axial'"),
        ({"patch": (0, None, None)}, "at least 1"),
        ({"patch": (8.7, 8, 8)}, "whole numbers"),
        ({"patch": 8.0}, "whole numbers"),
        ({"patch": True}, "whole numbers"),
        ({"patch": (8, 8, False)}, "whole numbers"),
        ({"patch": (8, 8, "8")}, "whole numbers"),
        ({"sampler": 3}, "a name, or one of"),
        ({"sampler": Grid, "patch": 8}, "the class Grid"),
        ({"sampler": "label"}, "give a patch"),
        ({"per_case": 2, "patch": (None, None, None)}, "whole volume"),
        ({"sampler": Weighted(labels={"tumor": 1})}, "did you mean 'tumour'"),
        ({"sampler": Weighted(map="share:nodes")}, "did you mean 'node'"),
        ({"errors": "ignore"}, "raise or skip"),
        ({"errors": "skip", "patch": 8, "sampler": "grid"}, "for training"),
        ({"errors": "skip", "most_skipped": 0}, "at least 1"),
        ({"least_box_share": 1.5}, "between 0 and 1"),
        ({"sampler": "unifrm"}, "did you mean 'uniform'"),
        ({"normalise": "minmax"}, "none of"),
        ({"augment": {"scale": 0.1}}, "scaling is forbidden"),
        ({"augment": {"noise_sigma": 0.01}, "normalise": "none"}, "normalised channels"),
        (
            {"augment": {"mirror": ["R"], "side_symmetric": True, "swap": {"tumour": "liver"}}},
            "no label 'liver'",
        ),
        ({"augment": {"swap": {"tumour": "liver"}}}, "mirror has no R"),
    ],
)
def test_what_does_not_go_together_is_told(store, options, said):
    with pytest.raises(ConfigError, match=said):
        dataset(store, "train", framework="numpy", **options)


def test_only_training_data_are_augmented(store):
    with pytest.raises(ConfigError, match="only the training part"):
        dataset(store, "val", augment=Policy(contrast=0.1), framework="numpy")
    assert (
        dataset(store, "train", augment=Policy(contrast=0.1), framework="numpy").samples.policy.contrast
        == 0.1
    )


def test_a_single_slice_is_turned_in_its_plane_only(tmp_path):
    case = make_case(0, shape=(1, 40, 36))
    store = Store(build(tmp_path / "s", [case], shards=1))
    with pytest.raises(ConfigError, match="one slice"):
        dataset(store, "train", augment=Policy(rotation_deg=5, rotation_axes=("R",)), framework="numpy")
    data = dataset(store, "train", patch=(1, 16, 16), augment=Policy(rotation_deg=5), framework="numpy")
    assert data[0]["image"].shape == (1, 1, 16, 16)


def test_slices_are_named_where_all_cases_lie_alike(tmp_path):
    store = Store(build(tmp_path / "s", [make_case(0)], orientation="native"))
    with pytest.raises(ConfigError, match="its own axial axis"):
        dataset(store, "train", patch="axial", framework="numpy")
    assert len(dataset(store, "train", patch=(1, None, None), sampler="grid", framework="numpy")) == 12


def test_maps_are_those_of_a_segmentation(tmp_path):
    store = Store(build(tmp_path / "s", [make_case(0)], task=Task.DETECTION))
    with pytest.raises(ConfigError, match="only a segmentation has maps"):
        dataset(store, "train", sampler=Weighted(map="mask:tumour"), framework="numpy")


def test_what_is_evaluated_skips_nothing(store):
    with pytest.raises(ConfigError, match="nobody would see what is missing"):
        dataset(store, "val", errors="skip", framework="numpy")


def test_an_unknown_framework_is_told(store):
    with pytest.raises(UnknownPlugin, match="did you mean 'torch'"):
        dataset(store, "train", framework="troch")


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import isocenter
data = isocenter.dataset(sys.argv[1], "train", patch=8, framework="numpy")
print(len(data), data[0]["case"])
try:
    isocenter.dataset(sys.argv[1], "train")
except ImportError as error:
    print(type(error).__name__, error)
"""


def test_without_torch_numpy_works_and_torch_is_named_with_its_install_line(store):
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(store.path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert run.stdout.splitlines() == [
        "4 case-0000",
        'MissingExtra needs torch: pip install "isocenter[torch]"',
    ]


def test_numbers_of_numpy_are_numbers(store):
    data = dataset(store, "train", patch=np.array([4, 8, 8]), framework="numpy")
    assert data.samples.patch == (4, 8, 8)
    assert dataset(store, "train", patch=np.int16(6), framework="numpy").samples.patch == (6, 6, 6)


def bare(case, *, mask=False, boxes=False, shares=False):
    """A case that keeps some of what patches are centred on."""
    whole = np.full(case.grid.shape, 1 << 15, np.uint16)
    return replace(
        case,
        mask=case.mask if mask else np.zeros_like(case.mask),
        raters={},
        boxes=case.boxes if boxes else np.zeros((0, 6)),
        boxes_voxel=case.boxes_voxel if boxes else np.zeros((0, 6), np.int32),
        box_labels=case.box_labels if boxes else (),
        shares={"tumour": whole} if shares else {},
        known={"node": whole > 0} if shares else {},
    )


SAMPLERS = {
    "label": ("label", {"mask", "boxes"}),
    "lesion": ("lesion", {"boxes"}),
    "weights": (Weighted(labels={"tumour": 2, "background": 0}), {"mask", "boxes"}),
    "mask": (Weighted(map="mask:node"), {"mask"}),
    "share": (Weighted(map="share:tumour"), {"shares"}),
    "known": (Weighted(map="known:node"), {"shares"}),
}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("there", ["mask", "boxes", "shares", "nothing"])
def test_a_sampler_that_no_case_has_anything_for_is_refused(tmp_path, name, there):
    """It would draw otherwise than was asked, from every case; where one case has it, the others are drawn from by chance."""
    sampler, needs = SAMPLERS[name]
    has = {} if there == "nothing" else {there: True}
    cases = [bare(make_case(0)), bare(make_case(1), **has)]
    store = Store(build(tmp_path / "s", cases, shards=1))
    options = {"patch": 4, "per_case": 40, "sampler": sampler, "framework": "numpy"}
    if there not in needs:
        with pytest.raises(ConfigError, match="none of 2 cases has"):
            dataset(store, "train", **options)
        return
    data = dataset(store, "train", **options)
    assert {data[n]["sampler"] for n in range(40)} == {"uniform"}
    assert {data[n]["sampler"] for n in range(40, 80)} & {"label", "map"}


def test_in_a_classification_nothing_is_centred_on(tmp_path):
    store = Store(build(tmp_path / "s", [bare(make_case(0))], task=Task.CLASSIFICATION, shards=1))
    with pytest.raises(ConfigError, match="none of 1 cases has a labelled voxel or a box"):
        dataset(store, "train", patch=4, sampler="label", framework="numpy")


def test_a_background_that_is_asked_for_is_there_and_so_is_a_share_of_nothing(tmp_path):
    store = Store(build(tmp_path / "s", [bare(make_case(0))], shards=1))
    for sampler in (Weighted(labels={"background": 1, "tumour": 1}), LabelCentred(share=0)):
        assert len(dataset(store, "train", patch=4, sampler=sampler, framework="numpy")) == 1


def test_what_cannot_be_read_is_told_when_it_is_read(store):
    for shard in (store.path / "shards").iterdir():
        shard.write_bytes(shard.read_bytes()[:100])
    data = dataset(store, "train", patch=4, sampler="label", framework="numpy")
    with pytest.raises(RuntimeError, match="case-0000"):
        data[0]


@pytest.mark.parametrize("channels", [("pet", "ct"), ("ct", "pet")])
def test_channels_come_in_the_order_of_the_config_as_in_the_store(tmp_path, channels):
    cases = [make_case(n, channels=channels) for n in range(2)]
    store = Store(build(tmp_path / "s", cases))
    data = dataset(store, "train", normalise="none", framework="numpy")
    assert data.samples.channel_names == store["case-0000"].channels == channels
    np.testing.assert_array_equal(data[0]["image"], np.asarray(store["case-0000"].image))
    turned = dataset(store, "train", channels=channels[::-1], normalise="none", framework="numpy")
    np.testing.assert_array_equal(turned[0]["image"], data[0]["image"][::-1])
