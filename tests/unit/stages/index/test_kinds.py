import pytest

from isocenter.model.image_type import LOCALIZERS, PROJECTIONS, REFORMATS, SCREENS
from isocenter.rules.catalogue.content.dose_screen_or_capture import dose_screen_or_capture
from isocenter.rules.catalogue.content.localizer import localizer
from isocenter.rules.catalogue.content.projection_image import projection_image
from isocenter.rules.catalogue.content.reformatted_image import reformatted_image
from isocenter.stages.index.kinds import kind_of_image
from isocenter.testing.rules import a_stack, issues_of


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


@pytest.mark.parametrize("word", [*LOCALIZERS, *PROJECTIONS, *REFORMATS, *SCREENS])
def test_what_is_set_apart_by_a_word_is_told_by_a_rule_of_it(word):
    image_type = ("DERIVED", "PRIMARY", word)
    rules = (localizer, projection_image, reformatted_image, dose_screen_or_capture)
    assert kind_of_image(image_type) != ""
    assert any(issues_of(rule, a_stack(image_type=image_type)) for rule in rules)
