import json
from dataclasses import replace

import numpy as np
import pytest

from isocenter.model.rows import PlannedAnnotation
from isocenter.model.task import Channel
from isocenter.stages.enrol.absence import silences
from isocenter.stages.enrol.candidates import draft_cases
from isocenter.stages.enrol.frozen import Frozen
from isocenter.stages.enrol.options import CaseUnit, StoreOptions
from isocenter.stages.enrol.plan import attach, by_stack, median_spacing, plan_case, shard_count, shard_of
from tests.unit.stages.plans import a_contract, a_dicom, a_volume, enrol_options, inputs_of
from tests.unit.stages.rows import NAMES, steps_of


def drafts_of(inputs, unit=CaseUnit.STUDY):
    return draft_cases(inputs, a_contract(), unit)


def a_mark(stack, name="ann-1", **changes):
    clean = PlannedAnnotation(
        id=name, kind="mask", format="nifti", rater="", on=stack, keys=(1,), labels=("lesion",)
    )
    return replace(clean, **changes)


def attached(*marks, **source):
    [draft] = drafts_of(inputs_of(a_dicom("a")))
    stack = draft.chosen["ct"].id
    found = attach(draft, by_stack([m(stack) for m in marks]), enrol_options(source or {"path": "t"}))
    return found, [i.rule for i in draft.issues]


def closed(*sources):
    """Labels declared negative, and issues; each source is its options and what it has of the one image."""
    [draft] = drafts_of(inputs_of(a_dicom("a")))
    stack = draft.chosen["ct"].id
    options = enrol_options(*[s for s, *_ in sources])
    linked = [[m(stack) for m in marks] for _, *marks in sources]
    on = by_stack(a for found in linked for a in found)
    found = attach(draft, on, options, silences(options, linked, [set() for _ in linked]))
    declared = [label for a in found if a.format == "declared" for label in a.labels]
    return declared, [(i.rule, i.severity.value) for i in draft.issues]


def test_an_image_that_nobody_annotated_is_refused_or_declared_negative():
    assert attached() == ([], ["enrol/no-annotation"])
    assert closed(({"path": "t", "absent": "negative"},)) == (["heart", "lesion"], [])


MASKS = {"kind": "masks", "path": "m"}
LESIONS = {"path": "t", "columns": {"key": "id", "lesion": "les"}}
NO = {"absent": "negative"}


def test_a_source_closes_only_the_labels_that_it_speaks_of():
    assert closed((LESIONS | NO,), (MASKS,))[0] == ["lesion"]
    assert closed((MASKS | NO,), (LESIONS,))[0] == ["heart"]
    assert closed((MASKS | {"values": {3: "lesion"}} | NO,))[0] == ["lesion"]
    boxes = {"path": "b", "shape": "boxes", "label": "heart", "columns": {"key": "id"}}
    assert closed((boxes | NO,), (MASKS,))[0] == ["heart"]
    assert closed(({"kind": "objects"} | NO,), (LESIONS,))[0] == []
    assert closed(({"kind": "objects"} | NO,))[0] == ["heart", "lesion"]


def test_what_one_source_has_marked_another_does_not_close():
    assert closed((LESIONS | NO,), (MASKS, a_mark))[0] == []
    boxes = lambda s: a_mark(s, kind="boxes", keys=(), labels=(), searched=("lesion",))  # noqa: E731
    assert closed(({"path": "b", "shape": "boxes"}, boxes), (MASKS | NO,))[0] == ["heart"]


def test_a_file_of_a_source_closes_nothing_of_it_and_one_without_a_known_name_is_for_a_person():
    """It may well mark the label, under a name that is not in the vocabulary."""
    structures = {"kind": "objects"}
    nameless = lambda s: a_mark(s, kind="contours", file_id="f", keys=(), labels=())  # noqa: E731
    assert closed((structures | NO, nameless)) == ([], [("enrol/unmapped-label", "review")])
    assert closed((structures, nameless)) == ([], [("enrol/no-annotation", "reject")])
    assert closed((structures | NO, lambda s: a_mark(s, file_id="f"))) == ([], [])


def a_row(stack, state, name="tab-1"):
    return a_mark(stack, name, kind="labels", keys=(), labels=("lesion",), states=(state,))


def test_a_row_that_leaves_a_label_open_is_never_closed():
    empty = lambda s: a_row(s, "not_annotated")  # noqa: E731
    assert closed((LESIONS | NO, empty)) == ([], [("enrol/no-annotation", "reject")])
    assert closed((LESIONS, empty), (MASKS | NO,))[0] == ["heart"]


def test_only_labels_that_are_decided_count_twice():
    assert attached(a_mark, lambda s: a_row(s, "not_annotated"))[1] == []
    assert attached(a_mark, lambda s: a_row(s, "absent"))[1] == ["enrol/same-label-twice"]


def test_one_label_twice_is_two_raters_only_where_that_is_said():
    assert attached(a_mark, lambda s: a_mark(s, "ann-2"))[1] == ["enrol/same-label-twice"]
    assert attached(lambda s: a_mark(s, rater="a"), lambda s: a_mark(s, "ann-2", rater="b"))[1] == []


def planned(images, *, annotations=(), recipe="r", spacing=(), review=(), max_bytes=1 << 40, touch=None):
    inputs = inputs_of(images, review=review)
    if touch:
        inputs.files[touch] = replace(inputs.files[touch], mtime_ns=99)
    [draft] = drafts_of(inputs)
    options = enrol_options({"path": "t"}, recipe=recipe)
    return plan_case(draft, list(annotations), inputs, options, spacing, NAMES, max_bytes)


def test_a_digest_changes_exactly_when_the_record_would():
    base = planned(a_dicom("a"))[0]
    assert planned(a_dicom("a"))[0] == base
    others = [
        planned(a_dicom("a"), recipe="other"),
        planned(a_dicom("a"), spacing=(1.0, 1.0, 1.0)),
        planned(a_dicom("a"), touch="a-1"),
        planned(a_dicom("a", count=4)),
        planned(a_dicom("a", convolution_kernel="B30f")),
        planned(a_dicom("a"), annotations=[a_mark("s")]),
        planned(a_dicom("a"), review=("a/0.dcm",)),
    ]
    assert len({base.digest, *(c.digest for c, _ in others)}) == 8
    assert {c.id for c, _ in others} == {base.id}
    beside = inputs_of(a_dicom("a") + a_dicom("b", series="1.2", patient_id="P-18"))
    both = [
        plan_case(d, [], beside, enrol_options({"path": "t"}, recipe="r"), (), NAMES, 1 << 40)[0]
        for d in drafts_of(beside)
    ]
    assert base in both


def test_a_case_of_an_image_to_review_is_to_review():
    case, issues = planned(a_dicom("a"), review=("a/0.dcm",))
    assert (case.verdict, case.reason) == ("review", "a/rule")
    assert all(i.target == case.id for i in issues)


def test_a_case_beyond_the_limit_is_refused_before_anything_is_read():
    case, _ = planned(a_dicom("a"), max_bytes=100)
    assert (case.verdict, case.reason, case.is_to_build) == ("reject", "build/too-large", False)
    assert case.bytes_estimated == 3 * 6 * 5 * 4


def affine(i, j, k):
    return np.diag([i, j, k, 1.0]).ravel()


def test_the_median_is_that_of_subjects_that_no_split_holds_out():
    images = [a_volume(f"p{n}/ct.nii", affine=affine(1.0 + n, 2.0, 3.0)) for n in range(5)]
    drafts = drafts_of(inputs_of(images, pattern=("{subject}/*",)))
    assert median_spacing(drafts, "ct", set()) == (3.0, 2.0, 3.0)
    held_out = {NAMES.of("sub", "", f"p{n}", "site-1") for n in (3, 4)}
    assert median_spacing(drafts, "ct", held_out) == (3.0, 2.0, 2.0)


def test_the_median_is_over_canonical_axes():
    turned = np.array([[0, 0, 5.0, 0], [3.0, 0, 0, 0], [0, 4.0, 0, 0], [0, 0, 0, 1]]).ravel()
    drafts = drafts_of(inputs_of([a_volume("p/ct.nii", affine=turned)], pattern=("{subject}/*",)))
    assert median_spacing(drafts, "ct", set()) == (4.0, 3.0, 5.0)


def test_shards_are_powers_of_two_of_about_the_size_and_a_case_keeps_its_own():
    case = planned(a_dicom("a"))[0]
    cases = [replace(case, bytes_estimated=100)] * 64
    assert shard_count(cases, 1 << 30) == 16
    assert shard_count(cases, 100) == 64
    assert shard_count([], 100) == 1
    assert shard_of("case-1", 8) % 4 == shard_of("case-1", 4)


def frozen(path, spacing="median", *, reference=None, shards=None):
    contract = a_contract(channels={"ct": reference or Channel(modality="CT")})
    return Frozen(
        path,
        enrol_options({"path": "t"}, contract=contract, spacing=spacing, store=StoreOptions(shards=shards)),
    )


def drafts_at(millimetres):
    return drafts_of(
        inputs_of([a_volume("p/ct.nii", affine=affine(*[millimetres] * 3))], pattern=("{subject}/*",))
    )


def test_the_first_median_stays(tmp_path):
    first = frozen(tmp_path / "f.json")
    assert first.spacing_mm([], set()) == ()
    assert first.spacing_mm(drafts_at(2.0), set()) == (2.0, 2.0, 2.0)
    first.keep()
    assert frozen(tmp_path / "f.json").spacing_mm(drafts_at(3.0), set()) == (2.0, 2.0, 2.0)


def test_a_spacing_that_was_once_asked_for_is_not_the_median(tmp_path):
    asked = frozen(tmp_path / "f.json", (1.0, 1.0, 1.0))
    assert asked.spacing_mm(drafts_at(2.0), set()) == (1.0, 1.0, 1.0)
    asked.keep()
    assert frozen(tmp_path / "f.json").spacing_mm(drafts_at(2.0), set()) == (2.0, 2.0, 2.0)
    assert frozen(tmp_path / "f.json", "native").spacing_mm(drafts_at(2.0), set()) == ()


def test_one_number_is_for_all_axes_and_isotropic_is_the_smallest_median(tmp_path):
    flat = drafts_of(
        inputs_of([a_volume("p/ct.nii", affine=affine(0.8, 0.9, 3.0))], pattern=("{subject}/*",))
    )
    assert frozen(tmp_path / "f.json", 1.5).spacing_mm(flat, set()) == (1.5, 1.5, 1.5)
    one = frozen(tmp_path / "f.json", "isotropic")
    assert one.spacing_mm([], set()) == ()
    assert one.spacing_mm(flat, set()) == (0.8, 0.8, 0.8)
    assert frozen(tmp_path / "f.json").spacing_mm(flat, set()) == (3.0, 0.9, 0.8)


def test_another_reference_image_has_another_median(tmp_path):
    first = frozen(tmp_path / "f.json")
    first.spacing_mm(drafts_at(2.0), set())
    first.keep()
    other = frozen(tmp_path / "f.json", reference=Channel(modality="CT", where={"site": "x"}))
    assert other.spacing_mm(drafts_at(3.0), set()) == (3.0, 3.0, 3.0)


def test_the_first_number_of_shards_stays_unless_it_is_asked_for(tmp_path):
    case = planned(a_dicom("a"))[0]
    first = frozen(tmp_path / "f.json")
    assert first.shards([]) == 1
    first.keep()
    assert json.loads((tmp_path / "f.json").read_text()) == {}
    first.shards([case] * 40)
    first.keep()
    assert frozen(tmp_path / "f.json").shards([case] * 4000) == 16
    assert frozen(tmp_path / "f.json", shards=64).shards([case]) == 64


def test_attaching_grows_with_the_annotations_not_with_their_square():
    def work(count):
        images = [a_volume(f"p{n}/ct.nii") for n in range(count)]
        drafts = drafts_of(inputs_of(images, pattern=("{subject}/*",)))
        marks = [a_mark(d.chosen["ct"].id, f"ann-{n}") for n, d in enumerate(drafts)]

        def attach_all():
            on = by_stack(marks)
            for draft in drafts:
                attach(draft, on, enrol_options({"path": "t"}))

        return steps_of(attach_all)

    work(5)
    assert work(160) / work(40) < 5


@pytest.mark.parametrize("unit", list(CaseUnit))
def test_drafting_grows_with_the_images_not_with_their_square(unit):
    def work(count):
        inputs = inputs_of([a_volume(f"p{n}/ct.nii") for n in range(count)], pattern=("{subject}/*",))
        return steps_of(lambda: drafts_of(inputs, unit))

    work(5)
    assert work(160) / work(40) < 5
