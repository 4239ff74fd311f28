"""nnU-Net: transforms of batchgenerators and batchgeneratorsv2, and what its trainers inherit (nnU-Net 2.5 to 2.8)."""

from __future__ import annotations

import math

from isocenter.augment.dialect import CROP, CUT_OUT, LOW_RESOLUTION, SCALE, Bound, Meaning, is_on
from isocenter.augment.steps import Step

title = "nnU-Net"
modules = ("batchgenerators", "nnunetv2")

_DEGREES = 180 / math.pi
_NOISE = Bound(name="noise_variance", what="noise", default=(0, 0.1))  # drawn from as the sigma
_KNOWN: dict[str, Meaning] = {
    "MirrorTransform": Meaning(mirrors="allowed_axes", order=("allowed_axes",)),
    "GaussianNoiseTransform": Meaning(
        bounds=(_NOISE,),
        order=(
            "noise_variance",
            "p_per_channel",
            "synchronize_channels",
        ),
    ),
    "RicianNoiseTransform": Meaning(
        bounds=(_NOISE,),
        order=(
            "noise_variance",
            "p_per_channel",
            "synchronize_channels",
        ),
    ),
    "ContrastTransform": Meaning(
        bounds=(Bound(name="contrast_range", what="contrast", default=(0.75, 1.25), is_factor=True),),
        order=(
            "contrast_range",
            "preserve_range",
            "synchronize_channels",
            "p_per_channel",
        ),
    ),
    "ContrastAugmentationTransform": Meaning(
        bounds=(Bound(name="contrast_range", what="contrast", default=(0.75, 1.25), is_factor=True),),
        order=(
            "contrast_range",
            "preserve_range",
            "per_channel",
            "data_key",
            "p_per_sample",
            "p_per_channel",
        ),
    ),
    "BrightnessMultiplicativeTransform": Meaning(
        bounds=(Bound(name="multiplier_range", what="contrast", default=(0.5, 2), is_factor=True),),
        order=(
            "multiplier_range",
            "per_channel",
            "data_key",
            "p_per_sample",
        ),
    ),
    "MultiplicativeBrightnessTransform": Meaning(
        bounds=(Bound(name="multiplier_range", what="contrast", is_factor=True),),
        order=(
            "multiplier_range",
            "synchronize_channels",
            "p_per_channel",
        ),
    ),
    "SimulateLowResolutionTransform": Meaning(forbidden=LOW_RESOLUTION),
    "ResampleTransform": Meaning(forbidden=LOW_RESOLUTION),
    "ZoomTransform": Meaning(forbidden=SCALE),
    "ResizeTransform": Meaning(forbidden=SCALE),
    "RandomCropTransform": Meaning(forbidden=CROP),
    "CenterCropTransform": Meaning(forbidden=CROP),
    "BlankRectangleTransform": Meaning(forbidden=CUT_OUT),
    "RectangularOcclusionTransform": Meaning(forbidden=CUT_OUT),
    "GammaTransform": Meaning(outside="a gamma curve changes contrast unevenly"),
    "GaussianBlurTransform": Meaning(outside="blurring"),
    "MedianFilterTransform": Meaning(outside="blurring"),
    "SharpeningTransform": Meaning(outside="sharpening"),
    "BrightnessTransform": Meaning(outside="shifting all values"),
    "BrightnessAdditiveTransform": Meaning(outside="shifting all values"),
    "BrightnessGradientAdditiveTransform": Meaning(outside="an artificial gradient"),
    "LocalGammaTransform": Meaning(outside="a gamma curve in places"),
    "Rot90Transform": Meaning(forbidden="turning by 90 degrees, of which the contract allows 10"),
    "TransposeAxesTransform": Meaning(forbidden="axes that change places: no body is built so"),
    "rotation_for_DA =": Meaning(bounds=(Bound(name="", what="rotation", unit=_DEGREES),), order=("",)),
    "mirror_axes =": Meaning(mirrors="mirror_axes", order=("mirror_axes",)),
}
_IN_SHARES = "an elastic change in shares of the patch: how many millimetres that are, no line says"
_ORDER = (
    "patch_size", "patch_center_dist_from_border", "random_crop", "p_elastic_deform", "elastic_deform_scale",
    "elastic_deform_magnitude", "p_synchronize_def_scale_across_axes", "p_rotation", "rotation", "p_rot_per_axis",
    "p_scaling", "scaling", "p_synchronize_scaling_across_axes",
)  # fmt: skip
_OLD_ORDER = (
    "patch_size", "patch_center_dist_from_border", "do_elastic_deform", "alpha", "sigma", "do_rotation", "angle_x",
    "angle_y", "angle_z", "do_scale", "scale", "border_mode_data", "border_cval_data", "order_data",
    "border_mode_seg", "border_cval_seg", "order_seg", "random_crop",
)  # fmt: skip
_OWN = "get_training_transforms"
_INHERITED = (
    "inherits nnU-Net's own augmentation: scaling by 0.7 to 1.4, low resolution, rotation by up to 30 or 180 degrees, noise"
    " of sigma up to 0.1, contrast by 25 %, gamma, blurring, mirroring along all axes"
)


def meaning_of(step: Step) -> Meaning | None:
    """What a transform of nnU-Net does, or a trainer of somebody's own that leaves its transforms as they are."""
    if step.name == "SpatialTransform":
        return _spatial(step)
    if any(base.startswith("nnUNetTrainer") for base in step.bases):
        is_own = _OWN in step.arguments or any("NoDA" in base for base in step.bases)
        return Meaning() if is_own else Meaning(forbidden=_INHERITED)
    if step.name == "mirror_axes =" and step.places and not step.places[0]:
        return Meaning()
    return _KNOWN.get(step.name)


def is_unknown(step: Step) -> bool:
    """Whether it is named as transforms of nnU-Net are."""
    is_theirs = step.origin.startswith(modules) or not step.origin
    return is_theirs and step.name.endswith("Transform") and not step.bases and step.name not in _NEUTRAL


def _spatial(step: Step) -> Meaning:
    """The one for all that moves: version 2 draws by `p_...`, the older one by `do_...`."""
    is_said = any(name.startswith(("do_", "angle_")) for name in step.arguments)
    if is_said or step.origin.startswith("batchgenerators."):
        step = step.named(_OLD_ORDER)
        angles = tuple(
            Bound(
                name=f"angle_{axis}", what="rotation", unit=_DEGREES, default=(0, 2 * math.pi),
                only_with="do_rotation", switch=True,
            )
            for axis in "xyz"
        )  # fmt: skip
        scale = Bound(
            name="scale",
            what="scaling",
            default=(0.75, 1.25),
            is_factor=True,
            only_with="do_scale",
            switch=True,
        )
        return Meaning(
            bounds=(*angles, scale),
            forbidden_if={"random_crop": CROP},
            outside=_IN_SHARES if is_on(step.value("do_elastic_deform", default=True)) else "",
            order=_OLD_ORDER,
        )
    # where nothing says which of the two it is, they agree about the first two positions
    order = _ORDER if step.origin.startswith("batchgeneratorsv2") else _ORDER[:2]
    step = step.named(order)
    rotation = Bound(
        name="rotation", what="rotation", unit=_DEGREES, default=(0, 2 * math.pi), only_with="p_rotation"
    )
    scaling = Bound(name="scaling", what="scaling", default=(0.7, 1.3), is_factor=True, only_with="p_scaling")
    return Meaning(
        bounds=(rotation, scaling),
        forbidden_if={"random_crop": CROP},
        outside=_IN_SHARES if is_on(step.value("p_elastic_deform", default=0)) else "",
        order=order,
    )


# What gathers, converts or feeds others, and changes nothing that is seen.
_NEUTRAL = {
    "RandomTransform", "OneOfTransform", "Convert2DTo3DTransform", "Convert3DTo2DTransform",
    "MaskImageTransform", "MaskTransform", "DownsampleSegForDSTransform", "ConvertSegmentationToRegionsTransform",
    "MoveSegAsOneHotToDataTransform", "RenameTransform", "NumpyToTensor", "ConvertToChannelLastTransform",
    "LabelValueTransform",
}  # fmt: skip
