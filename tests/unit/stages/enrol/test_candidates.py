from dataclasses import replace

import pytest

from isocenter.model.task import Channel
from isocenter.stages.enrol.candidates import draft_cases, speakers_of
from isocenter.stages.enrol.options import CaseUnit
from tests.unit.stages.plans import a_contract, a_dicom, a_volume, inputs_of

KERNELS = [{"convolution_kernel": "B3*"}, {"convolution_kernel": "B7*"}]


def two_kernels(*kernels):
    out = []
    for n, kernel in enumerate(kernels):
        out += a_dicom(f"k{n}", series=f"1.{n}", convolution_kernel=kernel)
    return inputs_of(out)


def drafted(inputs, channel=None, unit=CaseUnit.STUDY, **channels):
    contract = a_contract(channels=channels or {"ct": channel or Channel(modality="CT")})
    return draft_cases(inputs, contract, unit)


@pytest.mark.parametrize(
    ("kernels", "taken"), [(("B30f", "B70f"), "B30f"), (("B70f", "H60"), "B70f"), (("H60", "H61"), None)]
)
def test_the_preferred_candidate_is_taken_and_a_tie_is_for_a_person(kernels, taken):
    [draft] = drafted(two_kernels(*kernels), Channel(modality="CT", prefer=tuple(KERNELS)))
    if taken is None:
        assert draft.chosen == {}
        assert [i.rule for i in draft.issues] == ["enrol/several-candidates"]
    else:
        assert draft.chosen["ct"].attribute("convolution_kernel") == taken
        assert set(draft.set_aside.values()) == {"enrol/not-preferred"}
        assert draft.issues == []


def test_never_the_first():
    [draft] = drafted(two_kernels("B30f", "B30f"), Channel(modality="CT", prefer=tuple(KERNELS)))
    assert draft.chosen == {}


def test_one_case_per_image_needs_no_choice():
    assert len(drafted(two_kernels("B30f", "B30f"), unit=CaseUnit.IMAGE)) == 2


def two_channels(**pet):
    images = a_dicom("ct", series="1.1") + a_dicom("pt", series="1.2", modality="PT", **pet)
    return inputs_of(images, wanted=lambda path, stack: (stack.modality.lower(),))


CT, PT = Channel(modality="CT"), Channel(modality="PT")


def test_channels_of_one_frame_of_reference_are_registered():
    [draft] = drafted(two_channels(), ct=CT, pt=PT)
    assert set(draft.chosen) == {"ct", "pt"}
    assert draft.issues == []


@pytest.mark.parametrize("uid", ["1.77", None])
def test_another_frame_of_reference_is_refused_unless_a_reason_is_declared(uid):
    found = two_channels(frame_of_reference_uid=uid)
    [draft] = drafted(found, ct=CT, pt=PT)
    assert [i.rule for i in draft.issues] == ["enrol/other-frame-of-reference"]
    [draft] = drafted(found, ct=CT, pt=Channel(modality="PT", assume_registered="one table position"))
    assert draft.issues == []


def test_without_frames_of_reference_the_grids_decide():
    same = a_volume("p/ct.nii"), a_volume("p/pt.nii")
    other = a_volume("p/ct.nii"), a_volume("p/pt.nii", shape=(7, 5, 4))
    for images, rules in ((same, []), (other, ["enrol/other-frame-of-reference"])):
        inputs = inputs_of(images, pattern=("{subject}/*",), wanted=lambda path, stack: (path[2:4],))
        [draft] = drafted(inputs, ct=CT, pt=PT)
        assert [i.rule for i in draft.issues] == rules


@pytest.mark.parametrize(("optional", "rules"), [(False, ["enrol/missing-channel"]), (True, [])])
def test_a_missing_channel_is_refused_unless_it_is_optional(optional, rules):
    inputs = inputs_of(a_dicom("ct"))
    [draft] = drafted(inputs, ct=CT, pt=Channel(modality="PT", optional=optional))
    assert [i.rule for i in draft.issues] == rules


def test_time_points_are_cases_of_one_subject():
    images = a_dicom("a", series="1.1", study_date="20200101") + a_dicom(
        "b", series="1.2", study_date="20210101"
    )
    drafts = drafted(inputs_of(images))
    assert len({d.timepoint for d in drafts}) == 2
    assert len({d.subject for d in drafts}) == 1


@pytest.mark.parametrize(("dates", "cases"), [(("20200101",), 1), (("20200101", "20210101"), 3)])
def test_an_undated_file_joins_the_only_time_point(dates, cases):
    images = [x for n, d in enumerate(dates) for x in a_dicom(f"c{n}", series=f"1.{n}", study_date=d)]
    images += a_dicom("pt", series="1.99", modality="PT")
    inputs = inputs_of(images, wanted=lambda path, stack: (stack.modality.lower(),))
    drafts = drafted(inputs, ct=CT, pt=Channel(modality="PT", optional=True))
    assert len(drafts) == cases


def test_a_rejected_image_and_one_without_a_subject_are_no_candidates():
    inputs = inputs_of(
        a_dicom("a", patient_id=None) + a_dicom("b", series="1.2"),
        wanted=lambda path, stack: ("ct",) * (path[0] == "a"),
    )
    assert drafted(inputs) == []


def a_set(**changes):
    """Three b-values of one series: a set of three stacks."""
    rows = []
    for n, b_value in enumerate((0.0, 500.0, 1000.0)):
        rows += a_dicom(f"b{n}", series="1.1", b_value=b_value, **changes)
    return [(replace(r, sop_instance_uid=f"{r.sop_instance_uid}.{r.b_value:g}"), f) for r, f in rows]


def by_b_value(path, stack):
    return tuple(n for n, b in (("b0", "0"), ("b1000", "1000")) if stack.attribute("b_value") == b)


BOTH = {"b0": CT, "b1000": CT}


def test_each_stack_of_a_series_has_the_attributes_of_its_own_slices():
    inputs = inputs_of(a_set())
    found = {(s.attribute("b_value"), s.axis, s.axis_value) for s in inputs.stacks.values()}
    assert found == {(f"{b:g}", "b-value", b) for b in (0.0, 500.0, 1000.0)}


@pytest.mark.parametrize(("reference", "expected"), [("b0", "0"), ("b1000", "1000"), ("other", "0")])
def test_one_volume_of_a_set_stands_for_all_of_them_in_its_case(reference, expected):
    drafts = drafted(inputs_of(a_set(), wanted=by_b_value), **BOTH)
    chosen = drafts[0].chosen
    speakers = speakers_of(drafts, reference)
    assert set(speakers) == {s.id for s in chosen.values()}
    [speaker] = set(speakers.values())
    assert next(s for s in chosen.values() if s.id == speaker).attribute("b_value") == expected


def test_images_that_are_cases_of_their_own_each_speak_for_themselves():
    drafts = drafted(inputs_of(a_set()), unit=CaseUnit.IMAGE)
    assert all(k == v for k, v in speakers_of(drafts, "ct").items())
    assert speakers_of(drafted(two_kernels("B30f")), "ct") == {}


def test_units_of_a_case():
    images = [
        *a_dicom(
            "l",
            series="1.1",
            study_uid="2.1",
            study_date="20200101",
            image_laterality="L",
            modality="MG",
            count=1,
        ),
        *a_dicom(
            "r",
            series="1.2",
            study_uid="2.1",
            study_date="20200101",
            image_laterality="R",
            modality="MG",
            count=1,
        ),
        *a_dicom(
            "x",
            series="1.3",
            study_uid="2.2",
            study_date="20210101",
            image_laterality="L",
            modality="MG",
            count=1,
        ),
    ]
    inputs = inputs_of(images)
    counts = {unit.value: len(drafted(inputs, Channel(modality="MG"), unit=unit)) for unit in CaseUnit}
    assert counts == {"patient": 1, "study": 2, "series": 3, "side": 3, "image": 3}
    sides = [d.unit for d in drafted(inputs, Channel(modality="MG"), unit=CaseUnit.SIDE)]
    assert sorted(sides) == ["L", "L", "R"]
