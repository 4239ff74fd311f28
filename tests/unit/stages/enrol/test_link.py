from dataclasses import replace

import numpy as np
import pytest

from isocenter.model.rows import AnnotationObject, FrameRow, LayoutRow
from isocenter.model.task import Channel, Label
from isocenter.model.vocabulary import Vocabulary
from isocenter.stages.enrol.candidates import draft_cases, speakers_of
from isocenter.stages.enrol.link import Linker
from isocenter.stages.enrol.options import CaseUnit
from tests.unit.stages.enrol.test_candidates import a_set, by_b_value
from tests.unit.stages.plans import a_contract, a_dicom, a_source, a_volume, an_object, inputs_of
from tests.unit.stages.rows import NAMES, steps_of

MASKS = {
    "kind": "masks",
    "path": "{subject}/mask{reader}.nii",
    "image": "{subject}/ct.nii",
    "rater": "r{reader}",
}


def linked(inputs, *, unit=CaseUnit.IMAGE, **source):
    contract = a_contract()
    eligible = {s.id: s for d in draft_cases(inputs, contract, unit) for s in d.chosen.values()}
    values = {v.value: n for n, v in contract.labels.items()}
    linker = Linker(inputs, eligible, Vocabulary(contract.labels), values, NAMES)
    found = linker.link(a_source(**source))
    paths = [inputs.files[inputs.stacks[a.on].files[0]].path for a in found]
    return found, paths, [i.rule for i in linker.issues]


B = [
    (replace(r, position_mm=(0.0, 0.0, 500 + 2.5 * n)), f)
    for n, (r, f) in enumerate(a_dicom("b", series="1.2"))
]
TWO = a_dicom("a", series="1.1") + B
ON_A, ON_B = (1.0, 1.0, 2.5), (1.0, 1.0, 502.5)


@pytest.mark.parametrize(
    ("evidence", "path"),
    [
        ({"referenced_instance_uids": ("1.2.0",), "referenced_series_uids": ("1.1",)}, "b/0.dcm"),
        (
            {"referenced_series_uids": ("1.2",), "frame_of_reference_uid": "1.7", "samples_mm": ON_A},
            "b/0.dcm",
        ),
        ({"frame_of_reference_uid": "1.7", "samples_mm": ON_A}, "a/0.dcm"),
        ({"frame_of_reference_uid": "1.7", "samples_mm": ON_B}, "b/0.dcm"),
    ],
)
def test_the_nearest_evidence_decides(evidence, path):
    _, paths, issues = linked(inputs_of(TWO, objects=[an_object("rs", "rs.dcm", **evidence)]), kind="objects")
    assert paths == [path]
    assert issues == []


@pytest.mark.parametrize(
    "evidence",
    [
        {"referenced_instance_uids": ("9.9",)},
        {"frame_of_reference_uid": "1.70", "samples_mm": ON_A},
        {"frame_of_reference_uid": "1.7", "samples_mm": (1.0, 1.0, 3.7)},
        {"frame_of_reference_uid": "1.7", "samples_mm": (*ON_A, *ON_B)},
        {"frame_of_reference_uid": "1.7"},
        {},
    ],
)
def test_what_points_nowhere_is_told(evidence):
    found, _, issues = linked(inputs_of(TWO, objects=[an_object("rs", "rs.dcm", **evidence)]), kind="objects")
    assert found == []
    assert issues == ["enrol/annotation-of-nothing"]


def test_what_fits_two_images_is_for_a_person():
    two = a_dicom("a", series="1.1") + a_dicom("c", series="1.3")
    rs = an_object("rs", "rs.dcm", frame_of_reference_uid="1.7", samples_mm=ON_A)
    found, _, issues = linked(inputs_of(two, objects=[rs]), kind="objects")
    assert found == []
    assert issues == ["enrol/ambiguous-annotation"] * 3


def test_its_own_subject_comes_first_where_centres_share_a_frame_of_reference():
    two = a_dicom("a", series="1.1") + a_dicom("c", series="1.3", patient_id="P-18")
    rs = an_object("rs", "rs.dcm", frame_of_reference_uid="1.7", samples_mm=ON_A)
    assert linked(inputs_of(two, objects=[rs]), kind="objects")[1] == ["a/0.dcm"]


def test_names_become_labels_and_unknown_ones_are_told_without_the_patient():
    rs = an_object(
        "rs", "rs.dcm", referenced_series_uids=("1.1",), labels=("GTV 1", "liver P-17"), numbers=(3, 8)
    )
    inputs = inputs_of(a_dicom("a", series="1.1"), objects=[rs])
    contract = a_contract()
    linker = Linker(inputs, inputs.stacks, Vocabulary(contract.labels), {}, NAMES)
    [found] = linker.link(a_source(kind="objects"))
    assert (found.keys, found.labels) == ((3,), ("lesion",))
    assert [(i.rule, i.measured) for i in linker.issues] == [("enrol/unmapped-label", "liver *")]


def volumes(*paths, **changes):
    return inputs_of([a_volume(p, **changes) for p in paths], pattern=("{subject}/*",))


def test_masks_belong_to_the_image_of_the_same_named_parts_and_readers_are_raters():
    found, paths, issues = linked(
        volumes("p/ct.nii", "p/mask1.nii", "p/mask2.nii", "q/ct.nii", "q/mask1.nii"), **MASKS
    )
    assert sorted(paths) == ["p/ct.nii", "p/ct.nii", "q/ct.nii"]
    assert {a.rater for a in found} == {NAMES.of("rat", "r1"), NAMES.of("rat", "r2")}
    assert issues == []


def test_every_file_can_be_a_reader():
    found, _, _ = linked(volumes("p/ct.nii", "p/mask1.nii", "p/mask2.nii"), **(MASKS | {"rater": "{file}"}))
    assert len({a.rater for a in found}) == 2
    found, _, _ = linked(volumes("p/ct.nii", "p/mask1.nii", "p/mask2.nii"), **(MASKS | {"rater": ""}))
    assert {a.rater for a in found} == {""}


def test_a_mask_without_image_is_told_and_one_of_another_source_is_not_taken():
    assert linked(volumes("p/mask1.nii", "q/ct.nii"), **MASKS)[2] == ["enrol/annotation-of-nothing"]
    images = [a_volume("p/ct.nii"), a_volume("p/mask1.nii", source=1)]
    inputs = inputs_of(images, sites=("a", "b"), pattern=("{subject}/*",))
    assert linked(inputs, **MASKS)[2] == ["enrol/annotation-of-nothing"]


def test_without_a_template_subject_and_grid_decide():
    source = MASKS | {"image": ""}
    assert linked(volumes("p/ct.nii", "p/mask1.nii", "q/ct.nii"), **source)[1] == ["p/ct.nii"]
    assert (
        linked(volumes("p/ct.nii", "p/two.nii", "p/mask1.nii"), **source)[2]
        == ["enrol/ambiguous-annotation"] * 3
    )
    other = [a_volume("p/ct.nii"), a_volume("p/mask1.nii", shape=(6, 5, 9))]
    assert linked(inputs_of(other, pattern=("{subject}/*",)), **source)[2] == ["enrol/annotation-of-nothing"]


def test_masks_of_a_layout_say_which_value_is_what():
    inputs = volumes("p/ct.nii", "p/mask.nii")
    [mask] = [f for f, r in inputs.files.items() if "mask" in r.path]
    row = LayoutRow(
        file_id=mask,
        role="mask",
        channel="",
        case="",
        subject="p",
        values=(1, 2, 7),
        labels=("heart", "spleen", "GTV"),
    )
    found, _, issues = linked(replace(inputs, layout={mask: row}), kind="layout")
    assert [(a.keys, a.labels) for a in found] == [((1, 7), ("heart", "lesion"))]
    assert issues == ["enrol/unmapped-label"]


@pytest.mark.parametrize("source", [MASKS, MASKS | {"image": ""}])
def test_work_grows_with_the_masks_not_with_their_square(source):
    def work(count):
        inputs = volumes(*[f"p{n}/{name}.nii" for n in range(count) for name in ("ct", "mask1")])
        return steps_of(lambda: linked(inputs, **source))

    work(5)
    assert work(160) / work(40) < 5


def test_work_grows_with_the_objects_not_with_their_square():
    def work(count):
        images, objects = [], []
        for n in range(count):
            images += a_dicom(f"a{n}", series=f"1.{n}", patient_id=f"P{n}", frame_of_reference_uid=f"2.{n}")
            found = an_object(
                f"rs{n}", f"rs{n}.dcm", frame_of_reference_uid=f"2.{n}", samples_mm=ON_A, patient_id=f"P{n}"
            )
            objects.append(found)
        inputs = inputs_of(images, objects=objects)
        return steps_of(lambda: linked(inputs, kind="objects"))

    work(5)
    assert work(160) / work(40) < 5


def issues_of(inputs, labels=None):
    contract = a_contract()
    linker = Linker(inputs, inputs.stacks, Vocabulary(labels or contract.labels), {}, NAMES)
    found = linker.link(a_source(kind="objects"))
    return found, [(i.rule, i.measured) for i in linker.issues]


@pytest.mark.parametrize(
    "evidence", [{"referenced_instance_uids": ("1.1.0",)}, {"referenced_series_uids": ("1.1",)}]
)
def test_a_structure_set_of_another_patient_is_linked_and_told(evidence):
    rs = an_object("rs", "rs.dcm", patient_id="P-99", **evidence)
    found, issues = issues_of(inputs_of(a_dicom("a", series="1.1"), objects=[rs]))
    assert (len(found), [r for r, _ in issues]) == (1, ["enrol/other-subject"])
    for nobody in (None, "P-17"):
        rs = an_object("rs", "rs.dcm", patient_id=nobody, **evidence)
        assert issues_of(inputs_of(a_dicom("a", series="1.1"), objects=[rs]))[1] == []


def test_a_frame_of_reference_does_not_join_two_patients():
    evidence = {"frame_of_reference_uid": "1.7", "samples_mm": ON_A}
    images = a_dicom("a", series="1.1")
    other = an_object("rs", "rs.dcm", patient_id="P-99", **evidence)
    assert linked(inputs_of(images, objects=[other]), kind="objects")[2] == ["enrol/annotation-of-nothing"]
    nobody = an_object("rs", "rs.dcm", patient_id=None, **evidence)
    assert linked(inputs_of(images, objects=[nobody]), kind="objects")[1] == ["a/0.dcm"]


def regions(*names, aliases):
    rs = an_object(
        "rs", "rs.dcm", referenced_series_uids=("1.1",), labels=names, numbers=tuple(range(len(names)))
    )
    return issues_of(
        inputs_of(a_dicom("a", series="1.1"), objects=[rs]), {"tumour": Label(value=1, aliases=aliases)}
    )[1]


def test_regions_that_a_pattern_unites_are_told_unless_each_is_named():
    both = ("gtv", "gtv_old_do_not_use")
    assert regions(*both, aliases=("gtv*",)) == [("enrol/several-regions", "2 for tumour")]
    assert regions(*both, aliases=("gtv*", "GTV")) == [("enrol/several-regions", "2 for tumour")]
    assert regions(*both, aliases=both) == []
    assert regions("gtv", aliases=("gtv*",)) == []


def test_names_of_a_structure_set_without_images_are_scrubbed_by_its_own_header():
    rs = an_object(
        "rs", "rs.dcm", patient_name="Li^Wu", birth_date="19610203", labels=("x Li 19610203 limb wu",)
    )
    _, issues = issues_of(inputs_of([], objects=[rs]))
    assert issues[0] == ("enrol/unmapped-label", "x * * limb *")


def test_names_of_a_layout_are_scrubbed():
    inputs = volumes("Doe/ct.nii", "Doe/mask.nii", patient_name="Meyer")
    [mask] = [f for f, r in inputs.files.items() if "mask" in r.path]
    row = LayoutRow(
        file_id=mask, role="mask", channel="", case="", subject="Doe", values=(1,), labels=("meyer doe left",)
    )
    contract = a_contract()
    inputs = replace(inputs, layout={mask: row})
    linker = Linker(inputs, inputs.stacks, Vocabulary(contract.labels), {}, NAMES)
    linker.link(a_source(kind="layout"))
    assert [i.measured for i in linker.issues if i.rule == "enrol/unmapped-label"] == ["* * left"]


def in_one_case(inputs, **source):
    """Links to the two volumes of a set that are channels of one case."""
    contract = a_contract(channels={n: Channel(modality="CT") for n in ("b0", "b1000")}, reference="b1000")
    drafts = draft_cases(inputs, contract, CaseUnit.STUDY)
    eligible = {s.id: s for d in drafts for s in d.chosen.values()}
    speakers = speakers_of(drafts, contract.reference)
    linker = Linker(inputs, eligible, Vocabulary(contract.labels), {1: "lesion"}, NAMES, speakers)
    found = linker.link(a_source(**source))
    return [eligible[a.on].attribute("b_value") for a in found], [i.rule for i in linker.issues]


def test_what_was_drawn_on_a_set_is_kept_once_on_the_reference():
    objects = [an_object("rs", "rs.dcm", referenced_series_uids=("1.1",))]
    inputs = inputs_of(a_set(), objects=objects, wanted=by_b_value)
    assert in_one_case(inputs, kind="objects") == (["1000"], [])


def test_what_was_drawn_on_one_volume_of_a_set_stays_there():
    objects = [an_object("rs", "rs.dcm", referenced_instance_uids=("1.1.0.0",))]
    inputs = inputs_of(a_set(), objects=objects, wanted=by_b_value)
    assert in_one_case(inputs, kind="objects") == (["0"], [])


def test_a_set_in_several_cases_is_still_for_a_person():
    inputs = inputs_of(a_set(), objects=[an_object("rs", "rs.dcm", referenced_series_uids=("1.1",))])
    _, paths, issues = linked(inputs, kind="objects")
    assert paths == []
    assert set(issues) == {"enrol/ambiguous-annotation"}


def test_a_mask_file_of_several_volumes_is_told_of_its_image():
    images = [a_volume("p/ct.nii"), a_volume("p/mask1.nii", frames=2)]
    mask = images[1][0].file_id
    frames = [FrameRow(file_id=mask, frame=n) for n in range(2)]
    inputs = inputs_of(images, pattern=("{subject}/*",), frames=frames)
    found, _, issues = linked(inputs, **MASKS)
    assert found == []
    assert issues == ["enrol/unreadable-annotation"]


def a_segmentation(file_id="seg", **changes):
    """A DICOM SEG of two segments."""
    row, file = an_object(
        file_id, f"{file_id}.dcm", format="dicom-seg", labels=("GTV", "unknown"), numbers=(1, 5),
        codes=("", "SCT:80891009"), ids=("", ""), shapes=("mask", "mask"), **changes,
    )  # fmt: skip
    return row, replace(file, kind="dicom-seg")


def test_a_segmentation_is_linked_as_a_structure_set_is_and_read_as_masks():
    inputs = inputs_of(TWO, objects=[a_segmentation(referenced_instance_uids=("1.2.0",))])
    [found], paths, issues = linked(inputs, kind="objects", format="dicom-seg")
    assert (found.kind, found.format, paths) == ("mask", "dicom-seg", ["b/0.dcm"])
    assert issues == ["enrol/unmapped-label"]
    assert (found.keys, found.labels) == ((1,), ("lesion",))
    assert found.fraction == 0.5
    [found], _, _ = linked(inputs, kind="objects", fraction=0.2)
    assert found.fraction == 0.2
    with pytest.raises(ValueError, match="fraction"):
        linked(inputs, kind="objects", fraction=0)
    by_place = inputs_of(TWO, objects=[a_segmentation(frame_of_reference_uid="1.7", samples_mm=ON_A)])
    assert linked(by_place, kind="objects")[1] == ["a/0.dcm"]
    nowhere = inputs_of(TWO, objects=[a_segmentation(frame_of_reference_uid="1.8", samples_mm=ON_A)])
    assert linked(nowhere, kind="objects")[2] == ["enrol/unmapped-label", "enrol/annotation-of-nothing"]


def slicer(*names, shape=(6, 5, 4), affine=None, **columns):
    """A volume and a .seg.nrrd of the same person; its segments are numbered from 0."""
    changes = {} if affine is None else {"affine": affine}
    images = [a_volume("p1/ct.nii"), a_volume("p1/mask.nii", shape=shape, **changes)]
    inputs = inputs_of(images, pattern=("{subject}/*",))
    [file_id] = [f for f, row in inputs.files.items() if row.path == "p1/mask.nii"]
    known = AnnotationObject(
        file_id=file_id, source=0, site="site-1", format="nifti", subject=inputs.stack_of_file[file_id].subject,
        labels=names, numbers=tuple(range(len(names))), shapes=("mask",) * len(names), **columns,
    )  # fmt: skip
    return replace(inputs, objects=(known,))


SEGMENTS = {"kind": "masks", "path": "{subject}/mask.nii"}


def test_segments_go_by_their_names_and_never_by_their_values():
    inputs = slicer("herz", "something", "GTV")
    for source in (SEGMENTS, {**SEGMENTS, "values": {0: "heart", 1: "lesion"}}):
        [found], paths, issues = linked(inputs, **source)
        assert (found.keys, found.labels) == ((2,), ("lesion",))
        assert paths == ["p1/ct.nii"]
        assert issues == ["enrol/unmapped-label"] * 2
    [found], _, _ = linked(inputs, kind="objects", format="nifti")
    assert (found.kind, found.keys) == ("mask", (2,))
    # what says nothing of its image is read as an object only where it is asked for
    assert linked(inputs, kind="objects")[0] == []


def test_segments_go_by_code_and_identifier_too():
    inputs = slicer("a", "b", codes=("SCT:1", "SCT:2"), ids=("x", "GTV"))
    [found], _, _ = linked(inputs, **SEGMENTS)
    assert (found.keys, found.labels) == ((1,), ("lesion",))


def test_a_segmentation_that_was_cropped_is_on_the_image_it_lies_in():
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    affine[:3, 3] = affine[:3, :3] @ [1, 2, 3]
    inside = slicer("GTV", shape=(3, 3, 3), affine=tuple(affine.ravel()))
    assert linked(inside, **SEGMENTS)[1] == ["p1/ct.nii"]
    beyond = slicer("GTV", shape=(4, 3, 3), affine=tuple(affine.ravel()))
    assert linked(beyond, **SEGMENTS)[2] == ["enrol/annotation-of-nothing"]
    whole = replace(inside, objects=())  # a label map is never cropped
    assert linked(whole, **SEGMENTS)[2] == ["enrol/annotation-of-nothing"]


@pytest.mark.parametrize(("word", "by_area"), [("centre", False), ("area", True)])
def test_how_contours_become_voxels_goes_with_them(word, by_area):
    rs = an_object("rs", "rs.dcm", referenced_series_uids=("1.1",))
    [found], _, _ = linked(inputs_of(a_dicom("a", series="1.1"), objects=[rs]), kind="objects", inside=word)
    assert found.by_area is by_area
