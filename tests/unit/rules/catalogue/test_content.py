"""What kind of picture it is."""

import numpy as np
import pytest

from isocenter.model.attributes import Attribute
from isocenter.model.issue import Severity
from isocenter.model.rows import Stack
from isocenter.rules.catalogue.content.collimated_border import collimated_border
from isocenter.rules.catalogue.content.colour_image import colour_image
from isocenter.rules.catalogue.content.dose_screen_or_capture import dose_screen_or_capture
from isocenter.rules.catalogue.content.inverted_display import inverted_display
from isocenter.rules.catalogue.content.localizer import localizer
from isocenter.rules.catalogue.content.lossy_compression import lossy_compression
from isocenter.rules.catalogue.content.mosaic import mosaic
from isocenter.rules.catalogue.content.multi_frame_object import multi_frame_object
from isocenter.rules.catalogue.content.phase_image import phase_image
from isocenter.rules.catalogue.content.projection_image import projection_image
from isocenter.rules.catalogue.content.reformatted_image import reformatted_image
from isocenter.rules.catalogue.content.secondary_image import secondary_image
from isocenter.rules.catalogue.content.subtraction_image import subtraction_image
from isocenter.rules.catalogue.content.suspected_localizer import suspected_localizer
from isocenter.rules.catalogue.content.turned_radiograph import turned_radiograph
from isocenter.testing.rules import a_stack, a_time_point, a_volume, an_enhanced, issues_of

RULES = (
    *(localizer, projection_image, reformatted_image, secondary_image, dose_screen_or_capture),
    *(phase_image, subtraction_image),
)


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
        ("MR", "ORIGINAL\\PRIMARY\\P\\ND", ["phase_image"]),
        ("MR", "ORIGINAL\\PRIMARY\\PHASE MAP\\P\\FFE", ["phase_image"]),
        ("MR", "ORIGINAL\\PRIMARY\\T1\\NONE\\PHASE", ["phase_image"]),
        ("MR", "ORIGINAL\\PRIMARY\\PERFUSION\\NONE\\REAL", []),
        ("MR", "ORIGINAL\\PRIMARY\\M_FFE\\M\\FFE", []),
        ("MR", "ORIGINAL\\PRIMARY\\PHASE CONTRAST M\\M\\PCA", []),
        ("CT", "ORIGINAL\\PRIMARY\\P", []),
        ("MR", "DERIVED\\PRIMARY\\M\\ND\\SUB", ["subtraction_image"]),
        ("CT", "DERIVED\\PRIMARY\\SUBTRACTION", ["subtraction_image"]),
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


def test_only_tiles_and_frames_that_nothing_describes_are_refused() -> None:
    """A described frame may be the first of its object, and then be the one slice of a moment."""
    tiles = ("ORIGINAL", "PRIMARY", "M", "MOSAIC")
    assert issues_of(mosaic, an_enhanced(image_type=tiles)) == []
    assert issues_of(mosaic, a_stack(image_type=tiles)) != []
    one = {"files": ("file-0",), "frames": (0,), "multi_frame": True}
    assert issues_of(multi_frame_object, a_stack(**one)) != []
    assert issues_of(multi_frame_object, a_time_point(**one)) == []
    assert issues_of(multi_frame_object, an_enhanced()) == []


def test_few_thick_slices_are_a_localizer_unless_they_were_taken_again_and_again() -> None:
    wide = {"modality": "MR", "positions_mm": (0, 10, 20, 30)}
    assert issues_of(suspected_localizer, a_stack(**wide)) != []
    assert issues_of(suspected_localizer, a_stack(**wide, axis="time", axis_count=20)) == []
    assert issues_of(suspected_localizer, a_stack(**(wide | {"modality": "CT"}))) == []
    assert issues_of(suspected_localizer, a_stack(modality="MR", positions_mm=range(0, 100, 10))) == []
    assert issues_of(suspected_localizer, a_stack(modality="MR", positions_mm=(0,))) == []


@pytest.mark.parametrize("modality", ["CT", "MR", "PT", "NM"])
def test_a_wish_for_the_display_is_noted_where_values_have_a_meaning(modality: str) -> None:
    assert issues_of(inverted_display, a_stack(modality=modality, photometric="MONOCHROME1 ")) != []
    assert issues_of(inverted_display, a_stack(modality=modality)) == []


def shown(view: str, orientation: str, **more: str) -> Stack:
    found = {"view": view, "patient_orientation": orientation, **more}
    return a_stack(modality="DX", attributes=tuple(Attribute(name=n, value=v) for n, v in found.items()))


@pytest.mark.parametrize("view", ["PA", "AP"])
@pytest.mark.parametrize(
    ("orientation", "is_turned"),
    [
        ("L/F", False),
        ("R/F", True),
        ("L/H", True),
        ("R/H", True),
        ("F/L", True),
        ("A/F", True),
        ("L/R", True),
        ("", False),
    ],
)
def test_frontal_views_are_shown_one_way(view: str, orientation: str, is_turned: bool) -> None:
    found = issues_of(turned_radiograph, shown(view, orientation, body_part="CHEST"))
    assert bool(found) == is_turned
    assert issues_of(turned_radiograph, shown(view, orientation, body_part="HAND")) == []
    assert issues_of(turned_radiograph, shown("LL", orientation, body_part="CHEST")) == []


@pytest.mark.parametrize("view", ["CC", "MLO"])
@pytest.mark.parametrize(
    ("side", "orientation", "is_turned"),
    [
        *(("L", "A/R", False), ("R", "P/L", False), ("L", "A/FR", False), ("R", "P/FL", False)),
        *(
            ("R", "P/R", True),
            ("L", "A/FL", True),
            ("L", "P/L", True),
            ("", "P/L", False),
            ("B", "P/L", False),
        ),
    ],
)
def test_mammograms_have_their_outer_side_on_top(
    view: str, side: str, orientation: str, is_turned: bool
) -> None:
    assert bool(issues_of(turned_radiograph, shown(view, orientation, laterality=side))) == is_turned


def test_a_picture_that_is_mostly_border_is_for_a_person() -> None:
    random = np.random.default_rng(0)
    picture = random.integers(1000, 3000, (1, 200, 160)).astype(np.uint16)
    picture[:, :40] = 0
    [some] = collimated_border(a_volume(picture, modality="CR", unit="stored"))
    assert (some.severity, some.measured) == (Severity.NOTE, "20")
    picture[:, :120] = 0
    [most] = collimated_border(a_volume(picture, modality="CR", unit="stored"))
    assert (most.severity, most.measured) == (Severity.REVIEW, "60")
    assert issues_of(collimated_border, a_volume(picture, modality="MR", unit="stored")) == []
    assert (
        issues_of(collimated_border, a_volume(np.repeat(picture, 2, 0), modality="XA", unit="stored")) == []
    )
