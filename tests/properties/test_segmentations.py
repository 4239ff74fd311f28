"""Random crops, layers and sparsity, written by pynrrd and bit by bit as DICOM SEG: the voxels come back."""

import nrrd
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.formats.annotations import dicom_seg
from isocenter.formats.annotations import nrrd as slicer
from isocenter.model.grid import Grid
from tests.contracts.files import SHAPE, affine, dicom_bytes, seg_dataset

GRID = Grid(SHAPE, affine())
STEPS = np.diag([0.75, 0.5, 2.0])
ORIGIN = np.array([-10.0, -20, 0])


@st.composite
def segments(draw):
    """Masks (N, K, J, I) of segments, sparse to full, that may overlap; some have no voxel."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    out = rng.random((draw(st.integers(1, 5)), *SHAPE)) < draw(st.sampled_from([0.01, 0.2, 1]))
    return out & (rng.random((len(out), SHAPE[0], 1, 1)) < 0.7)


def packed(masks, rng):
    """Segments put into layers as 3D Slicer does, each into a random layer that has room: layers, and who is where."""
    layers, places = [], []
    for mask in masks:
        free = [n for n, layer in enumerate(layers) if not (layer[mask] != 0).any()]
        if not free or rng.random() < 0.3:
            layers.append(np.zeros(SHAPE, np.uint8))
            free = [len(layers) - 1]
        n = int(rng.choice(free))
        # values are not in order, as after segments were deleted
        used = {value for layer, value in places if layer == n}
        value = int(rng.choice([v for v in range(1, 40) if v not in used]))
        layers[n][mask] = value
        places.append((n, value))
    return np.stack(layers), places


@settings(max_examples=60, deadline=None)
@given(segments(), st.integers(0, 2**32), st.booleans())
def test_segments_of_slicer(tmp_path_factory, masks, seed, is_cropped):
    rng = np.random.default_rng(seed)
    layers, places = packed(masks, rng)
    start, stop = (0, 0, 0), SHAPE
    marked = np.argwhere(layers.any(axis=0))
    if is_cropped and len(marked):
        low = marked.min(axis=0)
        start = [int(rng.integers(0, n + 1)) for n in low]
        stop = [int(rng.integers(n + 1, m + 1)) for n, m in zip(marked.max(axis=0), SHAPE, strict=True)]
    box = layers[(slice(None), *(slice(a, b) for a, b in zip(start, stop, strict=True)))]
    header = {
        "space": "left-posterior-superior",
        "space origin": ORIGIN + STEPS @ np.array(start[::-1], float),
        "encoding": "gzip",
        "Segmentation_ReferenceImageExtentOffset": " ".join(map(str, start[::-1])),
    }
    if len(layers) > 1:
        header |= {"kinds": ["list", *["domain"] * 3], "space directions": np.vstack([[np.nan] * 3, STEPS])}
        array = box.transpose(0, 3, 2, 1)
    else:
        header |= {"kinds": ["domain"] * 3, "space directions": STEPS}
        array = box[0].transpose(2, 1, 0)
    for n, (layer, value) in enumerate(places):
        header |= {f"Segment{n}_ID": f"Segment_{n}", f"Segment{n}_Name": "the same name"}
        header |= {f"Segment{n}_Layer": str(layer), f"Segment{n}_LabelValue": str(value)}
    path = tmp_path_factory.mktemp("seg") / "a.seg.nrrd"
    nrrd.write(str(path), array, header)
    found = slicer.read(path, dict.fromkeys(range(len(masks)), "x"), annotation_id="a", rater="")
    assert np.array_equal(np.stack([a.mask(GRID) for a in found]), masks)
    assert {i.rule for a in found for i in a.issues} <= set()


@settings(max_examples=60, deadline=None)
@given(segments(), st.integers(0, 2**32))
def test_bits_of_a_dicom_segmentation(tmp_path_factory, masks, seed):
    """Frames in any order, the empty ones sometimes left out."""
    rng = np.random.default_rng(seed)
    frames = [
        (n, k, mask[k])
        for n, mask in enumerate(masks, 1)
        for k in range(SHAPE[0])
        if mask[k].any() or rng.random() < 0.2
    ] or [(1, 0, masks[0, 0])]
    order = rng.permutation(len(frames))
    dataset = seg_dataset([frames[n] for n in order], names=[f"part {n}" for n in range(len(masks))])
    path = tmp_path_factory.mktemp("seg") / "a.dcm"
    path.write_bytes(dicom_bytes(dataset))
    found = dicom_seg.read(path, dict.fromkeys(range(1, len(masks) + 1), "x"), annotation_id="a", rater="")
    assert np.array_equal(np.stack([a.mask(GRID) for a in found]), masks)
