"""What kind of picture it is."""

import pytest

from isocenter.rules.catalogue.content.colour_image import colour_image
from isocenter.rules.catalogue.content.dose_screen_or_capture import dose_screen_or_capture
from isocenter.rules.catalogue.content.localizer import localizer
from isocenter.rules.catalogue.content.lossy_compression import lossy_compression
from isocenter.rules.catalogue.content.projection_image import projection_image
from isocenter.rules.catalogue.content.reformatted_image import reformatted_image
from isocenter.rules.catalogue.content.secondary_image import secondary_image
from isocenter.testing.rules import a_stack, issues_of

RULES = (localizer, projection_image, reformatted_image, secondary_image, dose_screen_or_capture)


# Image Types as scanners and tools write them, and the rules that must speak of each.
@pytest.mark.parametrize(
    ("modality", "image_type", "expected"),
    [
        ("CT", "ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI", []),
        ("CT", "ORIGINAL\\PRIMARY\\AXIAL\\HELIX", []),
        ("CT", "DERIVED\\PRIMARY\\AXIAL", []),
        ("CT", "ORIGINAL\\PRIMARY\\LOCALIZER\\CT_SOM5 TOP", ["localizer"]),
        ("CT", "DERIVED\\SECONDARY\\REF_SURVIEW", ["localizer", "secondary_image"]),
        ("CT", "DERIVED\\SECONDARY\\SCREEN SAVE", ["secondary_image", "dose_screen_or_capture"]),
        ("CT", "DERIVED\\SECONDARY\\MPR", ["reformatted_image", "secondary_image"]),
        ("CT", "DERIVED\\SECONDARY\\REFORMATTED\\AVERAGE", ["reformatted_image", "secondary_image"]),
        ("CT", "DERIVED\\SECONDARY\\AXIAL", ["secondary_image"]),
        ("CT", "", []),
        ("MR", "ORIGINAL\\PRIMARY\\M\\ND\\NORM", []),
        ("MR", "DERIVED\\PRIMARY\\DIFFUSION\\ADC\\DIS2D", []),
        ("MR", "DERIVED\\PRIMARY\\DIFFUSION\\TRACEW\\DIS2D", []),
        ("MR", "DERIVED\\SECONDARY\\PROJECTION IMAGE", ["projection_image", "secondary_image"]),
        ("PT", "DERIVED\\SECONDARY", []),
        ("PT", "ORIGINAL\\PRIMARY", []),
        ("PT", "DERIVED\\SECONDARY\\MIP", ["projection_image"]),
        ("DX", "DERIVED\\PRIMARY\\\\", []),
        ("MG", "DERIVED\\SECONDARY", []),
    ],
)
def test_image_types(modality: str, image_type: str, expected: list[str]) -> None:
    stack = a_stack(modality=modality, image_type=tuple(image_type.split("\\")) if image_type else ())
    assert [r.check.__name__ for r in RULES if issues_of(r, stack)] == expected


@pytest.mark.parametrize(("modality", "caught"), [("CT", True), ("MR", True), ("CR", False), ("DX", False)])
def test_digitised_radiographs_may_be_captures(modality: str, caught: bool) -> None:
    capture = a_stack(modality=modality, sop_class_uid="1.2.840.10008.5.1.4.1.1.7")
    assert bool(issues_of(dose_screen_or_capture, capture)) == caught


def test_colour_is_told_by_samples_or_palette() -> None:
    for photometric in ("MONOCHROME1", "MONOCHROME2 ", ""):
        assert issues_of(colour_image, a_stack(photometric=photometric)) == []
    assert issues_of(colour_image, a_stack(samples=3, photometric="YBR_FULL_422")) == ["3 samples per pixel"]


def test_loss_is_told_by_the_transfer_syntax_too() -> None:
    assert issues_of(lossy_compression, a_stack(transfer_syntax_uid="1.2.840.10008.1.2.4.50")) != []
    assert issues_of(lossy_compression, a_stack(transfer_syntax_uid="1.2.840.10008.1.2.4.91")) == []
