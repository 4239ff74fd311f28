"""TorchIO: random transforms and the ones that are applied as they are (torchio.readthedocs.io, version 0.20 to 1.2)."""

from __future__ import annotations

from isocenter.augment.dialect import CROP, CUT_OUT, LOW_RESOLUTION, SCALE, Bound, Meaning
from isocenter.augment.steps import Step

title = "TorchIO"

_SCALES = Bound(name="scales", what="scaling", place=0, default=0.1)
_DEGREES = Bound(name="degrees", what="rotation", place=1, default=10)
_ELASTIC = Bound(name="max_displacement", what="elastic displacement", place=1, default=7.5)
_KNOWN: dict[str, Meaning] = {
    "RandomAffineElasticDeformation": Meaning(
        outside="an affine and an elastic change, each with arguments of its own"
    ),
    "RandomElasticDeformation": Meaning(bounds=(_ELASTIC,)),
    "RandomFlip": Meaning(mirrors="axes"),
    "RandomNoise": Meaning(bounds=(Bound(name="std", what="noise", place=1, default=(0, 0.25)),)),
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


def meaning_of(step: Step) -> Meaning | None:
    """What a transform of TorchIO does."""
    if step.name == "RandomAffine":
        # a number of its own for each axis: 1 is no change; a single one is the width about 1
        is_range = isinstance(step.value("scales", 0), tuple)
        scales = Bound(name="scales", what="scaling", place=0, default=0.1, is_factor=is_range)
        moved = step.value("translation", 2, 0)
        return Meaning(
            bounds=(scales, _DEGREES), outside="moving the image, which cuts off its border" if moved else ""
        )
    return _KNOWN.get(step.name)


def is_unknown(step: Step) -> bool:
    """Whether it is named as random transforms of TorchIO are."""
    is_theirs = step.origin.startswith("torchio") or not step.origin
    return is_theirs and step.name.startswith("Random") and step.name[6:7].isupper()
