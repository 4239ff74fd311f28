from dataclasses import replace

import nibabel
import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.images import nifti
from isocenter.model.issue import Severity
from tests.contracts.files import SHAPE, affine, nifti_bytes, stack_of, stored


def told(tmp_path, change=None, array=None, tail=b"", **kept):
    path = tmp_path / "image.nii"
    path.write_bytes(nifti_bytes(array, change, **kept) + tail)
    stack = stack_of("nifti", [path])
    volume = nifti.read(stack, [path])
    assert {i.target for i in volume.issues} <= {stack.id}
    return [(i.rule.removeprefix("read/"), i.severity.value, i.measured, i.expected) for i in volume.issues]


def fields(**values):
    def change(record):
        for name, value in values.items():
            at = np.atleast_1d(value)
            if record[name].shape:
                record[name][: at.size] = at
            else:
                record[name] = value

    return change


def test_a_header_that_agrees_with_itself_leaves_no_doubt(tmp_path):
    assert told(tmp_path) == []
    assert told(tmp_path, kind=nibabel.Nifti2Image) == []


@pytest.mark.parametrize(
    ("sizes", "measured"),
    [
        ((1, 0.75, 0.5, 3), "0.75 x 0.5 x 3"),
        ((1, 0.75, 0, 2), "0.75 x 0 x 2"),
        ((1, -0.75, 0.5, 2), "-0.75 x 0.5 x 2"),
        ((1, 0.75, 0.5, np.nan), "0.75 x 0.5 x nan"),
    ],
)
def test_voxel_sizes_that_contradict_the_affine(sizes, measured, tmp_path):
    found = told(tmp_path, fields(pixdim=sizes, qform_code=0))
    assert found == [("voxel-sizes", "review", measured, "0.75 x 0.5 x 2")]
    rounded = fields(pixdim=(1, 0.7501, 0.5, 2), qform_code=0)
    assert told(tmp_path, rounded) == []


def test_a_size_of_a_flat_axis_says_nothing(tmp_path):
    flat = stored()[:1]
    assert told(tmp_path, fields(pixdim=(1, 0.75, 0.5, 0), qform_code=0), flat) == []


@pytest.mark.parametrize(("qfac", "severity"), [(0, "note"), (2, "review"), (-7, "review")])
def test_a_qfac_that_is_none(qfac, severity, tmp_path):
    change = fields(pixdim=(qfac,), sform_code=0, qform_code=1)
    assert told(tmp_path, change) == [("voxel-sizes", severity, f"{qfac}", "")]
    assert told(tmp_path, fields(pixdim=(qfac,), qform_code=0)) == []


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (2, []),
        (2 + 8, []),
        (0, [("unit-assumed", "note", "no unit", "millimetres")]),
        (5, [("unit-assumed", "note", "no unit", "millimetres")]),
        (1, [("unit-converted", "note", "metres", "millimetres")]),
        (3, [("unit-converted", "note", "micrometres", "millimetres")]),
    ],
)
def test_units(unit, expected, tmp_path):
    assert told(tmp_path, fields(xyzt_units=unit)) == expected


def test_two_affines_and_a_mirror(tmp_path):
    def moved(shift, sign):
        def change(record):
            record["sform_code"] = record["qform_code"] = 1
            record["srow_x"][0] *= sign
            record["srow_x"][3] = sign * record["srow_x"][3] + shift

        return change

    assert told(tmp_path, moved(0.01, 1)) == []
    assert told(tmp_path, moved(5, 1)) == [("two-affines", "review", "qform LPS", "sform LPS")]
    path = tmp_path / "image.nii"
    path.write_bytes(nifti_bytes(change=moved(0, -1)))
    (issue,) = nifti.read(stack_of("nifti", [path]), [path]).issues
    assert "mirror" in issue.message
    assert (issue.measured, issue.expected) == ("qform LPS", "sform RPS")


def test_a_qform_that_is_none_beside_an_sform(tmp_path):
    change = fields(qform_code=1, sform_code=1, quatern_b=3.0)
    assert [n for n, *_ in told(tmp_path, change)] == ["two-affines"]


def test_axes_of_length_one_and_axes_that_are_not_counted(tmp_path):
    def single(record):
        record["dim"][:6] = (5, 8, 6, 3, 1, 1)

    assert told(tmp_path, single) == [("singleton-axis", "note", "8 x 6 x 3 x 1 x 1", "3 axes")]

    def uncounted(record):
        record["dim"][0] = 2

    rest = "192"  # two of three slices
    assert told(tmp_path, uncounted) == [
        ("uncounted-axes", "review", "3", "2"),
        ("trailing-bytes", "review", rest, "0"),
    ]


def test_bytes_behind_the_voxels(tmp_path):
    assert told(tmp_path, tail=bytes(160)) == [("trailing-bytes", "note", "160", "0")]
    assert told(tmp_path, tail=bytes(159) + b"x") == [("trailing-bytes", "review", "160", "0")]


def test_bits_that_are_not_those_of_the_type_and_labels(tmp_path):
    assert told(tmp_path, fields(bitpix=8)) == [("voxel-type", "review", "8", "16")]
    assert told(tmp_path, fields(intent_code=1002)) == [("label-intent", "note", "", "")]


def test_colours_are_refused_by_name(tmp_path):
    path = tmp_path / "image.nii"
    path.write_bytes(nifti_bytes(change=fields(datatype=128, bitpix=24)))
    with pytest.raises(FormatError, match="colours") as caught:
        nifti.scan(path, "0", 0, "")
    assert caught.value.reason == "file/unsupported"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_number_in_a_ct_is_masked_and_counted(value, tmp_path):
    array = stored(dtype=np.float32)
    array[0, 1, 2] = array[2, 0, :3] = value
    path = tmp_path / "image.nii"
    path.write_bytes(nifti_bytes(array))
    volume = nifti.read(replace(stack_of("nifti", [path]), modality="CT"), [path])
    assert volume.array.dtype == np.int16
    assert np.array_equal(volume.valid, np.isfinite(array))
    assert volume.facts.n_not_finite.tolist() == [1, 0, 3]
    assert np.array_equal(volume.array[volume.valid], np.rint(array[np.isfinite(array)]))


def test_what_is_read_is_known_without_another_look(tmp_path):
    path = tmp_path / "image.nii"
    path.write_bytes(nifti_bytes())
    volume = nifti.read(stack_of("nifti", [path]), [path])
    assert volume.facts.minimum.tolist() == stored().min((1, 2)).tolist()
    assert volume.facts.n_valid.tolist() == [SHAPE[1] * SHAPE[2]] * SHAPE[0]
    assert np.allclose(volume.grid.affine, affine())
    assert Severity.REJECT not in {i.severity for i in volume.issues}
