"""The rules' lists of terms and identifiers agree with those that pydicom took from the standard."""

from pydicom.sr.codedict import codes
from pydicom.uid import UID_dictionary

from isocenter.model.modality import DEFINED, MEANT, is_defined, meant_by
from isocenter.rules.catalogue.conformance.retired_object_class import RETIRED
from isocenter.rules.catalogue.conformance.retired_transfer_syntax import retired_syntaxes

_IMAGES = "1.2.840.10008.5.1.4.1.1."


def _retired(kind: str) -> dict[str, str]:
    return {uid: name for uid, (name, what, _, state, _) in UID_dictionary.items() if what == kind and state}


def test_the_retired_transfer_syntaxes_of_images_are_those_of_the_standard() -> None:
    other = {"1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2"}  # MIME and XML: no images
    assert retired_syntaxes() == set(_retired("Transfer Syntax")) - other


def test_the_retired_classes_are_the_retired_image_classes_of_the_standard() -> None:
    found = {u for u, n in _retired("SOP Class").items() if u.startswith(_IMAGES) and "Image Storage" in n}
    assert found == RETIRED


def test_every_modality_of_an_acquisition_is_a_defined_term() -> None:
    terms = {code.value for code in codes.cid29.concepts.values()}
    assert len(terms) > 40
    assert terms <= DEFINED


def test_no_word_of_a_request_form_is_a_term_and_all_mean_one() -> None:
    assert not set(MEANT) & DEFINED
    for word, meant in MEANT.items():
        assert all(is_defined(term) for term in meant.split(" or "))
        assert meant_by(word.lower()) == meant
    assert meant_by(" ct ") == "CT"
    assert not is_defined("ct")
