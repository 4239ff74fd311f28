import pytest

from isocenter.stages.index.kinds import kind_of_image


@pytest.mark.parametrize(
    ("image_type", "kind"),
    [
        ((), ""),
        (("ORIGINAL", "PRIMARY", "AXIAL"), ""),
        (("ORIGINAL", "PRIMARY", "LOCALIZER"), "localizer"),
        (("DERIVED", "SECONDARY", "REF_SURVIEW"), "localizer"),
        (("DERIVED", "SECONDARY", "MPR", "MIP"), "projection"),
        (("DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"), "reformat"),
        (("DERIVED", "SECONDARY", "SCREEN SAVE"), "screen"),
    ],
)
def test_image_type_says_what_is_no_slice(image_type, kind):
    assert kind_of_image(image_type) == kind
