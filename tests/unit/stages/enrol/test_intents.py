"""A cohort holds radiographs for processing or for presentation."""

import pytest

from isocenter.model.task import Channel
from isocenter.stages.enrol.candidates import draft_cases
from isocenter.stages.enrol.intents import tell_mixed_intents
from isocenter.stages.enrol.options import CaseUnit
from tests.unit.stages.plans import a_contract, a_dicom, inputs_of


def drafted(*intents, **channel):
    images = []
    for n, intent in enumerate(intents):
        images += a_dicom(
            f"x{n}", series=f"1.{n}", count=1, modality="DX", patient_id=f"P-{n}", presentation_intent=intent,
            position_mm=(), orientation=(), rescale_type=None,
        )  # fmt: skip
    contract = a_contract(channels={"xray": Channel(modality="DX", **channel)}, reference="xray")
    drafts = draft_cases(inputs_of(images, wanted=lambda path, stack: ("xray",)), contract, CaseUnit.IMAGE)
    tell_mixed_intents(drafts, contract.channels)
    return [[i.measured for i in d.issues] for d in sorted(drafts, key=lambda d: d.chosen["xray"].files)]


@pytest.mark.parametrize("intent", ["FOR PRESENTATION", "FOR PROCESSING", None])
def test_one_kind_is_no_mixture(intent):
    assert drafted(intent, intent) == [[], []]


def test_the_rarer_kind_is_told():
    assert drafted("FOR PRESENTATION", "FOR PROCESSING", "FOR PRESENTATION") == [
        [],
        ["xray: for processing"],
        [],
    ]
    assert drafted("FOR PROCESSING", "FOR PROCESSING", "FOR PRESENTATION") == [
        [],
        [],
        ["xray: for presentation"],
    ]
    assert drafted("FOR PROCESSING", "FOR PRESENTATION", None) == [["xray: for processing"], [], []]
