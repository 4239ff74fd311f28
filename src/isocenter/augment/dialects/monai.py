"""MONAI: transforms of arrays and, with a d behind their name, of dictionaries (docs.monai.io, version 1.4 to 1.6)."""

from __future__ import annotations

import math
from dataclasses import replace

from isocenter.augment.dialect import CROP, CUT_OUT, LOW_RESOLUTION, MOVED, SCALE, Bound, Meaning, is_on
from isocenter.augment.steps import Step

title = "MONAI"
modules = ("monai",)

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
    "RandCropByPosNegLabel": Meaning(),
    "RandCropByLabelClasses": Meaning(),
    "RandWeightedCrop": Meaning(),
}
# Arguments by their position: of the transform of arrays, and of that of dictionaries.
_ZOOMED = "prob min_zoom max_zoom mode padding_mode align_corners dtype keep_size"
_TURNED = "range_x range_y range_z prob keep_size mode padding_mode align_corners dtype"
_MOVED = "rotate_range shear_range translate_range scale_range"
_ORDERS = {
    "RandRotate": (f"{_TURNED} lazy", f"keys {_TURNED} allow_missing_keys lazy"),
    "RandFlip": ("prob spatial_axis lazy", "keys prob spatial_axis allow_missing_keys lazy"),
    "RandZoom": (f"{_ZOOMED} lazy", f"keys {_ZOOMED} allow_missing_keys lazy"),
    "RandAffine": (
        f"prob {_MOVED} spatial_size mode padding_mode cache_grid device lazy",
        f"keys spatial_size prob {_MOVED} mode padding_mode cache_grid device allow_missing_keys lazy",
    ),
    "Rand2DElastic": (
        f"spacing magnitude_range prob {_MOVED} spatial_size mode padding_mode device",
        f"keys spacing magnitude_range spatial_size prob {_MOVED} mode padding_mode device allow_missing_keys",
    ),
    "Rand3DElastic": (
        f"sigma_range magnitude_range prob {_MOVED} spatial_size mode padding_mode device",
        f"keys sigma_range magnitude_range spatial_size prob {_MOVED} mode padding_mode device allow_missing_keys",
    ),
    "RandGaussianNoise": (
        "prob mean std dtype sample_std",
        "keys prob mean std dtype allow_missing_keys sample_std",
    ),
    "RandRicianNoise": (
        "prob mean std channel_wise relative sample_std dtype",
        "keys prob mean std channel_wise relative sample_std dtype allow_missing_keys",
    ),
    "RandScaleIntensity": ("factors prob channel_wise dtype", "keys factors prob channel_wise dtype"),
    "RandScaleIntensityFixedMean": (
        "prob factors fixed_mean preserve_range dtype",
        "keys factors fixed_mean preserve_range prob dtype",
    ),
    "RandSpatialCrop": (
        "roi_size max_roi_size random_center random_size lazy",
        "keys roi_size max_roi_size random_center random_size allow_missing_keys lazy",
    ),
    "RandSpatialCropSamples": (
        "roi_size num_samples max_roi_size random_center random_size lazy",
        "keys roi_size num_samples max_roi_size random_center random_size allow_missing_keys lazy",
    ),
}
# What transforms of somebody's own are derived from.
_BASES = {"Transform", "MapTransform", "RandomizableTransform", "Randomizable", "RandomizableTrait"}


def meaning_of(step: Step) -> Meaning | None:
    """What a transform of MONAI does."""
    base = _base(step.name)
    meaning = _KNOWN.get(base)
    if meaning is None or base not in _ORDERS:
        return meaning
    order = tuple(_ORDERS[base][base != step.name].split())
    is_moved = is_on(step.named(order).value("translate_range"))
    return replace(meaning, order=order, outside=meaning.outside or (MOVED if is_moved else ""))


def is_unknown(step: Step) -> bool:
    """Whether it is named as random transforms of MONAI are."""
    is_theirs = step.origin.startswith(modules) or not step.origin
    is_base = step.origin.startswith(modules) and step.name in _BASES
    return is_base or (is_theirs and step.name.startswith("Rand") and step.name[4:5].isupper())


def _base(name: str) -> str:
    """The name without the mark of a transform of dictionaries: RandFlipd, RandFlipD, RandFlipDict."""
    for mark in ("Dict", "d", "D"):
        if name.endswith(mark) and name.removesuffix(mark) in _KNOWN:
            return name.removesuffix(mark)
    return name
