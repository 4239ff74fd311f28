"""3D Slicer segmentations: which voxels a segment is, by what it is addressed, and what is refused."""

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.annotations import nrrd
from isocenter.formats.images import nrrd as image
from isocenter.model.annotation import AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.task import Label
from isocenter.model.vocabulary import Vocabulary
from tests.contracts.files import SHAPE, affine, layered_nrrd_bytes, nrrd_bytes, seg_masks

GRID = Grid(SHAPE, affine())
LUNG = (
    "Segmentation.Status:inprogress|TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^123037004^Anatomical Structure~SCT^39607008^Lung~SCT^24028007^Right~Anatomic codes~^^~^^|"
)
RIB = "TerminologyEntry:list~SCT^123037004^Anatomical Structure~SCT^113197003^Rib~^^~Anatomic codes~^^~^^|"


def parts_of(tmp_path, data):
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(data)
    return nrrd.parts(path)


def read(tmp_path, data):
    wanted = {p.key: p.name for p in parts_of(tmp_path, data)}
    return nrrd.read(tmp_path / "a.seg.nrrd", wanted, annotation_id="ann", rater="")


def masks_of(tmp_path, data):
    return np.stack([a.mask(GRID) for a in read(tmp_path, data)])


def refused(tmp_path, data):
    with pytest.raises(FormatError) as caught:
        read(tmp_path, data)
    return caught.value.reason


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_layers_overlap(encoding, tmp_path):
    masks = seg_masks(count=4)
    assert (masks[0] & masks[1] & masks[2]).any()
    assert np.array_equal(masks_of(tmp_path, layered_nrrd_bytes(masks, encoding)), masks)


def test_names_codes_and_identifiers(tmp_path):
    data = layered_nrrd_bytes(
        seg_masks(), Segment0_Tags=LUNG, Segment1_Tags=RIB, Segment1_Name="ribs: all", Segment1_ID="1.2.3"
    )
    first, second = parts_of(tmp_path, data)
    assert (first.key, first.name, first.code, first.id) == (
        0,
        "part 0",
        "SCT:39607008/SCT:24028007",
        "Segment_1",
    )
    assert (second.key, second.name, second.code, second.id) == (1, "ribs: all", "SCT:113197003", "1.2.3")
    words = Vocabulary(
        {
            "lung": Label(value=1, code="SCT:39607008/SCT:24028007"),
            "rib": Label(value=2, aliases=("1.2.3",)),
            "other": Label(value=3, aliases=("part*",)),
        }
    )
    assert [words.match_part(p)[0] for p in (first, second)] == ["lung", "rib"]


def test_the_index_is_told_what_is_in_it(tmp_path):
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(layered_nrrd_bytes(seg_masks(), Segment0_Tags=RIB))
    found = image.scan(path, "f1", 0, "s")
    row = found.annotation
    assert (row.format, row.numbers, row.labels, row.codes) == (
        *("nrrd", (0, 1), ("part 0", "part 1"), ("SCT:113197003", "")),
    )
    assert (row.ids, row.shapes) == (("Segment_1", "Segment_2"), ("mask", "mask"))
    assert (found.instance.shape, found.instance.frames) == (SHAPE, 1)
    path.write_bytes(nrrd_bytes())
    assert image.scan(path, "f1", 0, "s").annotation is None


def test_a_segment_that_was_made_again_has_another_value(tmp_path):
    values = np.random.default_rng(0).choice([0, 2, 9], SHAPE).astype(np.uint8)
    data = nrrd_bytes(
        values,
        Segment0_Name="heart", Segment0_ID="a", Segment0_LabelValue="9", Segment0_Layer="0",
        Segment1_Name="liver", Segment1_ID="b", Segment1_LabelValue="2", Segment1_Layer="0",
    )  # fmt: skip
    assert np.array_equal(masks_of(tmp_path, data), np.stack([values == 9, values == 2]))


def test_old_files_say_neither_layer_nor_value(tmp_path):
    masks = seg_masks(count=3)
    changes = {f"Segment{n}_{field}": None for n in range(3) for field in ("Layer", "LabelValue")}
    assert np.array_equal(masks_of(tmp_path, layered_nrrd_bytes(masks, **changes)), masks)
    single = nrrd_bytes(masks[0].astype(np.uint8), Segment0_ID="Segment_1")
    assert np.array_equal(masks_of(tmp_path, single), masks[:1])
    assert [p.name for p in parts_of(tmp_path, single)] == ["Segment_1"]


def test_the_voxels_count_and_not_the_extent(tmp_path):
    masks = seg_masks()
    data = layered_nrrd_bytes(masks, Segment0_Extent="0 -1 0 -1 0 -1", Segment1_Extent="1 2 1 2 1 1")
    assert np.array_equal(masks_of(tmp_path, data), masks)


def test_a_cropped_array_lies_where_its_origin_says(tmp_path):
    masks = seg_masks()
    whole = np.zeros_like(masks)
    whole[:, 1:3, 2:5, 3:8] = masks[:, 1:3, 2:5, 3:8]
    data = layered_nrrd_bytes(
        masks[:, 1:3, 2:5, 3:8],
        space_origin="(-7.75,-19,2)",
        Segmentation_ReferenceImageExtentOffset="3 2 1",
    )
    found = read(tmp_path, data)
    assert found[0].grid.shape == (2, 3, 5)
    assert np.array_equal(np.stack([a.mask(GRID) for a in found]), whole)


def test_layers_of_one_slice(tmp_path):
    masks = seg_masks()[:, 2:]
    (first, second) = read(tmp_path, layered_nrrd_bytes(masks, space_origin="(-10,-20,4)"))
    assert np.array_equal(np.stack([first.shape.array, second.shape.array]), masks)
    assert np.array_equal(second.mask(GRID)[2:], masks[1])


def test_a_segment_without_voxels_is_absent_and_voxels_without_a_segment_are_told(tmp_path):
    values = np.full(SHAPE, 3, np.uint8)
    (found,) = read(tmp_path, nrrd_bytes(values, Segment0_ID="a", Segment0_LabelValue="1"))
    assert (found.state, found.shape) == (AnnotationState.ABSENT, None)
    assert [(i.rule, i.measured) for i in found.issues] == [("enrol/unmapped-label", "3 in layer 0")]


def test_voxels_of_a_surface_are_derived(tmp_path):
    for key in ("Segmentation_MasterRepresentation", "Segmentation_SourceRepresentation"):
        found = read(tmp_path, layered_nrrd_bytes(seg_masks(), **{key: "Closed surface"}))
        assert [i.rule for a in found for i in a.issues] == ["read/derived-voxels"]
        found = read(tmp_path, layered_nrrd_bytes(seg_masks(), **{key: "Binary labelmap"}))
        assert [i.rule for a in found for i in a.issues] == []
        data = layered_nrrd_bytes(seg_masks(), **{key: "Fractional labelmap"})
        assert refused(tmp_path, data) == "file/unsupported"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Segment1_Layer": "0"}, "file/corrupt"),
        ({"Segment1_Layer": "2"}, "file/corrupt"),
        ({"Segment1_Layer": "-1"}, "file/corrupt"),
        ({"Segment1_Layer": "one"}, "file/corrupt"),
        ({"Segment1_LabelValue": "0"}, "file/corrupt"),
        ({"Segment1_LabelValue": "1.5"}, "file/corrupt"),
        ({"sizes": "0 8 6 3"}, "file/corrupt"),
        ({"sizes": "3 8 6 3"}, "file/truncated"),
        ({"sizes": "2000000000 8 6 3"}, "file/too-large"),
        ({"kinds": "domain domain domain list"}, "file/several-volumes"),
        ({"space_directions": "(1,0,0) (0.75,0,0) (0,0.5,0) (0,0,2)", "kinds": "list RGB-color domain domain"},
         "file/unsupported"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(changes, reason, tmp_path):
    assert refused(tmp_path, layered_nrrd_bytes(seg_masks(), **changes)) == reason


def test_layers_are_no_image(tmp_path):
    path = tmp_path / "a.nrrd"
    path.write_bytes(layered_nrrd_bytes(seg_masks()))
    with pytest.raises(FormatError) as caught:
        image.read_image(path)
    assert caught.value.reason == "file/several-volumes"
