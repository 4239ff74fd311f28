"""Reading by hand: what is refused, and how."""

import os

import nibabel
import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import ConfigError, FormatError, RejectedError
from isocenter.model.issue import Issue, Severity, Verdict
from isocenter.model.task import Label
from isocenter.model.vocabulary import Vocabulary
from isocenter.pipeline import read as pipeline_read
from isocenter.pipeline.read import _in_order
from isocenter.pipeline.reading import judged
from isocenter.testing.rules import a_stack
from isocenter.testing.simulate.broken.scan import Scan, packed
from tests.unit.pipeline.archives import write_nifti
from tests.unit.pipeline.dicom_series import error_of, write_series


def test_nothing_at_that_path(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no file or folder 'x\.nii'"):
        iso.read(tmp_path / "x.nii")
    with pytest.raises(ConfigError, match=r"there is no file 'x\.nii'"):
        iso.read_annotations(tmp_path / "x.nii")


def test_a_folder_without_images_has_no_volume(tmp_path):
    (tmp_path / "notes.txt").write_text("hello\nthere\n")
    reading = iso.read(tmp_path)
    assert (len(reading), list(reading)) == (0, [])
    with pytest.raises(RejectedError, match="no image was found"):
        _ = reading.volume


def test_a_nifti_file_is_read_with_its_affine(tmp_path):
    data = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(data, affine), tmp_path / "one.nii.gz")
    volume = iso.read(tmp_path / "one.nii.gz", modality="MR").volume
    assert volume.modality == "MR"
    assert np.array_equal(volume.array, data.T)
    assert np.array_equal(volume.grid.affine, affine)


def test_labels_of_a_mask_go_by_their_value_or_by_the_vocabulary(tmp_path):
    write_nifti(tmp_path / "mask.nii.gz", values=(0, 1, 2))
    found = iso.read_annotations(tmp_path / "mask.nii.gz", rater="me")
    assert [a.concept for a in found] == ["1", "2"]
    assert {a.rater for a in found} == {"me"}
    (one,) = iso.read_annotations(
        tmp_path / "mask.nii.gz", vocabulary={"tumour": Label(value=1, aliases=("2",))}
    )
    assert one.concept == "tumour"


def test_what_holds_no_annotations_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello\nthere\n")
    with pytest.raises(FormatError, match="no annotations can be read"):
        iso.read_annotations(tmp_path / "notes.txt")


EVEN = (0, 3, 6, 9, 12, 15)
GAP = (0, 3, 6, 12, 15, 18)
UNEVEN = (0, 4, 8, 15, 22, 23.1, 27.1, 31.1, 35.1)


def the_verdict(reading):
    [one] = reading.verdicts.values()
    return one


def test_a_clean_series_is_kept_and_says_so_in_one_line(tmp_path):
    write_series(tmp_path / "s", EVEN)
    reading = iso.read(tmp_path)
    one = the_verdict(reading)
    assert (one.verdict, one.rules) == (Verdict.KEEP, ())
    assert {i.severity for i in one.issues} <= {Severity.NOTE}
    assert one.stack == reading.volume.id
    assert repr(reading) == f"1 of 1 stack read\nkeep    {one.stack}  CT 6 x 20 x 24"
    assert error_of(reading.volume) <= 0.5


def test_missing_slices_are_rejected_with_the_clause_or_filled_on_request(tmp_path):
    write_series(tmp_path / "s", GAP)
    reading = iso.read(tmp_path)
    assert len(reading) == 0
    assert the_verdict(reading).rules == ("geometry/missing-slices",)
    assert "6.00 mm after slice 3, 3.00 mm elsewhere [DICOM PS3.3 C.7.6.2.1.1]" in repr(reading)
    assert len(iso.read(tmp_path, uneven="resample")) == 0
    filled = iso.read(tmp_path, gaps="resample")
    assert the_verdict(filled).verdict is Verdict.REVIEW
    volume = filled.volume
    assert [k for k, s in enumerate(volume.slices) if s.is_synthetic] == [3]
    assert volume.grid.slice_distance_mm == pytest.approx(3.0)
    assert error_of(volume) <= 1.0  # rounded in the file, and once more
    assert {"geometry/missing-slices", "read/resampled-gaps"} <= {i.rule for i in volume.issues}


@pytest.mark.parametrize("tilt_deg", [0.0, 18.0])
def test_uneven_slices_are_rejected_or_put_on_even_spacing(tmp_path, tilt_deg):
    write_series(tmp_path / "s", UNEVEN, tilt_deg=tilt_deg)
    assert "geometry/uneven-slice-spacing" in the_verdict(iso.read(tmp_path)).rules
    assert len(iso.read(tmp_path, gaps="resample")) == 0
    volume = iso.read(tmp_path, uneven="resample").volume
    assert volume.grid.slice_distance_mm == pytest.approx(4.0, abs=1e-6)
    assert error_of(volume) <= 1.1
    assert sum(s.is_synthetic for s in volume.slices) == 6


def test_tilt_is_kept_resampled_or_rejected(tmp_path):
    write_series(tmp_path / "s", EVEN, tilt_deg=18.0)
    kept = iso.read(tmp_path)
    assert the_verdict(kept).verdict is Verdict.KEEP
    assert error_of(kept.volume) <= 0.5
    upright = iso.read(tmp_path, tilt="resample").volume
    axes = upright.grid.affine[:3, :3]
    assert np.abs(axes.T @ axes - np.diag(np.diag(axes.T @ axes))).max() < 1e-6
    assert upright.grid.shape[0] == 6
    assert upright.valid is not None
    assert [s.file for s in upright.slices] == [s.file for s in kept.volume.slices]
    assert error_of(upright) <= 2.0  # up to half a voxel beyond the last centre the border goes on
    rejected = iso.read(tmp_path, tilt="reject")
    assert the_verdict(rejected).rules == ("geometry/gantry-tilt",)


def test_an_unknown_policy_is_told_with_the_nearest(tmp_path):
    with pytest.raises(
        ConfigError, match=r"tilt is one of keep, resample, reject, not 'resampl'; did you mean 'resample'"
    ):
        iso.read(tmp_path, tilt="resampl")


@pytest.mark.parametrize(
    ("keyword", "change", "rule"),
    [
        ("FrameOfReferenceUID", lambda n: f"1.2.3.{n // 3}", "geometry/mixed-frames-of-reference"),
        ("PixelSpacing", lambda n: [0.75, 0.5 + (n // 3) / 10], "geometry/mixed-pixel-spacings"),
        ("PatientID", lambda n: f"P{n // 3}", "identity/several-patients-in-series"),
    ],
)
def test_what_is_wrong_with_a_series_falls_on_its_stacks(tmp_path, keyword, change, rule):
    write_series(tmp_path / "s", EVEN, **{keyword: change})
    reading = iso.read(tmp_path)
    assert len(reading) == 0
    assert all(rule in v.rules for v in reading.verdicts.values())


def test_whose_the_images_are_is_no_matter_to_who_reads_by_hand(tmp_path):
    write_series(tmp_path / "s", EVEN, PatientID=lambda n: "ANONYMOUS")
    assert the_verdict(iso.read(tmp_path)).verdict is Verdict.KEEP


def test_files_that_are_no_images_are_counted(tmp_path):
    write_series(tmp_path / "s", EVEN)
    (tmp_path / "s" / "x.dcm").write_text("hello\nthere\n")
    (tmp_path / "s" / "y.dcm").write_text("hello\nagain\n")
    reading = iso.read(tmp_path)
    [issue] = [i for i in reading.issues if i.target not in reading.verdicts]
    assert (issue.rule, issue.measured, issue.severity) == ("file/not-an-image", "text 2", "note")
    assert "file/not-an-image" in repr(reading)
    assert len(reading) == 1


def test_the_slice_table_leads_back_to_the_file(tmp_path):
    write_series(tmp_path / "s", EVEN)
    rows = iso.read(tmp_path).volume.slices
    assert [r.position_mm - rows[0].position_mm for r in rows] == pytest.approx(EVEN)
    assert len({r.file for r in rows}) == len({r.instance for r in rows}) == 6
    assert {r.frame for r in rows} == {0}


def test_volumes_of_a_set_follow_each_other_in_its_order():
    stacks = [
        a_stack(id="a"),
        *(a_stack(id=f"g{n}", group="g", axis_index=n) for n in (2, 0)),
        a_stack(id="b"),
    ]
    stacks.append(a_stack(id="g1", group="g", axis_index=1))
    assert [s.id for s in _in_order(stacks)] == ["a", "g0", "g1", "g2", "b"]


def test_a_verdict_tells_where_a_stack_stands_in_its_set():
    stack = a_stack(id="a", axis="time", axis_index=2, axis_count=10, group="g")
    issues = (
        Issue(message="m", rule="r/n", severity=Severity.NOTE),
        Issue(message="m", rule="r/r", severity=Severity.REVIEW, clause="C.1"),
        Issue(message="m", rule="r/r", severity=Severity.REVIEW, clause="C.1"),
    )
    one = judged(stack, issues)
    assert one.rules == ("r/r",)
    assert str(one).endswith(" time 3 of 10: r/r: m [C.1]")


@pytest.mark.parametrize("tilt", [{}, {"tilt": "keep"}, {"tilt": "resample"}])
@pytest.mark.parametrize("lost", [1, 2, 10, 17, 18])
def test_a_gap_anywhere_moves_no_voxel_of_the_slices_that_are_there(tmp_path, lost, tilt):
    """Near an end, the line that most slices lie on does not begin at the first slice."""
    scan = Scan(slices=20)
    lattice = scan.lattice().sheared(15.0) if tilt else scan.lattice()
    objects = scan.objects(lattice=lattice)
    for name, keep in (("whole", range(20)), ("gap", [k for k in range(20) if k != lost])):
        (tmp_path / name).mkdir()
        for file, data in packed([objects[k] for k in keep]).items():
            (tmp_path / name / file).write_bytes(data)
    found = iso.read(tmp_path / "gap", gaps="resample", **tilt).volume
    whole = iso.read(tmp_path / "whole", **tilt).volume
    truth = scan.truth(lattice=lattice)
    assert found.array.shape == whole.array.shape
    assert np.abs(found.grid.affine - whole.grid.affine).max() < 1e-6
    there = np.arange(20) != lost
    assert np.array_equal(found.array[there], whole.array[there])
    if tilt.get("tilt") != "resample":
        assert np.abs(found.grid.affine - truth.affine).max() < 1e-6
        assert np.array_equal(found.array[there], truth.array[there])
    assert [s.is_synthetic for s in found.slices] == (~there).tolist()


@pytest.mark.parametrize("tilt_deg", [0.0, 10.0])
@pytest.mark.parametrize("odd", [0, 19])
def test_one_displaced_slice_moves_no_voxel_when_slices_are_put_on_even_spacing(tmp_path, odd, tilt_deg):
    places = [3.0 * k for k in range(20)]
    places[odd] += 1.0
    write_series(tmp_path, places, tilt_deg=tilt_deg)
    volume = iso.read(tmp_path, uneven="resample").volume
    assert any(s.is_synthetic for s in volume.slices)
    assert error_of(volume) <= 1.0


def exchange_after_the_index(monkeypatch, change):
    """What iso.read finds where something happens between its look at the headers and its reading of the voxels."""
    real = pipeline_read._indexed

    def indexed(*args):
        found = real(*args)
        change()
        return found

    monkeypatch.setattr(pipeline_read, "_indexed", indexed)


@pytest.mark.parametrize("name", ["series", "one.nii.gz", "pair.hdr", "pair.img"])
def test_a_file_that_is_exchanged_between_index_and_voxels_is_told(name, tmp_path, monkeypatch):
    folder = tmp_path / "in"
    folder.mkdir()
    if name == "series":
        write_series(folder, range(4))
    elif name == "one.nii.gz":
        write_nifti(folder / name, values=range(60))
    else:
        kind = nibabel.Nifti1Pair(
            np.arange(120, dtype=np.int16).reshape(4, 5, 6), np.diag([2.0, 2.0, 3.0, 1.0])
        )
        nibabel.save(kind, folder / "pair.img")
    changed = sorted(folder.iterdir())[2] if name == "series" else folder / name
    assert len(iso.read(folder, modality="CT")) == 1
    before = changed.stat()
    exchange_after_the_index(
        monkeypatch, lambda: os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    )
    reading = iso.read(folder, modality="CT")
    assert len(reading) == 0
    (verdict,) = reading.verdicts.values()
    assert verdict.verdict is Verdict.REJECT
    assert "file/changed" in verdict.rules


@pytest.mark.parametrize(
    ("aside_mm", "verdict", "rule"),
    [
        (0.04, Verdict.REVIEW, None),
        (0.2, Verdict.REVIEW, Severity.REVIEW),
        (1.5, Verdict.REJECT, Severity.REJECT),
    ],
)
@pytest.mark.parametrize(("places", "policy"), [(UNEVEN, "uneven"), (GAP, "gaps")])
def test_a_slice_that_lies_aside_is_told_when_gaps_are_resampled(
    places, policy, aside_mm, verdict, rule, tmp_path
):
    """Resampling along the stack moves no slice within its plane: it stays as wrong as it was."""

    def moved(n):
        return [-6.0 + (aside_mm if n == 2 else 0.0), -8.0, 30.0 + places[n]]

    write_series(tmp_path / "s", places, ImagePositionPatient=moved)
    one = the_verdict(iso.read(tmp_path, **{policy: "resample"}))
    found = [i for i in one.issues if i.rule == "geometry/slices-off-the-affine"]
    assert [i.severity for i in found] == ([rule] if rule else [])
    assert one.verdict is verdict
    if found:
        assert "beside the line" in found[0].message
        assert found[0].measured == f"{aside_mm:.3g}"


def test_an_annotation_that_is_exchanged_after_its_names_were_read_is_told(tmp_path, monkeypatch):
    path = tmp_path / "mask.nii.gz"
    write_nifti(path, values=(0, 1, 2))
    real = Vocabulary.match_part

    def match_part(*args):
        os.utime(path, ns=(0, 0))
        return real(*args)

    words = {"tumour": Label(value=1, aliases=("2",))}
    assert len(iso.read_annotations(path, vocabulary=words)) == 1
    monkeypatch.setattr(Vocabulary, "match_part", match_part)
    with pytest.raises(FormatError) as caught:
        iso.read_annotations(path, vocabulary=words)
    assert caught.value.reason == "file/changed"
