"""TorchIO: random transforms and the ones that are applied as they are (torchio.readthedocs.io, version 0.20 to 1.2)."""

from __future__ import annotations

from isocenter.augment.dialect import CROP, CUT_OUT, LOW_RESOLUTION, MOVED, SCALE, Bound, Meaning, is_on
from isocenter.augment.steps import Step

title = "TorchIO"
modules = ("torchio",)

_DEGREES = Bound(name="degrees", what="rotation", default=10)
_ELASTIC = Bound(name="max_displacement", what="elastic displacement", default=7.5)
_AFFINE_ORDER = (
    "scales", "degrees", "translation", "isotropic", "center", "default_pad_value", "default_pad_label",
    "image_interpolation", "label_interpolation", "check_shape",
)  # fmt: skip
_ELASTIC_ORDER = (
    "num_control_points", "max_displacement", "locked_borders", "image_interpolation", "label_interpolation",
)  # fmt: skip
_KNOWN: dict[str, Meaning] = {
    "RandomAffineElasticDeformation": Meaning(
        outside="an affine and an elastic change, each with arguments of its own"
    ),
    "RandomElasticDeformation": Meaning(bounds=(_ELASTIC,), order=_ELASTIC_ORDER),
    "RandomFlip": Meaning(mirrors="axes", order=("axes", "flip_probability")),
    "RandomNoise": Meaning(
        bounds=(Bound(name="std", what="noise", default=(0, 0.25)),), order=("mean", "std")
    ),
    "RandomAnisotropy": Meaning(forbidden=LOW_RESOLUTION),
    "RandomSwap": Meaning(forbidden=CUT_OUT),
    "RandomCrop": Meaning(forbidden=CROP),
    "Crop": Meaning(forbidden=CROP),
    "CropOrPad": Meaning(forbidden=CROP),
    "Resize": Meaning(forbidden=SCALE),
    "RandomGamma": Meaning(outside="a gamma curve changes contrast unevenly"),
    "RandomBiasField": Meaning(outside="an artificial bias field"),
    "RandomBlur": Meaning(outside="blurring"),
    "RandomMotion": Meaning(outside="artificial motion"),
    "RandomGhosting": Meaning(outside="artificial ghosts"),
    "RandomSpike": Meaning(outside="artificial spikes in k-space"),
    "RandomLabelsToImage": Meaning(outside="an image that is made up from labels"),
}

# What transforms of somebody's own are derived from.
_BASES = {"Transform", "SpatialTransform", "IntensityTransform"}


def meaning_of(step: Step) -> Meaning | None:
    """What a transform of TorchIO does."""
    if step.name == "RandomAffine":
        step = step.named(_AFFINE_ORDER)
        # a number of its own for each axis: 1 is no change; a single one is the width about 1
        is_range = isinstance(step.value("scales"), tuple)
        scales = Bound(name="scales", what="scaling", default=0.1, is_factor=is_range)
        return Meaning(
            bounds=(scales, _DEGREES),
            outside=MOVED if is_on(step.value("translation")) else "",
            order=_AFFINE_ORDER,
        )
    return _KNOWN.get(step.name)


def is_unknown(step: Step) -> bool:
    """Whether it is named as random transforms of TorchIO are."""
    is_theirs = step.origin.startswith(modules) or not step.origin
    is_base = step.origin.startswith(modules) and step.name in _BASES
    return is_base or (is_theirs and step.name.startswith("Random") and step.name[6:7].isupper())
