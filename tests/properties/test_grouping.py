"""Grouping by columns and SQL comes to what grouping row by row comes to, whatever is in the files."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.formats.dataset import DatasetRow
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, ValueCount
from isocenter.stages.index import assemble, pieces
from isocenter.stages.index.options import Source, SubjectFrom
from isocenter.stages.index.rows import SeriesMembers, series_of, stacks_of
from isocenter.stages.index.subjects import Identity, SubjectFinder
from tests.properties import plain_assemble, plain_stack
from tests.unit.stages.grouping import Found, grouped, members_of, separate
from tests.unit.stages.rows import AXIAL, NAMES, a_slice, file_of

CORONAL = (-1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
TILTED = tuple(float(v) for v in np.array(AXIAL) + 4e-4)
OBLIQUE = (-0.8, 0.6, 0.0, 0.0, 0.0, -1.0)
# What may differ from row to row of a series, the usual value first and most often.
VARYING = {
    "orientation": (AXIAL, TILTED, CORONAL, OBLIQUE, ()),
    "pixel_spacing_mm": ((0.7, 0.8), (0.70001, 0.8), (0.9, 0.9), (), (0.0, 1.0)),
    "rows": (6, 7, None),
    "columns": (5, 6),
    "frame_of_reference_uid": ("1.7", "1.70", None),
    "photometric": ("MONOCHROME2", "RGB", None),
    "samples": (1, 3),
    "frames": (1, 4),
    "image_type": (
        ("ORIGINAL", "AXIAL"),
        ("DERIVED",),
        ("ORIGINAL", "LOCALIZER"),
        (),
        ("ORIGINAL", "M"),
        ("ORIGINAL", "P"),
        ("DERIVED", "SECONDARY", "MIP"),
    ),
    "modality": ("CT", "MR", "DX", None),
    "acquisition_number": (1, 2, 3, None),
    "acquisition_time": (None, "101500", "101530.5", "101600", "20200102101700.25"),
    "content_time": (None, "101700", "101800"),
    "trigger_time_ms": (None, 0.0, 33.0, 66.5),
    "gradient": ((), (1.0, 0.0, 0.0), (0.0, 0.6, 0.8)),
    "repetition_time_ms": (None, 500.0, 600.0),
    "temporal_positions": (None, 2, 3),
    "images_in_acquisition": (None, 5, 10),
    "rescale_type": (None, "HU", "US"),
    "transfer_syntax_uid": ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2"),
    "sop_class_uid": ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7"),
    "temporal_position": (None, 1, 2),
    "echo_time_ms": (None, 4.6, 9.2),
    "b_value": (None, 0.0, 800.0),
    "inversion_time_ms": (None, 100.0),
    "convolution_kernel": ("B30f", "B70f", "Meyer", None),
    "contrast_agent": (None, "IOPROMIDE"),
    "kvp": (120.0, 80.0, None),
    "instance_number": (None, 0, 3, 7),
    "bits_stored": (12, 16, None),
    "bits_allocated": (16, 12, 8, None),
    "pixel_representation": (0, 1, None),
    "rescale_slope": (1.0, 0.5, None),
    "rescale_intercept": (-1024.0, 0.0, None),
    "burned_in_annotation": (None, "NO", "YES"),
    "is_lossy": (False, True),
    "has_pixels": (True, False),
    "has_modality_lut": (False, True),
    "repeated": ((), ("Rows",), ("PatientID", "Rows")),
    "lossy_ratio": (None, "8", "8\\4"),
    "lossy_method": (None, "ISO_15444_1"),
    "overlong": ((), ("PixelSpacing",), ("ImageOrientationPatient", "PixelSpacing")),
    "unparsable": ((), ("KVP",), ("EchoTime", "KVP")),
    "manufacturer": ("Acme", "", None),
    "model": ("One", "P-2 unit", None),
    "slice_thickness_mm": (2.5, None, 0.0),
    "identity_removed": (False, True),
    "patient_id": ("P-1", "P-2", "ANONYMOUS", "0", None),
    "patient_id_issuer": (None, "WARD"),
    "patient_name": (None, "Meyer^Jo", "MEYER JO", "Schmidt"),
    "birth_date": (None, "19610203", "19500101"),
    "study_date": ("20200102", None, "20210304"),
    "study_uid": ("1.8", "1.80", None),
    "sex": (None, "F", "M", "X"),
    "age": (None, "058Y", "011M", "47"),
    "weight_kg": (None, 70.0, 0.0, 70_000.0, 900.0),
    "body_part": ("CHEST", "Meyer", None),
}
HOWS = {
    "tag": SubjectFrom(),
    "name": SubjectFrom(tag="PatientName"),
    "study": SubjectFrom(tag="StudyInstanceUID"),
    "pattern": SubjectFrom(pattern=("{subject}/{timepoint}/*", "{subject}/*")),
    "none": SubjectFrom(tag="InstitutionName"),
}


def _series(random, number):
    """Slices of one series: mostly alike, with repeats, gaps and other directions thrown in."""
    count = random.choice((1, 1, 2, 3, 5, 8))
    source = random.choice((0, 0, 1))
    fixed = {n: random.choice(v) for n, v in VARYING.items() if random.random() < 0.3}
    loose = [n for n in VARYING if random.random() < random.choice((0.0, 0.05, 0.15))]
    folder = random.choice(("p1", "p2/a", "p3/b"))
    for n in range(count):
        row = a_slice(
            100 * number + n,
            source=source,
            site=("site-1", "site-2")[source],
            series_uid=random.choice((f"1.9.{number}", "1.9.0", None, ""))
            if random.random() < 0.2
            else f"1.9.{number}",
            position_mm=(10.0, 20.0, 2.5 * random.choice((n, n, n, n // 2))),
            study_uid=f"1.8.{number // 2}",
            **{k: v for k, v in fixed.items() if k != "study_uid"},
        )
        row = replace(row, **{k: random.choice(VARYING[k]) for k in loose if random.random() < 0.5})
        if random.random() < 0.03:
            row = replace(row, position_mm=())
        if random.random() < 0.05:
            row = replace(row, sop_instance_uid=random.choice((None, "1.2.0", "1.2.100")))
        yield Found(row=file_of(row, path=f"{folder}/IM{row.file_id[4:]}.dcm"), instance=row)


def _volume(random, number):
    affine = tuple(float(v) for v in np.diag([1.0, 1.5, 2.0, 1.0]).ravel())
    row = a_slice(
        number, format="nifti", sop_instance_uid=None, series_uid=None, study_uid=None, patient_id=None, modality=None,
        affine=affine, shape=(6, 5, 4), orientation_code="RAS", position_mm=(), orientation=(), dtype="int16",
        pixel_spacing_mm=(),
    )  # fmt: skip
    return Found(row=file_of(row, path=f"p1/v{number}.nii"), instance=row)


def _lost(random, found):
    """Something that was refused, or is no image."""
    row = found.instance
    kind = random.choice(("dicom-unreadable", "empty", "unknown", "unreadable", "text", "dicom-seg"))
    file_id = f"{row.file_id}-lost"
    path = random.choice((found.row.path[:-4] + "x.dcm", f"p9/{file_id}", found.row.path + ".txt"))
    file = replace(found.row, file_id=file_id, path=path, kind=kind)
    issue = None if kind in {"text", "unknown", "dicom-seg"} else because("file/corrupt", target=file_id)
    instance = None
    if kind == "dicom-seg" or (kind == "dicom-unreadable" and random.random() < 0.7):
        uid = random.choice((row.sop_instance_uid, None, f"5.{file_id[4:8]}"))
        instance = replace(row, file_id=file_id, sop_instance_uid=uid, has_pixels=False)
    return Found(row=file, instance=instance, issue=issue)


def _structures(random, number, found):
    row = found.instance
    file_id = f"rts-{number}"
    made = AnnotationObject(
        file_id=file_id, source=row.source, site=row.site, format="rtstruct", patient_id=row.patient_id,
        patient_name=row.patient_name, birth_date=row.birth_date, study_uid=row.study_uid,
        sop_instance_uid=random.choice((None, "7.1", f"7.{number + 2}", "1.2.0")), labels=("GTV",), numbers=(1,),
        samples_mm=(1.0, 2.0, 3.0),
    )  # fmt: skip
    path = random.choice(("p1", "p2/a")) + f"/rts{number}.dcm"
    return Found(row=replace(found.row, file_id=file_id, path=path, kind="dicom-rtstruct"), annotation=made)


def _cohort(random):
    found = [f for n in range(random.choice((1, 2, 4))) for f in _series(random, n)]
    images = list(found)
    found += [_volume(random, 900 + n) for n in range(random.choice((0, 1)))]
    found += [_lost(random, f) for f in images if random.random() < 0.1]
    found += [_structures(random, n, f) for n, f in enumerate(images) if random.random() < 0.1]
    for f in images:
        if random.random() < 0.05:
            copy = replace(f.row, file_id=f"{f.row.file_id}-copy", path=f"{f.row.path[:-4]}copy.dcm")
            found.append(Found(row=copy, instance=replace(f.instance, file_id=copy.file_id)))
    random.shuffle(found)
    return found


def _layout(random, found):
    return {
        f.row.file_id: DatasetRow(
            path=f.row.path, role="image", case="case_1", subject=random.choice(("", "case_1")),
            modality=random.choice(("", "CT", "MR")), partition="train",
        )
        for f in found
        if f.instance and random.random() < (0.8 if f.instance.format == "nifti" else 0.05)
    }  # fmt: skip


def _write(random, root, found):
    for f in found:
        path = root / f.row.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if random.random() < 0.95:
            path.write_bytes(random.choice((b"one", b"one", b"two")))


def _one_series(random):
    """Two or three passes over some positions, in which one or two things differ."""
    slow, fast = random.choice((1, 2, 3, 5)), random.choice((1, 2, 2, 3))
    told = random.sample(sorted(VARYING), random.choice((0, 1, 1, 2)))
    noise = random.sample(sorted(VARYING), random.choice((0, 0, 1)))
    rows = []
    for n in range(slow):
        for m in range(fast):
            row = a_slice(
                10 * n + m,
                position_mm=(10.0, 20.0 + random.choice((0, 0, 0.3)), 2.5 * n),
                instance_number=random.choice((10 * n + m, m)),
                **{k: VARYING[k][m % len(VARYING[k])] for k in told if k != "instance_number"},
            )
            rows.append(replace(row, **{k: random.choice(VARYING[k]) for k in noise}))
    if random.random() < 0.1:
        rows[0] = replace(rows[0], position_mm=())
    return random.sample(rows, len(rows))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_one_series_makes_the_same_stacks(seed):
    random = Random(seed)
    for _ in range(4):
        rows = _one_series(random)
        ordered = sorted(rows, key=lambda r: (r.sop_instance_uid, r.file_id))
        assert separate(rows) == plain_stack.separate(rows)
        identity = Identity("sub-1", "site-1", is_dummy=False)
        ours = SeriesMembers(rows=members_of(rows), identities=[identity], attributes=())
        plain = plain_stack.SeriesMembers(rows=ordered, identities=[identity] * len(rows), attributes=())
        stacks = stacks_of(ours, NAMES).stacks
        assert stacks == plain_stack.stacks_of(plain, NAMES)
        assert series_of(ours, stacks) == plain_stack.series_of(plain, stacks)


def _scanned(random):
    """Passes of a scanner over the same or shifted positions, told apart by times or by one attribute, with faults."""
    slices, passes = random.choice((3, 4, 6, 9)), random.choice((1, 2, 2, 3))
    shift, by_slice = random.choice((0.0, 0.0, 0.7, 1.1)), random.random() < 0.3
    told = random.choice(
        ("acquisition_time", "content_time", "trigger_time_ms", "acquisition_number", "", "echo_time_ms")
    )
    rows = []
    for m in range(passes):
        for n in range(slices):
            second = 7 * (n * passes + m if by_slice else m * slices + n)
            clock = f"10{second // 60:02}{second % 60:02}.5"
            value = {
                "acquisition_time": clock, "content_time": clock, "trigger_time_ms": 33.0 * m + 0.1 * n,
                "acquisition_number": m + 1, "echo_time_ms": 4.6 * m,
            }.get(told)  # fmt: skip
            row = a_slice(
                100 * m + n,
                position_mm=(10.0, 20.0 + 0.2 * n * (shift > 1), 2.5 * n + shift * m),
                instance_number=random.choice((second, n)),
                **({told: value} if told else {}),
            )
            rows.append(row)
    if random.random() < 0.3:
        rows = [r for r in rows if random.random() < 0.9] or rows[:1]
    if random.random() < 0.3:
        n = random.randrange(len(rows))
        x, y, z = rows[n].position_mm
        rows[n] = replace(
            rows[n], position_mm=(x + random.choice((0.0, 1.7)), y, z + random.choice((0.0, 0.4, 30.0)))
        )
    if random.random() < 0.3:
        n = random.randrange(len(rows))
        rows[n] = replace(
            rows[n], image_type=random.choice((("DERIVED", "SECONDARY"), ("DERIVED", "SECONDARY", "ADC")))
        )
    return random.sample(rows, len(rows))


def _rounded(stack):
    """The stack, its shear without what the order of sums makes of the last bit."""
    return replace(stack, shear_mm=round(stack.shear_mm, 9))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_what_scanners_do_makes_the_same_stacks(seed):
    random = Random(seed)
    for _ in range(4):
        rows = _scanned(random)
        ordered = sorted(rows, key=lambda r: (r.sop_instance_uid, r.file_id))
        identity = Identity("sub-1", "site-1", is_dummy=False)
        ours = SeriesMembers(rows=members_of(rows), identities=[identity], attributes=())
        plain = plain_stack.SeriesMembers(rows=ordered, identities=[identity] * len(rows), attributes=())
        stacks = stacks_of(ours, NAMES).stacks
        assert list(map(_rounded, stacks)) == list(map(_rounded, plain_stack.stacks_of(plain, NAMES)))
        assert sorted(f for s in stacks for f in s.files) == sorted(r.file_id for r in rows)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), how=st.sampled_from(sorted(HOWS)), has_table=st.booleans())
def test_columns_come_to_the_same_as_rows(seed, how, has_table):
    random = Random(seed)
    found = _cohort(random)
    layout = _layout(random, found)
    known = {"P-1": "one", "P-2": "one", "p1": "person", "1.8.0": "study"} if has_table else None
    sources = [Source(path="", site=s, subject=HOWS[how]) for s in ("site-1", "site-2")]
    finders = [SubjectFinder(s, NAMES, known) for s in sources]
    shuffled = random.sample(found, len(found))
    with TemporaryDirectory() as folder:
        roots = [Path(folder)] * 2
        _write(random, Path(folder), found)
        ours = grouped(found, finders, layout, roots, NAMES)
        # series go over the edges of tables, and rows are put by before they are sorted
        with (
            patch.object(assemble, "_AT_ONCE", random.choice((1, 2, 5))),
            patch.object(pieces, "_AT_ONCE", 2),
        ):
            again = grouped(shuffled, finders, layout, roots, NAMES)
        plain = plain_assemble.assemble(found, finders, layout, roots, NAMES)
    assert ours.series == plain.series
    assert ours.stacks == plain.stacks
    paths = {f.row.file_id: (f.row.source, f.row.path) for f in found}
    assert ours.annotations == sorted(plain.annotations, key=lambda a: paths[a.file_id])
    by_target = sorted(plain.issues, key=lambda i: (i.target, i.rule))
    assert [i for i in ours.issues if i.rule != "index/shared-subject"] == by_target
    assert ours.values == _values(plain.stacks)
    assert (again.bytes, again.digest) == (ours.bytes, ours.digest)
    _check_summaries(ours)


def _check_summaries(made):
    """Studies and subjects are the sums of their series."""
    for rows, key in ((made.studies, "study"), (made.subjects, "subject")):
        assert sum(r.n_series for r in rows) == len(made.series)
        for row in rows:
            own = [s for s in made.series if (getattr(s, key), s.site) == (row.id, row.site)]
            own = [s for s in own if key == "subject" or s.subject == row.subject]
            assert row.n_instances == sum(s.n_instances for s in own)
            assert row.modalities == tuple(sorted({s.modality for s in own} - {""}))
            if key == "subject":
                assert row.n_studies == len({s.study for s in own})
                assert row.is_dummy == any(s.is_dummy_patient_id for s in own)


def _values(stacks):
    counts = Counter(("modality", s.modality) for s in stacks)
    names = ("manufacturer", "model", "convolution_kernel", "body_part")
    counts.update((n, s.attribute(n)) for s in stacks for n in names)
    return [ValueCount(attribute=a, value=v, count=n) for (a, v), n in sorted(counts.items())]
