"""Every planted fault ends as the truth expects, and every file in exactly one state."""

import os
from pathlib import Path

import pytest

from isocenter.pipeline.explain import explain
from isocenter.testing.simulate.truth import Expected

# Fault to the rules of which one must have told of it.
TOLD_BY = {
    "slice-missing": {"geometry/missing-slices"},
    "modality-missing": {"header/missing-modality"},
    "device-unknown": {"header/missing-device"},
    "patient-id-missing": {"identity/missing-patient-id", "index/no-subject"},
    "patient-id-dummy": {"identity/dummy-patient-id"},
    "rescale-missing-on-one-slice": {"values/partial-rescale"},
    "gantry-tilt": {"geometry/gantry-tilt"},
    "padding-below-air": {"read/padding-masked"},
    "rescale-type-not-hu": {"values/not-hounsfield"},
    "uid-conflict": {"index/conflicting-object", "geometry/missing-slices"},
    "file-truncated": {"geometry/missing-slices", "file/truncated"},
    "slice-twice": {"index/duplicate-object"},
    "localizer-in-series": {"content/localizer"},
    "file-empty": {"file/empty"},
    "rtstruct-of-nothing": {"enrol/annotation-of-nothing"},
    "label-unknown": {"enrol/unmapped-label"},
    "nifti-without-orientation": {"affine/unknown-orientation"},
    "qform-sform-conflict": {"affine/conflicting-affines"},
    "nifti-truncated": {"file/truncated", "file/corrupt"},
    "mask-on-other-grid": {"read/other-grid"},
    "mask-axis-order": {"read/grid-reordered"},
    "mask-empty": {"annotation/low-agreement", "annotation/empty-mask"},
    "readers-disagree": {"annotation/low-agreement"},
}
BY_MODALITY = {"mr-slices-far-apart", "secondary-capture"}  # not asked for by a cohort of CT


def _faults(archive):
    return [f for f in archive.truth.faults if f.site.startswith("site-")]


def test_every_case_ends_as_expected(archive, segmented):
    wrong = []
    for fault in _faults(archive):
        if fault.scope != "case" or fault.name in BY_MODALITY:
            continue
        image = next(p for p in fault.paths if "reader" not in p)
        verdict = segmented.ledger.verdict(image)
        wanted = "keep" if fault.expected is Expected.NOTE else fault.expected.value
        if verdict != wanted:
            wrong.append((fault.name, fault.subject, wanted, verdict, segmented.ledger.about(image)))
    assert wrong == []


def test_every_good_case_is_kept_without_review(archive, segmented):
    wrong = []
    for case in archive.truth.cases:
        if case.modality == "CT" and case.site.startswith("site-") and not case.faults:
            verdict = segmented.ledger.verdict(case.paths[0])
            if verdict != "keep":
                wrong.append((case.subject, verdict, segmented.ledger.about(case.paths[0])))
    assert wrong == []


def test_every_fault_is_told_by_its_rule(archive, segmented):
    wrong, seen = [], set()
    for fault in _faults(archive):
        if fault.name in TOLD_BY:
            seen.add(fault.name)
            told = set().union(*(segmented.ledger.about(p) for p in fault.paths))
            if not told & TOLD_BY[fault.name]:
                wrong.append((fault.name, fault.subject, told))
    assert wrong == []
    assert seen == set(TOLD_BY)


def test_every_faulty_file_ends_as_expected(archive, segmented):
    wrong = []
    for fault in _faults(archive):
        if fault.scope == "file":
            for path in fault.paths:
                outcome = segmented.ledger.outcome(path)
                state = "ignored" if fault.expected is Expected.IGNORE else "excluded"
                if outcome.state != state:
                    wrong.append((fault.name, outcome))
    assert wrong == []


def test_of_a_copied_slice_one_is_used(archive, segmented):
    (fault,) = (f for f in _faults(archive) if f.name == "slice-twice")
    (case,) = (c for c in archive.truth.cases if "slice-twice" in c.faults)
    states = [segmented.ledger.outcome(p) for p in (*case.paths, *fault.paths)]
    assert sorted(s.reason for s in states if s.state != "used") == ["index/duplicate-object"]


def test_one_id_at_two_centres_is_two_people(archive, segmented):
    faults = [f for f in _faults(archive) if f.name == "patient-id-in-two-sites"]
    assert len({f.subject for f in faults}) == 1
    cases = [segmented.ledger.case_of(f.paths[0]) for f in faults]
    assert len({c.subject for c in cases}) == 2
    assert {segmented.ledger.verdict(f.paths[0]) for f in faults} == {"keep"}


def test_every_file_has_one_state_and_the_sums_are_right(archive, segmented):
    paths = [
        Path(folder, name)
        for source in segmented.document["sources"]
        for folder, _, names in os.walk(source["path"])
        for name in names
    ]
    counts = segmented.run.counts
    assert counts["files"] == len(paths) == len(segmented.ledger.files) == len(segmented.ledger.outcomes)
    assert sum(counts[s] for s in ("used", "held", "excluded", "ignored")) == len(paths)
    assert all(o.reason for o in segmented.ledger.outcomes.values())


def test_explain_answers_for_every_file_case_and_stack(archive, segmented):
    """With the same state and reason as the table of files."""
    ledger = segmented.ledger
    everything = [e for s in segmented.document["sources"] for e in explain(segmented.root, s["path"])]
    assert sorted(e.target for e in everything) == sorted(f.path for f in ledger.files.values())
    states = {(f.source, f.path): ledger.outcomes[f.file_id] for f in ledger.files.values()}
    by_path = {}
    for (_, path), outcome in states.items():
        by_path.setdefault(path, set()).add((outcome.state, outcome.reason))
    for one in everything:
        assert (one.state, one.reason) in by_path[one.target]
        assert one.lines[0].startswith(f"{one.target}: {one.state}")
    for case_id in list(ledger.planned)[::4]:
        (one,) = explain(segmented.root, case_id)
        assert one.kind == "case"
        assert one.state == (ledger.cases.get(case_id) or ledger.planned[case_id]).verdict
        assert one.reason or one.state == "keep"
    for stack in ledger.stacks[::8]:
        (one,) = explain(segmented.root, stack.id)
        assert one.kind == "stack"


def test_a_rejection_is_explained_with_what_was_measured(archive, segmented):
    (fault,) = (f for f in _faults(archive) if f.name == "slice-missing")
    (one,) = explain(segmented.root, str(archive.folder / fault.paths[0]))
    assert (one.state, one.reason) == ("excluded", "geometry/missing-slices")
    (issue,) = (i for i in one.issues if i.rule == one.reason)
    assert issue.measured
    assert issue.expected


@pytest.mark.parametrize("word", ["no-such-file", "case-0123456789abcdef"])
def test_what_is_not_known_is_said_to_be_so(segmented, word):
    with pytest.raises(Exception, match="nothing is known of"):
        explain(segmented.root, word)
