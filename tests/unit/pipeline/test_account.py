"""The ledger on hand-written tables: one state per file, by the last stage that decided on it."""

from copy import deepcopy

import pytest

from isocenter.base import tables
from isocenter.base.progress import silent
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import (
    AnnotationObject,
    CaseRow,
    FileRow,
    LayoutRow,
    PlannedAnnotation,
    PlannedCase,
    PlannedChannel,
    Stack,
    VerdictRow,
)
from isocenter.pipeline.account import account, totals
from isocenter.stages.index.options import IndexOptions, Source
from isocenter.stages.index.stage import index
from isocenter.testing.simulate.broken.scan import Scan, packed, set_stored, stored

KINDS = {
    "image": "dicom-image",
    "rejected": "dicom-image",
    "unwanted": "dicom-image",
    "tied": "dicom-image",
    "loser": "nifti",
    "held": "dicom-image",
    "failed": "dicom-image",
    "no-stack": "dicom-image",
    "contours": "dicom-rtstruct",
    "unmapped": "dicom-rtstruct",
    "orphan": "dicom-rtstruct",
    "unclear": "dicom-rtstruct",
    "of-failed": "dicom-rtstruct",
    "mask": "nifti",
    "twin": "dicom-image",
    "torn": "dicom-unreadable",
    "note": "text",
}
ENROLLED = {
    "image": ("held", "not built yet"),
    "rejected": ("excluded", "geometry/missing-slices"),
    "unwanted": ("excluded", "enrol/not-wanted"),
    "tied": ("held", "enrol/several-candidates"),
    "loser": ("excluded", "enrol/not-preferred"),
    "held": ("held", "affine/unknown-orientation"),
    "failed": ("held", "not built yet"),
    "no-stack": ("excluded", "enrol/not-wanted"),
    "contours": ("held", "not built yet"),
    "unmapped": ("excluded", "enrol/unmapped-label"),
    "orphan": ("excluded", "enrol/annotation-of-nothing"),
    "unclear": ("held", "enrol/ambiguous-annotation"),
    "of-failed": ("held", "not built yet"),
    "mask": ("excluded", "enrol/annotation-of-nothing"),
    "twin": ("excluded", "index/duplicate-object"),
    "torn": ("excluded", "file/truncated"),
    "note": ("ignored", "text"),
}
BUILT = ENROLLED | {
    "image": ("used", "image"),
    "contours": ("used", "annotation"),
    "failed": ("excluded", "read/values"),
    "of-failed": ("excluded", "read/values"),
}


def a_stack(name):
    return Stack(
        id=f"stk-{name}", series="ser", study="std", subject="sub", site="a", source=0, timepoint="",
        format="dicom", modality="CT", files=(name,), frames=(0,),
    )  # fmt: skip


def a_case(name, verdict, reason, *annotations):
    return PlannedCase(
        id=f"case-{name}", subject="sub", site="a", timepoint="", shard=0, digest="d", verdict=verdict,
        reason=reason, bytes_estimated=1, channels=(PlannedChannel(name="ct", stack=f"stk-{name}"),),
        annotations=annotations,
    )  # fmt: skip


def an_annotation(file_id, *labels):
    return PlannedAnnotation(
        id=f"ann-{file_id}", kind="contours", format="rtstruct", rater="", file_id=file_id,
        keys=tuple(range(len(labels))), labels=labels,
    )  # fmt: skip


def a_row(name, verdict):
    return CaseRow(
        id=f"case-{name}", subject="sub", site="a", timepoint="", shard=0, digest="d", verdict=verdict,
        channels=("ct",), shape=(), spacing_mm=(), labels=(), raters=(), attributes=(), statistics=(),
        pixel_digest="",
    )  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    """A workspace with an index."""
    place = Workspace(tmp_path)
    folder = place.stage("index")
    files = [FileRow(file_id=n, source=0, path=n, size=1, mtime_ns=0, kind=k) for n, k in KINDS.items()]
    issues = [
        Issue(rule="index/duplicate-object", target="twin", severity=Severity.NOTE, message=""),
        Issue(rule="file/truncated", target="torn", severity=Severity.REJECT, message=""),
        Issue(rule="index/series-split", target="image", severity=Severity.NOTE, message=""),
    ]
    objects = [
        AnnotationObject(file_id=n, source=0, site="a", format="rtstruct")
        for n in ("contours", "unmapped", "orphan", "unclear", "of-failed")
    ]
    stacks = [a_stack(n) for n in ("image", "rejected", "unwanted", "tied", "loser", "held", "failed")]
    layout = [LayoutRow(file_id="mask", role="mask", channel="", case="", subject="")]
    for name, kind, rows in (
        ("files", FileRow, files),
        ("issues", Issue, issues),
        ("annotations", AnnotationObject, objects),
        ("stacks", Stack, stacks),
        ("layout", LayoutRow, layout),
    ):
        tables.write(folder / f"{name}.parquet", kind, rows)
    place.finish("index", "k", counts={})
    return place


def screened(place):
    rows = [
        VerdictRow(
            target="stk-rejected", verdict="reject", reason="geometry/missing-slices", channels=("ct",)
        ),
        VerdictRow(target="stk-unwanted", verdict="reject", reason="enrol/not-wanted"),
        *(
            VerdictRow(target=f"stk-{n}", verdict="keep", channels=("ct",))
            for n in ("image", "tied", "failed")
        ),
    ]
    tables.write(place.stage("screen") / "verdicts.parquet", VerdictRow, rows)
    place.finish("screen", "k", counts={})


def enrolled(place):
    cases = [
        a_case("image", "keep", "", an_annotation("contours", "tumour"), an_annotation("unmapped")),
        a_case("held", "review", "affine/unknown-orientation"),
        a_case("failed", "keep", "", an_annotation("of-failed", "tumour")),
    ]
    aside = [
        VerdictRow(target="stk-tied", verdict="review", reason="enrol/several-candidates"),
        VerdictRow(target="stk-loser", verdict="reject", reason="enrol/not-preferred"),
    ]
    tables.write(place.stage("enrol") / "cases.parquet", PlannedCase, cases)
    tables.write(place.stage("enrol") / "stacks.parquet", VerdictRow, aside)
    unclear = place.pseudonyms().of("ann", "unclear")
    issues = [Issue(rule="enrol/ambiguous-annotation", target=t, message="") for t in (unclear, "stk-image")]
    tables.write(place.stage("enrol") / "issues.parquet", Issue, issues)
    place.finish("enrol", "k", counts={})


def built(place):
    rows = [a_row("image", "keep"), a_row("held", "review"), a_row("failed", "reject")]
    issues = [
        Issue(rule="read/clipped", target="case-failed", severity=Severity.NOTE, message=""),
        Issue(rule="read/values", target="case-failed", severity=Severity.REJECT, message=""),
    ]
    tables.write(place.stage("build") / "cases.parquet", CaseRow, rows)
    tables.write(place.stage("build") / "issues.parquet", Issue, issues)
    place.finish("build", "k", counts={})


def states(place):
    outcomes = account(place)
    assert len({o.file_id for o in outcomes}) == len(outcomes) == len(KINDS)
    return {o.file_id: (o.state, o.reason) for o in outcomes}


def test_after_the_index_images_wait(workspace):
    found = states(workspace)
    assert found["image"] == ("held", "not screened yet")
    assert found["orphan"] == ("held", "not enrolled yet")
    assert found["twin"] == ("excluded", "index/duplicate-object")
    assert found["note"] == ("ignored", "text")


@pytest.mark.parametrize(
    "reason", ["index/duplicate-object", "index/duplicate-pixels", "index/conflicting-object"]
)
def test_a_file_that_the_index_dropped_is_out_for_that_reason(workspace, reason):
    issues = [Issue(rule=reason, target="twin", severity=Severity.NOTE, message="")]
    tables.write(workspace.stage("index") / "issues.parquet", Issue, issues)
    workspace.finish("index", "k", counts={})
    for decide in (screened, enrolled, built):
        decide(workspace)
        assert states(workspace)["twin"] == ("excluded", reason)


def of_one_name(folder, case):
    """Twelve slices and one more file: a copy of one, or another object of its name or at its place."""
    objects = Scan(slices=12).objects()
    more = deepcopy(objects[4])
    if case == "header differs":
        more.SeriesDescription = "again"
    elif case == "pixels differ":
        set_stored(more, stored(more) + 1)
    elif case == "another name":
        more.SOPInstanceUID, more.InstanceNumber = "2.25.77", 99
    folder.mkdir()
    for name, data in packed([*objects, more]).items():
        (folder / name).write_bytes(data)


@pytest.mark.parametrize(
    ("case", "reason", "dropped"),
    [
        ("copy", "index/duplicate-object", 1),
        ("header differs", "index/duplicate-pixels", 1),
        ("another name", "index/duplicate-pixels", 1),
        ("pixels differ", "index/conflicting-object", 2),
    ],
)
def test_every_way_in_which_a_file_is_dropped_is_accounted_for(tmp_path, case, reason, dropped):
    of_one_name(tmp_path / "data", case)
    place = Workspace(tmp_path / "work")
    options = IndexOptions(sources=(Source(path=str(tmp_path / "data"), site="s"),))
    index(options, place, base=tmp_path, executor=EXECUTORS.get("serial"), jobs=1, progress=silent)
    found = totals(account(place))
    assert found["excluded"] == {reason: dropped}
    assert found["held"] == {"not screened yet": 13 - dropped}


def test_after_the_screen_the_rejected_are_out(workspace):
    screened(workspace)
    found = states(workspace)
    assert found["rejected"] == ("excluded", "geometry/missing-slices")
    assert found["unwanted"] == ("excluded", "enrol/not-wanted")
    assert found["image"] == ("held", "enrol/not-planned")


def test_after_the_plan(workspace):
    screened(workspace)
    enrolled(workspace)
    assert states(workspace) == ENROLLED


def test_after_the_build(workspace):
    screened(workspace)
    enrolled(workspace)
    built(workspace)
    assert states(workspace) == BUILT
    counts = totals(account(workspace))
    assert {s: sum(r.values()) for s, r in counts.items()} == {
        "used": 2, "held": 3, "excluded": 11, "ignored": 1,
    }  # fmt: skip
    assert next(iter(counts["excluded"].items())) == ("enrol/annotation-of-nothing", 2)


def test_a_stage_that_was_begun_and_not_finished_has_decided_nothing(workspace):
    screened(workspace)
    enrolled(workspace)
    built(workspace)
    workspace.start("build")
    assert states(workspace) == ENROLLED


def test_a_file_of_two_roles_has_the_better_state(workspace):
    """An image that one cohort's case uses and another rejects is used."""
    screened(workspace)
    enrolled(workspace)
    built(workspace)
    cases = [
        a_case("image", "keep", "", an_annotation("contours", "tumour")),
        a_case("failed", "keep", "", an_annotation("contours", "tumour")),
    ]
    for order in (cases, cases[::-1]):
        tables.write(workspace.stage("enrol") / "cases.parquet", PlannedCase, order)
        assert states(workspace)["contours"] == ("used", "annotation")
