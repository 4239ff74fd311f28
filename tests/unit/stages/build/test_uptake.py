"""PET values in the unit that is asked for: in place, told, and left alone where nobody knows how."""

import numpy as np
import pytest

from isocenter.imaging.facts import facts_of_planes, look
from isocenter.model.issue import Severity
from isocenter.model.suv import BedTime, SuvFacts
from isocenter.stages.build.options import PetPolicy, Standardise
from isocenter.stages.build.uptake import with_uptake
from isocenter.testing.rules import a_stack, a_volume

FACTS = SuvFacts(
    units="BQML",
    decay_correction="ADMIN",
    corrected=("ATTN", "DECY"),
    weight=80.0,
    n_tracers=1,
    dose=400e6,
    beds=(BedTime(acquired_seconds=0.0),),
)
FACTOR = 80_000 / 400e6


def pet(**changes):
    values = np.linspace(-50, 40_000, 24, dtype=np.float32).reshape(2, 3, 4)
    seen = facts_of_planes([look(plane, None) for plane in values])
    return a_volume(values, unit="Bq/ml", modality="PT", facts=seen, **changes)


def stack(facts=FACTS, **changes):
    return a_stack(modality="PT", suv=facts, **changes)


def asked(policy):
    return Standardise(pet=policy)


def test_values_are_multiplied_where_they_are():
    volume = pet()
    before = volume.array.astype(np.float64)
    made = with_uptake(volume, stack(), asked(PetPolicy.SUVBW))
    assert made.array is volume.array
    assert made.array.dtype == np.float32
    np.testing.assert_allclose(made.array, before * FACTOR, rtol=1e-6)
    assert made.unit == "SUVbw"


def test_what_was_seen_of_the_values_is_in_the_new_unit():
    made = with_uptake(pet(), stack(), asked(PetPolicy.SUVBW))
    np.testing.assert_allclose(made.facts.minimum, made.array.min(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_allclose(made.facts.maximum, made.array.max(axis=(1, 2)), rtol=1e-6)


def test_the_path_and_the_factor_are_told():
    made = with_uptake(pet(), stack(), asked(PetPolicy.SUVBW))
    (issue,) = made.issues
    assert (issue.rule, issue.severity, issue.measured) == ("read/suv", Severity.NOTE, "0.0002")
    assert "body weight (80 kg), over 400 MBq, ADMIN" in issue.message
    assert made.provenance["suv_factor"] == "0.0002"


@pytest.mark.parametrize(
    ("volume", "of", "policy"),
    [
        (pet(), stack(), PetPolicy.STORED),
        (pet(), stack(SuvFacts()), PetPolicy.STORED),
        (a_volume(), a_stack(), PetPolicy.SUVBW),
    ],
)
def test_nothing_happens_where_nothing_is_asked(volume, of, policy):
    assert with_uptake(volume, of, asked(policy)) is volume


def test_what_is_suv_already_stays_to_the_bit():
    volume = pet()
    before = volume.array.copy()
    made = with_uptake(volume, stack(SuvFacts(units="GML", suv_type="BW")), asked(PetPolicy.SUVBW))
    np.testing.assert_array_equal(made.array, before)
    assert (made.unit, made.issues) == ("SUVbw", ())


@pytest.mark.parametrize(("format_", "severity"), [("dicom", Severity.REVIEW), ("nifti", Severity.NOTE)])
def test_what_cannot_be_converted_stays_as_it_is_and_says_why(format_, severity):
    volume = pet()
    before = volume.array.copy()
    made = with_uptake(volume, stack(None, format=format_), asked(PetPolicy.SUVBW))
    np.testing.assert_array_equal(made.array, before)
    assert made.unit == "Bq/ml"
    (issue,) = made.issues
    assert (issue.rule, issue.severity) == ("read/no-suv", severity)
    assert "nothing is said of units" in issue.message


def test_what_was_assumed_is_for_review():
    facts = SuvFacts(units="BQML", decay_correction="ADMIN", corrected=("ATTN", "DECY"), weight=80_000.0,
                     n_tracers=1, dose=400.0)  # fmt: skip
    made = with_uptake(pet(), stack(facts), asked(PetPolicy.SUVBW))
    told = {(i.rule, i.severity, i.message) for i in made.issues if i.rule != "read/suv"}
    assert told == {
        ("read/suv-assumed", Severity.REVIEW, "Patient's Weight 80000 is taken for grams"),
        ("read/suv-assumed", Severity.REVIEW, "Radionuclide Total Dose 400 is taken for MBq"),
    }
    assert made.array.max() == pytest.approx(40_000 * FACTOR)
