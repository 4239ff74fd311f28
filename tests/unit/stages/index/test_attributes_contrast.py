from isocenter.model.attributes import Attribute, AttributeState
from isocenter.stages.index.attributes import SCAN_COLUMNS, attributes_of, without_identifiers


class AnyTerms:
    """A cohort in which nobody else's name is known."""

    def clean(self, text: str) -> str:
        return text


def of(agent: str | None) -> dict[str, str]:
    first = dict.fromkeys(SCAN_COLUMNS) | {"contrast_agent": agent, "image_type": ()}
    return {a.name: a.value for a in attributes_of(first, {}, {}, {}, is_deidentified=False)}


def test_contrast_is_an_attribute_where_it_was_given():
    assert of("GADOVIST 7.5 ml")["contrast_agent"] == "GADOVIST 7.5 ml"
    assert "contrast_agent" not in of(None)


def test_a_name_that_was_typed_beside_the_agent_is_taken_out():
    typed = Attribute(name="contrast_agent", value="Gadovist for DOE")
    (told,) = without_identifiers((typed,), frozenset({"DOE"}), AnyTerms())
    assert "DOE" not in told.value
    assert "Gadovist" in told.value
    assert told.state == "known"


def test_a_text_that_is_nothing_but_a_name_is_withheld():
    typed = Attribute(name="contrast_agent", value="DOE")
    assert without_identifiers((typed,), frozenset({"DOE"}), AnyTerms()) == (
        Attribute(name="contrast_agent", value="", state=AttributeState.WITHHELD),
    )
    (kept,) = without_identifiers((typed,), frozenset({"ROE"}), AnyTerms())
    assert kept == typed
