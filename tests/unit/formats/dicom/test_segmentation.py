"""Segmentations that are odd or contradict themselves, and what is told of them."""

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.annotations import dicom_seg
from isocenter.formats.images import dicom
from isocenter.model.annotation import AnnotationState
from isocenter.model.grid import Grid
from tests.contracts.files import (
    SERIES,
    SHAPE,
    affine,
    code_item,
    dicom_bytes,
    fraction_dataset,
    item,
    labelmap_frames,
    seg_dataset,
    seg_frames,
    seg_masks,
)

GRID = Grid(SHAPE, affine())
PLANE = np.eye(*SHAPE[1:], dtype=bool)


def read(tmp_path, dataset, wanted=None):
    path = tmp_path / "a.dcm"
    path.write_bytes(dicom_bytes(dataset))
    wanted = wanted or {p.key: p.name for p in dicom_seg.parts(path)}
    return dicom_seg.read(path, wanted, annotation_id="ann", rater="r")


def scan(tmp_path, dataset):
    path = tmp_path / "a.dcm"
    path.write_bytes(dicom_bytes(dataset))
    return dicom.scan(path, "f1", 0, "site")


def refused(tmp_path, dataset):
    """The reason of the reader; the index gives the same where the header tells."""
    with pytest.raises(FormatError) as caught:
        read(tmp_path, dataset, {1: "x", 2: "y"})
    return caught.value.reason


def refused_at_once(tmp_path, dataset):
    reason = refused(tmp_path, dataset)
    with pytest.raises(FormatError) as caught:
        scan(tmp_path, dataset)
    assert caught.value.reason == reason
    return reason


def groups(dataset):
    return dataset.PerFrameFunctionalGroupsSequence


def move(dataset, frame, *position):
    groups(dataset)[frame].PlanePositionSequence[0].ImagePositionPatient = [str(v) for v in position]


def sound():
    return seg_dataset(seg_frames(seg_masks()))


def test_segments_overlap_and_frames_are_placed_by_their_position(tmp_path):
    masks = seg_masks()
    assert (masks[0] & masks[1]).any()
    found = read(tmp_path, sound())
    assert [np.array_equal(a.mask(GRID), m) for a, m in zip(found, masks, strict=True)] == [True, True]
    assert [a.state for a in found] == [AnnotationState.MARKED] * 2
    assert found[0].grid.shape == SHAPE


def test_what_the_index_is_told(tmp_path):
    dataset = sound()
    code = code_item("SCT", "39607008", code_item("SCT", "24028007"))
    dataset.SegmentSequence[0].SegmentedPropertyTypeCodeSequence = [code]
    dataset.SegmentSequence[1].TrackingID = "lesion 7"
    found = scan(tmp_path, dataset)
    row = found.annotation
    assert (found.kind, row.format) == ("dicom-seg", "dicom-seg")
    assert row.referenced_series_uids == (SERIES,)
    assert len(row.referenced_instance_uids) == SHAPE[0]
    assert (row.numbers, row.labels) == ((1, 2), ("Heart", "Geheimrat lesion"))
    assert row.codes == ("SCT:39607008/SCT:24028007", "SCT:52988006")
    assert (row.ids, row.shapes) == (("", "lesion 7"), ("mask", "mask"))
    assert set(row.samples_mm[2::3]) == {0.0, 2.0, 4.0}
    path = tmp_path / "a.dcm"
    assert {p.rater for p in dicom_seg.parts(path)} == {"AUTOMATIC net"}


def test_a_segment_without_frames_is_absent(tmp_path):
    first, second = read(tmp_path, seg_dataset([(2, 1, PLANE)]))
    assert (first.state, first.shape) == (AnnotationState.ABSENT, None)
    assert second.grid.shape == (1, *SHAPE[1:])
    assert np.array_equal(np.flatnonzero(second.mask(GRID).any(axis=(1, 2))), [1])


def test_gaps_are_slices_of_the_grid(tmp_path):
    (found, _) = read(tmp_path, seg_dataset([(1, 2, PLANE), (1, 0, PLANE)]))
    assert found.grid.shape == SHAPE
    assert found.shape.array.any(axis=(1, 2)).tolist() == [True, False, True]


def test_without_a_stated_spacing_the_least_gap_counts(tmp_path):
    dataset = seg_dataset([(1, k, PLANE) for k in (0, 1, 3)])
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    del measures.SpacingBetweenSlices
    assert read(tmp_path, dataset)[0].grid.spacing_mm == (2, 0.5, 0.75)
    assert read(tmp_path, dataset)[0].grid.shape[0] == 4
    measures.SpacingBetweenSlices = "1.7"  # which is wrong, and the positions say so
    assert read(tmp_path, dataset)[0].grid.spacing_mm == (2, 0.5, 0.75)


def test_a_tilted_gantry_shears_the_grid(tmp_path):
    dataset = seg_dataset([(1, k, PLANE) for k in range(3)])
    for k in range(3):
        move(dataset, k, -10, -20 + 0.7 * k, 2 * k)
    grid = read(tmp_path, dataset)[0].grid
    assert np.allclose(grid.affine[:3, 2], [0, -0.7, 2])


def _unplace(dataset):
    del groups(dataset)[0].PlanePositionSequence


def _turn(dataset):
    groups(dataset)[0].PlaneOrientationSequence = [
        item(ImageOrientationPatient=["0", "1", "0", "0", "0", "1"])
    ]
    del dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    for frame in groups(dataset)[1:]:
        frame.PlaneOrientationSequence = [item(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])]


def _number(frame, number):
    return lambda d: setattr(
        groups(d)[frame].SegmentIdentificationSequence[0], "ReferencedSegmentNumber", number
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: setattr(d.SegmentSequence[0], "SegmentNumber", 0), "file/corrupt"),
        (lambda d: setattr(d.SegmentSequence[0], "SegmentNumber", 2), "file/corrupt"),
        (lambda d: delattr(d.SegmentSequence[0], "SegmentNumber"), "file/corrupt"),
        (lambda d: delattr(d, "SegmentSequence"), "file/corrupt"),
        (lambda d: setattr(d, "SegmentSequence", []), "file/corrupt"),
        (_number(0, 0), "file/corrupt"),
        (_number(0, 9), "file/corrupt"),
        (lambda d: delattr(groups(d)[0], "SegmentIdentificationSequence"), "file/corrupt"),
        (lambda d: groups(d).pop(), "file/corrupt"),
        (lambda d: delattr(d, "PerFrameFunctionalGroupsSequence"), "file/corrupt"),
        (lambda d: setattr(d, "SegmentationType", "GUESSED"), "file/unsupported"),
        (lambda d: move(d, 0, -10, -20, 3.1), "read/planes-off-lattice"),
        (lambda d: move(d, 0, -10.4, -20, 4), "read/planes-off-lattice"),
        (lambda d: move(d, 0, 1e12, -20, 4), "file/corrupt"),
        (_turn, "read/planes-off-lattice"),
        (_unplace, "file/unsupported"),
    ],
)
def test_what_contradicts_itself_is_refused_when_it_is_indexed(change, reason, tmp_path):
    dataset = seg_dataset([(1, 2, PLANE), (1, 1, PLANE), (2, 1, PLANE), (1, 0, PLANE)])
    change(dataset)
    assert refused_at_once(tmp_path, dataset) == reason


def test_two_frames_of_one_segment_in_one_plane_are_refused(tmp_path):
    assert refused_at_once(tmp_path, seg_dataset([(1, 0, PLANE), (1, 0, PLANE)])) == "file/corrupt"
    both = [(1, 0, PLANE), (2, 0, PLANE)]
    assert len(read(tmp_path, seg_dataset(both))) == 2


def test_segments_that_must_not_overlap_and_do_are_refused(tmp_path):
    both = [(1, 0, PLANE), (2, 0, PLANE)]
    assert refused(tmp_path, seg_dataset(both, SegmentsOverlap="NO")) == "read/values"
    apart = [(1, 0, PLANE), (2, 0, ~PLANE)]
    assert len(read(tmp_path, seg_dataset(apart, SegmentsOverlap="NO"))) == 2
    assert len(read(tmp_path, seg_dataset(both, SegmentsOverlap="YES"))) == 2


def test_missing_references_leave_the_place_of_the_frames(tmp_path):
    dataset = sound()
    del dataset.ReferencedSeriesSequence
    row = scan(tmp_path, dataset).annotation
    assert (row.referenced_series_uids, row.referenced_instance_uids) == ((), ())
    assert row.frame_of_reference_uid
    assert row.samples_mm
    dataset.ReferencedSeriesSequence = [item(ReferencedInstanceSequence=[item(ReferencedSOPInstanceUID="")])]
    assert scan(tmp_path, dataset).annotation.referenced_instance_uids == ()


def test_fractions_are_cut_at_half_of_their_maximum_and_it_is_told(tmp_path):
    dataset = seg_dataset([(1, 0, np.arange(48).reshape(6, 8) + 76)], kind="FRACTIONAL")
    (found, _) = read(tmp_path, dataset)
    assert np.array_equal(found.mask(GRID)[0], np.arange(48).reshape(6, 8) + 76 >= 100)
    assert [(i.rule, i.measured, i.expected) for i in found.issues] == [
        ("read/fraction-threshold", "PROBABILITY", "0.5 of 200")
    ]
    assert refused(tmp_path, fraction_dataset(MaximumFractionalValue=199)) == "read/values"
    dataset = fraction_dataset()
    del dataset.MaximumFractionalValue
    assert refused_at_once(tmp_path, dataset) == "file/corrupt"


def test_a_fraction_below_half_is_absent(tmp_path):
    (found, _) = read(tmp_path, seg_dataset([(1, 0, PLANE * 99)], kind="FRACTIONAL"))
    assert found.state is AnnotationState.ABSENT
    assert not found.mask(GRID).any()


def test_label_maps_hold_all_segments_and_a_background(tmp_path):
    values = np.random.default_rng(0).integers(0, 3, SHAPE)
    dataset = seg_dataset(labelmap_frames(values), kind="LABELMAP", PixelPaddingValue=0)
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.7"
    dataset.SegmentSequence.append(item(SegmentNumber=0, SegmentLabel="Background"))
    found = read(tmp_path, dataset)
    assert [a.concept for a in found] == ["Heart", "Geheimrat lesion"]
    assert all(np.array_equal(a.mask(GRID), values == n) for n, a in enumerate(found, 1))
    values[0, 0, 0] = 7
    assert refused(tmp_path, seg_dataset(labelmap_frames(values), kind="LABELMAP")) == "read/values"


def test_colours_of_a_label_map_are_how_to_show_it(tmp_path):
    values = np.random.default_rng(0).integers(0, 3, SHAPE)
    dataset = seg_dataset(labelmap_frames(values), kind="LABELMAP", PhotometricInterpretation="PALETTE COLOR")
    assert np.array_equal(read(tmp_path, dataset)[1].mask(GRID), values == 2)


def test_no_other_object_is_a_segmentation(tmp_path):
    dataset = sound()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    assert refused(tmp_path, dataset) == "file/unsupported"
