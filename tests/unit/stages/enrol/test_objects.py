"""Annotation files of other programs: which image, which slice, which reader."""

from dataclasses import replace

import pytest

from isocenter.model.rows import AnnotationObject
from isocenter.model.task import Label
from isocenter.model.vocabulary import Vocabulary
from isocenter.stages.enrol.link import Linker
from isocenter.stages.enrol.naming import name_rows
from tests.unit.stages.plans import a_dicom, a_source, a_volume, inputs_of
from tests.unit.stages.rows import NAMES, a_slice, file_of

LABELS = {"wart": Label(value=1, aliases=("verruca",), code="SCT:57019003"), "mole": Label(value=2)}


def drawn(form, *parts, file_id="d", path="d.json", **changes):
    """A file of parts (name, shape, picture), and further fields of its row."""
    row = AnnotationObject(
        file_id=file_id,
        source=0,
        site="site-1",
        format=form,
        labels=tuple(p[0] for p in parts),
        numbers=tuple(range(1, len(parts) + 1)),
        shapes=tuple(p[1] for p in parts),
        pictures=tuple(p[2] for p in parts) if any(p[2] for p in parts) else (),
    )
    return replace(row, **changes), file_of(a_slice(file_id=file_id), path=path, kind=form)


def linked(inputs, **source):
    linker = Linker(inputs, inputs.stacks, Vocabulary(LABELS), {}, NAMES)
    found = linker.link(a_source(**({"kind": "objects"} | source)))
    paths = [inputs.files[inputs.stacks[a.on].files[0]].path for a in found]
    return found, paths, [(i.rule, i.measured) for i in linker.issues], linker.met


A, B = a_dicom("a", series="1.1"), a_dicom("b", series="1.2")


def slice_of(uid):
    return NAMES.of("sop", uid)


@pytest.mark.parametrize("form", ["coco", "voc", "aim", "lidc-xml", "slicer-markups", "dicom-report"])
def test_other_formats_are_read_where_they_are_asked_for(form):
    inputs = inputs_of(A, objects=[drawn(form, ("wart", "boxes", "1.1.1"))])
    assert linked(inputs)[0] == []
    assert linked(inputs, format=form)[1] == ["a/0.dcm"]


@pytest.mark.parametrize("name", ["1.2.1", "1.2.1.png", "1.2.1.dcm", "b/1.dcm", "x\\y\\1.2.1.jpg"])
def test_a_picture_is_a_slice_by_its_object_its_path_or_its_name(name):
    [one], paths, issues, _ = linked(
        inputs_of(A + B, objects=[drawn("coco", ("wart", "boxes", name))]), format="coco"
    )
    assert (paths, issues) == (["b/0.dcm"], [])
    assert (one.kind, one.keys, one.labels) == ("boxes", (1,), ("wart",))
    assert (one.slices, one.searched_slices, one.covers) == (
        (slice_of("1.2.1"),),
        (slice_of("1.2.1"),),
        "slices",
    )


def test_one_file_on_many_pictures_is_one_annotation_for_each_image():
    parts = [("wart", "boxes", "1.1.0"), ("mole", "boxes", "1.1.2"), ("wart", "boxes", "1.2.1")]
    found, paths, issues, _ = linked(inputs_of(A + B, objects=[drawn("coco", *parts)]), format="coco")
    assert sorted(paths) == ["a/0.dcm", "b/0.dcm"]
    assert sorted(a.keys for a in found) == [(1, 2), (3,)]
    assert len({a.id for a in found}) == 2
    assert issues == []


def test_pictures_that_are_nowhere_are_counted_and_names_of_no_label_told_once():
    parts = [
        ("wart", "boxes", "1.1.0"),
        ("?", "boxes", "1.1.1"),
        ("?", "boxes", "1.1.2"),
        ("wart", "boxes", "none.png"),
    ]
    _, _, issues, met = linked(inputs_of(A, objects=[drawn("coco", *parts)]), format="coco")
    assert sorted(issues) == [
        ("enrol/annotation-of-nothing", "1 of 4 pictures"),
        ("enrol/unmapped-label", "?"),
    ]
    rows = {(r.name, r.label, r.count, r.format) for r in name_rows(met)}
    assert rows == {("wart", "wart", 1, "coco"), ("?", "", 1, "coco")}


def test_a_name_that_two_images_have_is_the_own_subjects_or_for_a_person():
    images = [a_volume("p/x.nii", shape=(1, 5, 4)), a_volume("q/x.nii", shape=(1, 5, 4))]
    inputs = inputs_of(images, pattern=("{subject}/*",))
    own = inputs.stacks_of_path["p/x.nii"][0]
    one = drawn("voc", ("wart", "boxes", "x.png"), subject=inputs.stacks[own].subject)
    nobody = drawn("voc", ("wart", "boxes", "x.png"))

    def told(row):
        return linked(replace(inputs, objects=(row[0],), files=inputs.files | {"d": row[1]}), format="voc")

    [found], paths, issues, _ = told(one)
    assert (paths, issues, found.slices) == (["p/x.nii"], [], ())
    found, _, issues, _ = told(nobody)
    assert found == []
    assert {rule for rule, _ in issues} == {"enrol/ambiguous-annotation"}


def test_a_listed_picture_without_boxes_is_negative_only_where_that_is_said():
    row = drawn("coco", ("wart", "boxes", "1.1.0"), looked_at=("1.1.0", "1.1.2", "1.2.0"))
    found, _, _, _ = linked(inputs_of(A + B, objects=[row]), format="coco")
    assert [a.searched for a in found if a.file_id and a.keys] == [()]
    found, paths, _, _ = linked(inputs_of(A + B, objects=[row]), format="coco", absent="negative")
    by_path = dict(zip(paths, found, strict=True))
    assert by_path["a/0.dcm"].searched == ("wart", "mole")
    assert set(by_path["a/0.dcm"].searched_slices) == {slice_of("1.1.0"), slice_of("1.1.2")}
    empty = by_path["b/0.dcm"]
    assert (empty.file_id, empty.searched, empty.searched_slices) == (
        "",
        ("wart", "mole"),
        (slice_of("1.2.0"),),
    )


def test_who_had_looked_at_the_image_had_looked_at_all_slices():
    row = drawn("aim", ("wart", "contours", "1.1.0"))
    [found], _, _, _ = linked(inputs_of(A, objects=[row]), format="aim", covers="image")
    assert set(found.searched_slices) == {slice_of(f"1.1.{n}") for n in range(3)}


def test_readers_of_one_file_stay_apart_and_a_label_of_an_image_is_a_vote():
    parts = [("wart", "contours", "1.1.0"), ("wart", "labels", ""), ("mole", "contours", "1.1.1")]
    row = drawn("aim", *parts, raters=("x", "x", "y"), referenced_series_uids=("1.1",))
    found, _, _, _ = linked(inputs_of(A, objects=[row]), format="aim")
    told = sorted((a.kind, a.labels, a.rater == NAMES.of("rat", "x")) for a in found)
    assert told == [
        ("contours", ("mole",), False),
        ("contours", ("wart",), True),
        ("labels", ("wart",), True),
    ]
    assert len({a.id for a in found}) == 3
    named, _, _, _ = linked(inputs_of(A, objects=[row]), format="aim", rater="me")
    assert {a.rater for a in named} == {NAMES.of("rat", "me")}


def test_markups_go_to_the_image_of_their_subject_that_they_lie_in():
    row = drawn("slicer-markups", ("wart", "points", ""), samples_mm=(1.0, 1.0, 1.0), path="p/m.json")
    images = [a_volume("p/ct.nii"), a_volume("q/ct.nii")]
    inputs = inputs_of(images, objects=[row], pattern=("{subject}/*",))
    assert linked(inputs, format="slicer-markups")[1] == ["p/ct.nii"]
    far = drawn("slicer-markups", ("wart", "points", ""), samples_mm=(1e3, 1.0, 1.0), path="p/m.json")
    inputs = inputs_of(images, objects=[far], pattern=("{subject}/*",))
    assert [r for r, _ in linked(inputs, format="slicer-markups")[2]] == ["enrol/annotation-of-nothing"]
    by_path = {"format": "slicer-markups", "path": "{s}/m.json", "image": "{s}/ct.nii"}
    assert linked(inputs, **by_path)[1] == ["p/ct.nii"]


def test_a_file_that_cannot_be_read_is_told_of_the_images_that_it_may_be_of():
    images = [a_volume("p/ct.nii"), a_volume("q/ct.nii")]
    inputs = inputs_of(images, pattern=("{subject}/*",))
    stacks = {s.subject: s.id for s in inputs.stacks.values()}
    subject = inputs.stacks[inputs.stacks_of_path["p/ct.nii"][0]].subject
    for own, told in ((subject, {stacks[subject]}), ("", set(stacks.values()))):
        row, file = drawn("voc", subject=own)
        broken = replace(inputs, broken=(row,), files=inputs.files | {"d": file})
        linker = Linker(broken, inputs.stacks, Vocabulary(LABELS), {}, NAMES)
        assert linker.link(a_source(kind="objects", format="voc")) == []
        assert {i.target for i in linker.issues} == told
        assert {i.rule for i in linker.issues} == {"enrol/unreadable-annotation"}


def test_a_code_says_more_than_a_name():
    row = drawn("aim", ("something else", "contours", "1.1.0"), codes=("SCT:57019003",), ids=("",))
    [found], _, _, _ = linked(inputs_of(A, objects=[row]), format="aim")
    assert found.labels == ("wart",)


def test_a_dicom_object_that_cannot_be_read_is_told_of_the_images_of_its_study():
    inputs = inputs_of(A)
    broken = a_slice(file_id="x", kind="dicom-unreadable", modality="RTSTRUCT")
    [study] = {i.study_uid for i in inputs.instances.values()}
    broken = replace(broken, study_uid=study)
    for form, count in (("", 1), ("rtstruct", 1), ("dicom-seg", 0)):
        told = replace(inputs, instances=inputs.instances | {"x": broken})
        issues = linked(told, format=form)[2]
        assert [r for r, _ in issues] == ["enrol/unreadable-annotation"] * count
