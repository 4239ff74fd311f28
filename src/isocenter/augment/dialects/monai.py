"""MONAI: transforms of arrays and, with a d behind their name, of dictionaries (docs.monai.io, version 1.4 to 1.6)."""

from __future__ import annotations

import math

from isocenter.augment.dialect import CROP, CUT_OUT, LOW_RESOLUTION, SCALE, Bound, Meaning
from isocenter.augment.steps import Step

title = "MONAI"

_DEGREES = 180 / math.pi
_ROTATIONS = tuple(Bound(name=f"range_{axis}", what="rotation", unit=_DEGREES, default=0) for axis in "xyz")
_AFFINE = (
    Bound(name="rotate_range", what="rotation", unit=_DEGREES),
    Bound(name="shear_range", what="shear"),
    Bound(name="scale_range", what="scaling"),
)
_IN_VOXELS = "an elastic change in voxels: how many millimetres that are, no line says"
_ZOOM = (
    Bound(name="min_zoom", what="scaling", default=0.9, is_factor=True),
    Bound(name="max_zoom", what="scaling", default=1.1, is_factor=True),
)
_RANDOM_SIZE = {"random_size": CROP}
_PATCH = Meaning(forbidden_if=_RANDOM_SIZE)
_KNOWN: dict[str, Meaning] = {
    "RandRotate": Meaning(bounds=_ROTATIONS),
    "RandRotate90": Meaning(forbidden="turning by 90 degrees, of which the contract allows 10"),
    "RandFlip": Meaning(mirrors="spatial_axis"),
    "RandAxisFlip": Meaning(outside="mirroring along any axis, drawn by lot"),
    "RandZoom": Meaning(bounds=_ZOOM),
    "RandAffine": Meaning(bounds=_AFFINE),
    "Rand2DElastic": Meaning(bounds=_AFFINE, outside=_IN_VOXELS),
    "Rand3DElastic": Meaning(bounds=_AFFINE, outside=_IN_VOXELS),
    "RandGridDistortion": Meaning(outside=_IN_VOXELS),
    "RandGaussianNoise": Meaning(bounds=(Bound(name="std", what="noise", default=0.1),)),
    "RandRicianNoise": Meaning(bounds=(Bound(name="std", what="noise", default=1.0),)),
    "RandScaleIntensity": Meaning(bounds=(Bound(name="factors", what="contrast"),)),
    "RandScaleIntensityFixedMean": Meaning(bounds=(Bound(name="factors", what="contrast"),)),
    "RandShiftIntensity": Meaning(outside="shifting all values"),
    "RandStdShiftIntensity": Meaning(outside="shifting all values"),
    "RandAdjustContrast": Meaning(outside="a gamma curve changes contrast unevenly"),
    "RandBiasField": Meaning(outside="an artificial bias field"),
    "RandGaussianSmooth": Meaning(outside="blurring"),
    "RandGaussianSharpen": Meaning(outside="sharpening"),
    "RandHistogramShift": Meaning(outside="another histogram"),
    "RandGibbsNoise": Meaning(outside="artificial ringing"),
    "RandKSpaceSpikeNoise": Meaning(outside="artificial spikes in k-space"),
    "RandIntensityRemap": Meaning(outside="other values for tissues"),
    "RandSimulateLowResolution": Meaning(forbidden=LOW_RESOLUTION),
    "RandCoarseDropout": Meaning(forbidden=CUT_OUT),
    "RandCoarseShuffle": Meaning(forbidden=CUT_OUT),
    "CutOut": Meaning(forbidden=CUT_OUT),
    "CutMix": Meaning(forbidden=CUT_OUT),
    "MixUp": Meaning(outside="images that are mixed of two"),
    "RandScaleCrop": Meaning(forbidden=CROP),
    "CenterSpatialCrop": Meaning(forbidden=CROP),
    "CenterScaleCrop": Meaning(forbidden=CROP),
    "SpatialCrop": Meaning(forbidden=CROP),
    "ResizeWithPadOrCrop": Meaning(forbidden=CROP),
    "CropForeground": Meaning(
        outside="cutting off what counts as air: allowed only with a box that is recorded"
    ),
    "Resize": Meaning(forbidden=SCALE),
    "Zoom": Meaning(forbidden=SCALE),
    # patches on the unaltered volume, at native scale
    "RandSpatialCrop": _PATCH,
    "RandSpatialCropSamples": _PATCH,
    "RandCropByPosNegLabel": _PATCH,
    "RandCropByLabelClasses": _PATCH,
    "RandWeightedCrop": _PATCH,
}


def meaning_of(step: Step) -> Meaning | None:
    """What a transform of MONAI does."""
    return _KNOWN.get(_base(step.name))


def is_unknown(step: Step) -> bool:
    """Whether it is named as random transforms of MONAI are."""
    is_theirs = step.origin.startswith("monai") or not step.origin
    return is_theirs and step.name.startswith("Rand") and step.name[4:5].isupper()


def _base(name: str) -> str:
    """The name without the mark of a transform of dictionaries: RandFlipd, RandFlipD, RandFlipDict."""
    for mark in ("Dict", "d", "D"):
        if name.endswith(mark) and name.removesuffix(mark) in _KNOWN:
            return name.removesuffix(mark)
    return name
