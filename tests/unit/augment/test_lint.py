"""What breaks the contract of augmentation is named, line by line, and nothing of a foreign text is run."""

import math

import pytest

from isocenter.augment.lint import lint
from isocenter.base.errors import ConfigError

TORCHIO = """\
import torchio as tio
from torchio import RandomNoise

angle = 8
policy = tio.Compose([
    tio.RandomAffine(),
    tio.RandomAffine(scales=0, degrees=angle),
    tio.RandomAffine(scales=(1, 1), degrees=(-12, 3), translation=5),
    tio.RandomFlip(axes=("LR",)),
    tio.RandomElasticDeformation(max_displacement=5),
    tio.RandomElasticDeformation(7, 30),
    RandomNoise(std=0.01),
    RandomNoise(),
    tio.RandomAnisotropy(),
    tio.RandomGamma(),
    tio.ToCanonical(),
    tio.RandomAffine(scales=0, degrees=limit_of(patient)),
    tio.RandomSomethingNew(),
])
RandomState(3)
"""
MONAI = """\
train:
  transforms:
    - {_target_: LoadImaged, keys: image}
    - {_target_: RandRotated, range_x: 0.17, range_z: 0.3}
    - {_target_: monai.transforms.RandZoom, prob: 0.2}
    - {_target_: RandFlipD, spatial_axis: 0}
    - _target_: RandGaussianNoised
      std: 0.005
    - {_target_: RandScaleIntensityd, factors: 0.15}
    - {_target_: RandScaleIntensityd, factors: 0.25}
    - {_target_: RandCropByPosNegLabeld, spatial_size: [96, 96, 96]}
    - {_target_: RandSpatialCropd, roi_size: [96, 96, 96], random_size: true}
    - {_target_: RandAffined, rotate_range: [0.1, 0.1, 0.1], scale_range: "$@width"}
    - {_target_: RandFancyd}
"""
NNUNET = """\
import numpy as np
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.noise.gaussian import GaussianNoiseTransform
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer


class Mine(nnUNetTrainer):
    num_epochs = 10


class Careful(nnUNetTrainer):
    def get_training_transforms(self, patch_size, rotation_for_DA):
        rotation = (-10 / 360 * 2 * np.pi, 10 / 360 * 2 * np.pi)
        return [
            SpatialTransform(patch_size, p_rotation=0.2, rotation=rotation, random_crop=False),
            SpatialTransform(patch_size, p_scaling=0.2, scaling=(0.7, 1.4), random_crop=True),
            SpatialTransform(patch_size, scaling=(0.7, 1.4)),
            RandomTransform(GaussianNoiseTransform(noise_variance=(0, 0.01)), apply_probability=0.1),
            RandomTransform(GaussianNoiseTransform(), apply_probability=0.1),
        ]
"""


def found_in(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return {(int(i.source.split()[1]), i.rule.split("/")[1], i.measured) for i in lint(path)}


def test_torchio_is_judged_line_by_line(tmp_path):
    assert found_in(tmp_path, "policy.py", TORCHIO) == {
        (6, "beyond-limit", "0.1"),
        (8, "beyond-limit", "12"),
        (8, "outside-contract", ""),
        (9, "mirror-undeclared", "axes ('LR',)"),
        (11, "beyond-limit", "30"),
        (13, "beyond-limit", "0.25"),
        (14, "forbidden", ""),
        (15, "outside-contract", ""),
        (17, "unread-argument", "degrees=limit_of(patient)"),
        (18, "unknown-step", "RandomSomethingNew"),
    }


def test_bundles_of_monai_are_judged_line_by_line(tmp_path):
    assert found_in(tmp_path, "train.yaml", MONAI) == {
        (4, "beyond-limit", f"{math.degrees(0.3):.4g}"),
        (5, "beyond-limit", "0.1"),
        (6, "mirror-undeclared", "axes 0"),
        (10, "beyond-limit", "0.25"),
        (12, "forbidden", ""),
        (13, "unread-argument", "scale_range=$@width"),
        (14, "unknown-step", "RandFancyd"),
    }


def test_trainers_of_nnunet_are_judged_line_by_line_and_so_is_what_they_inherit(tmp_path):
    assert found_in(tmp_path, "trainer.py", NNUNET) == {
        (8, "forbidden", ""),
        (17, "forbidden", ""),
        (17, "beyond-limit", "0.4"),
        (20, "beyond-limit", "0.1"),
    }


PLACED = """\
import functools
import monai.transforms as mt
import torchio as tio
from batchgenerators.transforms.spatial_transforms import SpatialTransform as Old
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from monai.transforms import RandAffined as RA
from monai.transforms import RandFancyd as RF
mt.RandRotated("image", 0.2)
mt.RandRotate(0.2)
RA(keys="image", scale_range=(0.1,))
RA("image", None, 0.1, 0.3)
mt.RandAffine(0.1, 0.3)
mt.RandRotated(keys="image", **options)
mt.RandRotated(*arguments)
mt.RandRotated("image", 0, 0, 0, 0.1, True, "bilinear", "border", False, None, True, False, 1)
cls = mt.RandRotated
cls("image", range_x=0.5)
partial = functools.partial(mt.RandZoomd, "image")
RF("image")
getattr(mt, "RandRotated")("image", 0.3)
getattr(mt, chosen)("image")
class Mine(mt.RandRotated): pass
class Own(mt.MapTransform): pass
for each in (mt.RandZoomd, mt.RandRotated): each("image")
registry.build("RandZoomd", keys="image")
tio.RandomNoise(0, 0.3)
tio.RandomAffine(0, 10, 5)
SpatialTransform(shape, 0, True)
SpatialTransform(shape, 0, False, 0, 1, 1, 1, 0.2, 0.5)
Old(shape, 30, False, 0, 0, True, 0.5, 0, 0, False)
"""


def test_positions_aliases_and_what_is_only_named_are_judged_or_told(tmp_path):
    assert found_in(tmp_path, "policy.py", PLACED) == {
        (8, "beyond-limit", "11.46"),
        (9, "beyond-limit", "11.46"),
        (10, "beyond-limit", "0.1"),
        (11, "beyond-limit", "17.19"),
        (12, "beyond-limit", "17.19"),
        (13, "unread-argument", "RandRotated(**options)"),
        (14, "unread-argument", "RandRotated(*arguments)"),
        (15, "unread-argument", "RandRotated(1)"),
        (17, "beyond-limit", "28.65"),
        (18, "unread-argument", "RandZoomd"),
        (19, "unknown-step", "RandFancyd"),
        (20, "beyond-limit", "17.19"),
        (21, "unknown-step", "getattr(mt, chosen)"),
        (22, "unread-argument", "RandRotated"),
        (23, "unknown-step", "MapTransform"),
        (24, "unread-argument", "RandZoomd"),
        (24, "unread-argument", "RandRotated"),
        (25, "unread-argument", "RandZoomd"),
        (26, "beyond-limit", "0.3"),
        (27, "outside-contract", ""),
        (28, "forbidden", ""),
        (29, "beyond-limit", f"{math.degrees(0.5):.4g}"),
        (30, "beyond-limit", f"{math.degrees(0.5):.4g}"),
    }


@pytest.mark.parametrize(
    "value",
    [
        "limit(0.1)",
        "'0.5'",
        "True",
        "{'x': 0.5}",
        "angle",  # of a function
        "late",
        "parts",
        "grown",
        "first",
    ],
)
def test_a_value_that_is_not_certain_is_never_within_the_limit(tmp_path, value):
    text = f"""
from monai.transforms import RandRotated
angle = 0.1
late = 0.1
late: float = 0.5
parts = [0.1]
parts[0] = 0.5
grown = [0.1]
grown.append(0.5)
first = 0.1
(first, second) = 0.5, 0.1
def made(angle=0.5):
    return RandRotated("image", {value})
"""
    assert {rule for _, rule, _ in found_in(tmp_path, "policy.py", text)} == {"unread-argument"}


def test_what_is_imported_as_a_star_may_be_the_framework_s(tmp_path):
    text = "from monai.transforms import *\nRandFancyd('image')\n"
    assert found_in(tmp_path, "policy.py", text) == {(2, "unknown-step", "RandFancyd")}


def test_an_annotation_and_a_sampler_that_is_passed_on_are_no_findings(tmp_path):
    text = (
        "from functools import partial\nimport monai.transforms as mt\n"
        "def made(step: mt.RandZoomd) -> mt.RandRotated:\n    return step\n"
        "sample = partial(mt.RandCropByPosNegLabeld, 'image')\n"
        "mt.RandRotated('image', 0.1)\n"
    )
    assert not found_in(tmp_path, "policy.py", text)


def test_documents_hide_nothing_in_lists_texts_and_expressions(tmp_path):
    text = """\
transforms:
  - {_target_: monai.transforms.RandRotate, _args_: [0.2]}
  - {name: second, type: RandZoomd, min_zoom: 1, max_zoom: 1.5}
  - RandFlipd
  - {RandomNoise: 0.25}
  - "$monai.transforms.RandRotated(@keys, 0.2)"
  - {_target_: RandRotated, kwargs: "$@options"}
  - {class: RandRotated, range_x: 0.3, params: {range_y: 0.2}}
"""
    assert found_in(tmp_path, "train.yaml", text) == {
        (2, "beyond-limit", "11.46"),
        (3, "beyond-limit", "0.5"),
        (4, "unread-argument", "RandFlipd"),
        (5, "unread-argument", "RandomNoise"),
        (6, "beyond-limit", "11.46"),
        (7, "unread-argument", "RandRotated(kwargs=$@options)"),
        (8, "beyond-limit", f"{math.degrees(0.3):.4g}"),
        (8, "beyond-limit", "11.46"),
    }


def test_a_policy_at_the_limits_passes(tmp_path):
    text = "import torchio as tio\ntio.RandomAffine(scales=0, degrees=10)\ntio.RandomNoise(std=(0, 0.01))\n"
    assert not found_in(tmp_path, "policy.py", text)


def test_json_is_judged_as_yaml_is(tmp_path):
    text = '{"transforms": [\n  {"_target_": "RandZoomd",\n   "min_zoom": 1.0, "max_zoom": 1.5}]}'
    assert found_in(tmp_path, "bundle.json", text) == {(2, "beyond-limit", "0.5")}


def test_a_text_is_never_run(tmp_path):
    sign = tmp_path / "was-run"
    text = f"import torchio as tio\nopen({str(sign)!r}, 'w')\ntio.RandomAffine(degrees=__import__('os').getpid())\n"
    found_in(tmp_path, "policy.py", text)
    assert not sign.exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("policy.py", "print('no transform')", "names no transform"),
        ("policy.py", "def (", "is not Python"),
        ("policy.py", "a = " + "-" * 100_000 + "1", "is not Python"),
        ("policy.txt", "RandomAffine", "is no configuration"),
        ("policy.yaml", "a: [1", "is not YAML"),
        ("policy.py", "x" * ((1 << 20) + 1), "is larger than"),
    ],
)
def test_what_cannot_be_judged_is_refused(tmp_path, name, text, said):
    with pytest.raises(ConfigError, match=said):
        found_in(tmp_path, name, text)
