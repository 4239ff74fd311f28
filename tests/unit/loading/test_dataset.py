import subprocess
import sys

import pytest

import isocenter
from isocenter.augment.policy import Policy
from isocenter.base.errors import ConfigError, UnknownPlugin
from isocenter.loading.dataset import dataset
from isocenter.loading.sampler import Grid, Weighted
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
