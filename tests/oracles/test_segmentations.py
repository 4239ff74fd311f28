"""DICOM SEG as highdicom writes and reads it, and .seg.nrrd as slicerio does, against ours."""

import io

import highdicom as hd
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from isocenter.formats.annotations import dicom_seg
from isocenter.model.grid import Grid
from tests.contracts.files import FRAME, SHAPE, affine, ct_dataset, dicom_bytes

GRID = Grid(SHAPE, affine())
TO_LPS = np.diag([-1.0, -1, 1, 1])
SYNTAXES = {
    "BINARY": [ExplicitVRLittleEndian],
    "FRACTIONAL": [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless],
    "LABELMAP": [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless],
}


def images():
    out = []
    for k in range(SHAPE[0]):
        dataset = ct_dataset(
            k,
            SOPInstanceUID=f"1.2.826.0.1.{k + 1}",
            StudyDate="",
            StudyTime="",
            PatientBirthDate="",
            PatientSex="",
            AccessionNumber="",
            StudyID="",
            ReferringPhysicianName="",
        )
        dicom_bytes(dataset)  # which gives it its file meta information
        out.append(dataset)
    return out


def written(array, kind, syntax=ExplicitVRLittleEndian, *, start=None):
    """Masks (K, J, I, S) as highdicom writes them; on a grid of their own from a voxel (k, j, i) of the image on."""
    code = hd.sr.CodedConcept("80891009", "SCT", "Heart")
    described = [
        hd.seg.SegmentDescription(
            n + 1,
            f"part {n}",
            code,
            code,
            "AUTOMATIC",
            hd.AlgorithmIdentificationSequence("net", code, "1"),
        )
        for n in range(array.shape[-1])
    ]
    pixels = array
    if start is not None:
        # highdicom's arrays are (slice, row, column), in LPS
        order = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
        move = np.eye(4)
        move[:3, 3] = start[::-1]
        pixels = hd.Volume(
            array,
            TO_LPS @ affine() @ move @ order,
            "PATIENT",
            frame_of_reference_uid=FRAME,
            channels={hd.ChannelDescriptor("SegmentNumber"): list(range(1, array.shape[-1] + 1))},
        )
    dataset = hd.seg.Segmentation(
        images(),
        pixels,
        kind,
        described,
        hd.UID(),
        9,
        hd.UID(),
        1,
        "maker",
        "model",
        "1",
        "9",
        transfer_syntax_uid=syntax,
        max_fractional_value=255,
    )
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def read(path, data):
    path.write_bytes(data)
    parts = dicom_seg.parts(path)
    assert [(p.name, p.code) for p in parts] == [(f"part {n}", "SCT:80891009") for n in range(len(parts))]
    found = dicom_seg.read(path, {p.key: p.name for p in parts}, annotation_id="a", rater="")
    return np.stack([a.mask(GRID) for a in found], axis=-1)


@st.composite
def sparse(draw):
    """Masks (K, J, I, S) with empty slices and empty segments, at least one voxel marked."""
    count = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    out = rng.random((*SHAPE, count)) < draw(st.sampled_from([0.02, 0.3, 1]))
    out &= rng.random((SHAPE[0], 1, 1, count)) < 0.7
    out[tuple(rng.integers(0, n) for n in out.shape)] = True
    return out


@settings(max_examples=15, deadline=None)
@given(sparse(), st.sampled_from(["BINARY", "FRACTIONAL", "LABELMAP"]), st.data())
def test_what_highdicom_writes_is_read_voxel_for_voxel(tmp_path_factory, masks, kind, data):
    syntax = data.draw(st.sampled_from(SYNTAXES[kind]))
    if kind == "LABELMAP":  # one segment a voxel
        masks &= np.cumsum(masks, axis=-1) == 1
    values = masks.astype(np.float32) if kind == "FRACTIONAL" else masks.astype(np.uint8)
    path = tmp_path_factory.mktemp("seg") / "a.dcm"
    assert np.array_equal(read(path, written(values, kind, syntax)), masks)


@settings(max_examples=15, deadline=None)
@given(st.data(), st.integers(0, 2**32))
def test_a_grid_of_its_own_is_put_in_its_place(tmp_path_factory, data, seed):
    # frames of fewer than eight pixels highdicom 0.28 does not pack as PS3.5 8.1.1 has it: each gets a byte of its own
    least = (1, 3, 3)
    start = [data.draw(st.integers(0, n - m)) for n, m in zip(SHAPE, least, strict=True)]
    size = [data.draw(st.integers(m, n - s)) for n, s, m in zip(SHAPE, start, least, strict=True)]
    part = np.random.default_rng(seed).random((*size, 2)) < 0.5
    part[0, 0, 0] = True
    path = tmp_path_factory.mktemp("seg") / "a.dcm"
    whole = np.zeros((*SHAPE, 2), bool)
    whole[tuple(slice(s, s + n) for s, n in zip(start, size, strict=True))] = part
    assert np.array_equal(read(path, written(part.astype(np.uint8), "BINARY", start=start)), whole)


def test_fractions_are_cut_at_half_as_highdicom_stores_them(tmp_path):
    values = np.random.default_rng(0).random((*SHAPE, 2)).astype(np.float32)
    data = written(values, "FRACTIONAL")
    stored = np.around(values * 255)
    assert np.array_equal(read(tmp_path / "a.dcm", data), stored / 255 >= 0.5)
