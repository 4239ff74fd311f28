"""A channel of PET holds one unit: Bq/ml, uptake values, or values of which nothing says what they are."""

import pytest

from isocenter.model.task import Channel
from isocenter.stages.enrol.candidates import draft_cases
from isocenter.stages.enrol.options import CaseUnit
from isocenter.stages.enrol.units import tell_mixed_units
from tests.unit.stages.plans import a_contract, a_dicom, a_volume, inputs_of

TOLD = {
    "BQML": ("CorrectedImage=DECY\\ATTN", "DecayCorrection=ADMIN", "PatientWeight=60",
             "RadionuclideTotalDose=300000000", "Tracers=1"),
    "BQML without dose": ("CorrectedImage=DECY\\ATTN", "DecayCorrection=ADMIN", "PatientWeight=60"),
    "GML": ("SUVType=BW",),
    "CNTS": ("DecayCorrection=START",),
}  # fmt: skip


def drafted(*kinds, wanted="stored", modality="PT"):
    images = []
    for n, kind in enumerate(kinds):
        if kind == "nifti":
            images.append(a_volume(f"p{n}/pet.nii"))
        else:
            images += a_dicom(f"x{n}", series=f"1.{n}", path=f"p{n}/pet", modality=modality, patient_id=None,
                              pet_units=kind.split()[0], pet=TOLD[kind])  # fmt: skip
    contract = a_contract(channels={"pet": Channel(modality=modality)}, reference="pet")
    inputs = inputs_of(
        images, wanted=lambda path, stack: ("pet",), pattern=("{subject}/*.nii", "{subject}/*/*.dcm")
    )
    drafts = draft_cases(inputs, contract, CaseUnit.STUDY)
    tell_mixed_units(drafts, contract.channels, wanted)
    told = {inputs.path(d.chosen["pet"])[:2]: d.issues for d in drafts}
    return [[(i.rule, i.measured, i.expected) for i in told[f"p{n}"]] for n in range(len(kinds))]


def mixed(unit, common):
    return [("enrol/mixed-units", f"pet: {unit}", common)]


@pytest.mark.parametrize("kind", [*TOLD, "nifti"])
@pytest.mark.parametrize("wanted", ["stored", "suvbw"])
def test_one_unit_is_no_mixture(kind, wanted):
    assert drafted(kind, kind, wanted=wanted) == [[], []]


def test_the_rarer_unit_is_told():
    assert drafted("GML", "BQML", "GML") == [[], mixed("Bq/ml", "SUVbw"), []]
    assert drafted("BQML", "GML", "BQML", "CNTS") == [
        [], mixed("SUVbw", "Bq/ml"), [], mixed("counts", "Bq/ml"),
    ]  # fmt: skip


def test_files_that_say_no_unit_are_another_unit_and_the_odd_one_where_both_are_as_many():
    assert drafted("GML", "nifti") == [[], mixed("no unit", "SUVbw")]
    assert drafted("nifti", "GML", "nifti") == [[], mixed("SUVbw", "no unit"), []]
    assert drafted("BQML", "nifti", wanted="suvbw") == [[], mixed("no unit", "SUVbw")]


def test_what_becomes_uptake_values_is_one_unit_whatever_it_was():
    assert drafted("GML", "BQML", wanted="suvbw") == [[], []]
    assert drafted("GML", "BQML without dose", wanted="suvbw") == [[], mixed("Bq/ml", "SUVbw")]


def test_no_other_modality_is_asked():
    assert drafted("GML", "BQML", modality="NM") == [[], []]
