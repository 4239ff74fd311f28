"""The three tasks and two layouts on a simulated archive: what comes out is what was put in, to the voxel."""

from collections import Counter

import numpy as np
import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.model.rows import AgreementRow
from isocenter.stores.splits import read_split
from isocenter.testing.simulate.truth import digest
from tests.end_to_end.cohorts import LABELS, label_mask

CENTRES = ("ct-rtstruct", "nifti-masks", "nrrd-masks")
WITHOUT_RECORD = {"reject"}


def _cases(archive, kinds, modality="CT"):
    return [c for c in archive.truth.cases if c.kind in kinds and c.modality == modality]


def _packed(done, truth_case):
    """The record of a case of the truth."""
    planned = done.ledger.case_of(truth_case.paths[0])
    assert planned is not None, truth_case.paths[0]
    return planned, iso.open(done.run.store)[planned.id]


def _kept(archive, kinds):
    return [c for c in _cases(archive, kinds) if c.expected not in WITHOUT_RECORD]


def test_every_good_ct_is_packed_with_its_values(archive, segmented):
    assert segmented.run.gate is None
    compared = 0
    for case in _kept(archive, CENTRES):
        planned, record = _packed(segmented, case)
        assert record.image.shape[1:] == case.canonical_shape
        assert record.image.dtype == np.int16
        assert record.subject == planned.subject
        if case.values_digest:
            compared += 1
            assert digest(np.asarray(record.image)[0]) == case.values_digest, case.subject
        if case.padding_voxels:
            assert np.count_nonzero(np.asarray(record.valid) == 0) == case.padding_voxels
    assert compared >= 20
    assert len(iso.open(segmented.run.store)) == len(_kept(archive, CENTRES))


def test_every_mask_is_the_one_that_was_drawn(archive, segmented):
    """Of each reader, in voxels that are known in closed form."""
    compared = Counter()
    for case in _kept(archive, CENTRES):
        _, record = _packed(segmented, case)
        readers = sorted({m.reader for m in case.marks})
        for mark in case.marks:
            if not mark.label or not mark.digest:
                continue
            rater = segmented.ledger.names.of("rat", mark.reader)
            array = record.raters[rater] if len(readers) > 1 else record.mask
            mask = label_mask(array, LABELS[mark.label]["value"])
            assert int(mask.sum()) == mark.voxels, (case.subject, mark)
            assert digest(mask) == mark.digest, (case.subject, mark)
            compared[case.kind] += 1
    assert min(compared[k] for k in CENTRES) >= 6


def test_readers_agree_as_far_as_they_do(archive, segmented):
    rows = tables.read(segmented.root / "build" / "agreements.parquet", AgreementRow)
    found = {(r.case, r.label): r.dice for r in rows}
    compared = 0
    for case in _kept(archive, CENTRES):
        planned = segmented.ledger.case_of(case.paths[0])
        for label, dice in case.dice.items():
            compared += 1
            assert found[planned.id, label] == pytest.approx(dice, abs=1e-12), (case.subject, label)
    assert compared >= 6


def test_class_labels_are_those_of_the_table(archive, classified):
    assert classified.run.gate is None
    cases = _cases(archive, ("xray-labels",), "DX")
    assert len(cases) >= 5
    for case in cases:
        planned, record = _packed(classified, case)
        positive = {s.label for s in record.labels if s.state == "positive"}
        assert positive == set(case.labels)
        assert {s.state for s in record.labels} <= {"positive", "negative"}
        assert record.image.shape == (1, *case.shape)
        assert classified.ledger.cases[planned.id].verdict == "keep"


def test_a_negative_radiograph_is_turned_bright(archive, classified):
    """The same exposure stored as MONOCHROME1 gives the same picture."""
    cases = _cases(archive, ("xray-labels",), "DX")
    subjects = Counter(c.subject for c in cases)
    twins = [c for c in cases if subjects[c.subject] == 2]
    assert len(twins) == 2
    one, other = (np.asarray(_packed(classified, c)[1].image) for c in twins)
    assert np.array_equal(one, other)


def test_boxes_are_where_the_nodules_are(archive, detected):
    assert detected.run.gate is None
    cases = _cases(archive, ("ct-boxes",))
    assert {len(c.centres) for c in cases} >= {0, 1, 2}
    for case in cases:
        _, record = _packed(detected, case)
        assert digest(np.asarray(record.image)[0]) == case.values_digest
        expected = sorted(_box_mm(c) for c in case.centres)
        found = np.reshape(sorted(map(tuple, record.boxes)), (-1, 6))
        assert np.allclose(found, np.reshape(expected, (-1, 6)), atol=1e-6)
        for box, voxels in zip(record.boxes, record.boxes_voxel, strict=True):
            assert tuple(voxels) == _voxels_in(box, record.grid.affine, record.grid.shape)
        state = "positive" if case.centres else "negative"
        assert [s.state for s in record.labels] == [state]


def _box_mm(centre):
    """RAS+ corners of the box around a ball given in LPS."""
    x, y, z, diameter = (float(f"{v:.3f}") for v in centre)
    r = diameter / 2
    return (-x - r, -y - r, z - r, -x + r, -y + r, z + r)


def _voxels_in(box, affine, shape):
    """Half-open box of the voxels whose centres are inside, at least the one in its middle, on a straight grid."""
    assert np.allclose(affine[:3, :3], np.diag(np.diag(affine)[:3]))
    first, last = [], []
    for axis, count in zip((2, 1, 0), shape, strict=True):
        centres = affine[axis, 3] + affine[axis, axis] * np.arange(count)
        inside = np.flatnonzero((centres >= box[axis]) & (centres < box[axis + 3]))
        if not len(inside):
            inside = [int(np.abs(centres - (box[axis] + box[axis + 3]) / 2).argmin())]
        first.append(int(inside[0]))
        last.append(int(inside[-1]) + 1)
    return (*first, *last)


def test_layouts_are_understood(archive, laid_out):
    assert laid_out.run.gate is None
    cases = _cases(archive, (laid_out.document["name"],))
    trained = [c for c in cases if c.marks]
    assert trained
    assert len(trained) < len(cases)
    store = iso.open(laid_out.run.store)
    for case in trained:
        _, record = _packed(laid_out, case)
        assert digest(np.asarray(record.image)[0]) == case.values_digest
        for mark in case.marks:
            mask = label_mask(record.mask, LABELS[mark.label]["value"])
            assert digest(mask) == mark.digest
    # test images without labels: nothing was marked, so they are no training example, and said to be none
    assert len(store) == len(trained)
    for case in cases:
        if not case.marks:
            assert laid_out.ledger.outcome(case.paths[0]).reason == "enrol/no-annotation"


def test_a_centre_is_held_out_of_training_and_the_audit_agrees(segmented):
    """From the archive to a split that can be trusted: external test subjects, prevalences, no leak."""
    done = read_split(segmented.run.store, "default")
    assert (done.strategy, done.certificate.holds) == ("site-holdout", True)
    present = [r for r in done.rows if r.is_present]
    assert {r.site for r in present} == {"site-a", "site-b", "site-c"}
    test = [r for r in present if r.partition == "test"]
    assert test
    share = sum(r.is_external for r in test) / len(test)
    assert share >= 0.2 or done.certificate.obstacles
    found = iso.audit(segmented.root)
    assert found.passed, [i.message for i in found.issues]
    assert {(p.label, p.partition) for p in found.table} >= {
        (label, "test") for r in present for label in r.labels
    }
