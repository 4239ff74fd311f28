"""Every gate that closes names itself and what would open it, and doing that opens it."""

from types import SimpleNamespace

import pytest

import isocenter as iso
from isocenter.cli.main import main
from isocenter.testing.simulate import simulate
from isocenter.testing.simulate.scanner import SITE_KINDS
from tests.end_to_end import cohorts

HALVES = {"strategy": "grouped", "fractions": {"train": 0.5, "test": 0.5}}
NOBODY = {"kind": "objects", "path": "nowhere/**"}
TWO = {"ct": {"modality": "CT", "path": ["**"], "where": {"site": "site-c"}}}  # two subjects
STRICT = {"stop_at_rejected_share": 0.9, "severity": {"split/empty-partition": "reject"}}
# Gate: what closes it, what its sentence says, and the change that it names.
GATES = {
    "nothing is asked for": (
        {"channels": {"ct": {"modality": "MR", "path": ["**/*.dcm"]}}},
        ("screen: no image is asked for", "ct: MR", "found: ", "CT 3", "channels.*.modality"),
        {"channels": {"ct": {"modality": "CT", "path": ["**"]}}},
    ),
    "all are rejected": (
        {
            "screen": {
                "stop_at_rejected_share": 1.0,
                "options": {"geometry/too-few-slices": {"min_slices": 99}},
            }
        },
        (
            "screen: all ",
            "geometry/too-few-slices",
            "isocenter rules geometry/too-few-slices",
            "screen.ignore",
        ),
        {"screen": {"ignore": {"geometry/too-few-slices": "a phantom"}, "stop_at_rejected_share": 1.0}},
    ),
    "too many are defective": (
        {
            "channels": {"ct": {"modality": "CT", "path": ["**/*.dcm", "*/ct.nii.gz"]}},
            "screen": {"stop_at_rejected_share": 0.2, "severity": {"affine/unknown-orientation": "reject"}},
        },
        ("screen: ", "allowed 20%", "affine/unknown-orientation", "raise screen.stop_at_rejected_share"),
        {
            "channels": {"ct": {"modality": "CT", "path": ["**/*.dcm", "*/ct.nii.gz"]}},
            "screen": {"stop_at_rejected_share": 0.9, "severity": {"affine/unknown-orientation": "reject"}},
            "split": {"fractions": {"train": 1.0}},
        },
    ),
    "nothing is annotated": (
        {"annotations": [NOBODY]},
        ("enrol: none of ", "enrol/no-annotation", "Add the annotation"),
        {"annotations": cohorts.READERS},
    ),
    "all cases are too large": (
        {"standardise": {"max_case_bytes": 100}},
        ("enrol: none of ", "build/too-large", "standardise.max_case_bytes"),
        {"standardise": {"max_case_bytes": 1 << 30}},
    ),
    "nothing is built": (
        {
            "screen": {
                "stop_at_rejected_share": 0.9,
                "severity": {"annotation/too-few-raters": "reject"},
                "options": {"annotation/too-few-raters": {"min_raters": 5}},
            }
        },
        ("build: all ", "annotation/too-few-raters", "isocenter rules annotation/too-few-raters"),
        {"screen": {"stop_at_rejected_share": 0.9, "ignore": {"annotation/too-few-raters": "one is enough"}}},
    ),
    "a part of the split is empty": (
        {
            "channels": TWO,
            "screen": STRICT | {"severity": {"split/empty-partition": "reject"}},
            "split": {"fractions": {"train": 0.4, "val": 0.3, "test": 0.3}},
        },
        ("split: no subject in ", "split.fractions", "isocenter rules split/empty-partition"),
        {
            "channels": TWO,
            "screen": STRICT,
            "split": {"fractions": {"train": 0.5, "test": 0.5}, "append_only": False},
        },
    ),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small archive whose every NIfTI image lacks its orientation."""
    folder = tmp_path_factory.mktemp("gates")
    simulate(folder / "hospital", patients=6, matrix=40, slices=8, faults=False, kinds=SITE_KINDS)
    for path in sorted((folder / "hospital" / "site-b").glob("*/ct.nii.gz")):
        _without_orientation(path)
    return SimpleNamespace(folder=folder, document=cohorts.segmentation(folder / "hospital", split=HALVES))


def _without_orientation(path):
    import nibabel

    image = nibabel.load(path)
    plain = nibabel.Nifti1Image(image.get_fdata(dtype="float32"), None)
    plain.header.set_zooms(image.header.get_zooms())
    plain.set_sform(None, 0)
    plain.set_qform(None, 0)
    nibabel.save(plain, path)


@pytest.mark.parametrize("name", GATES)
def test_a_gate_closes_with_a_sentence_and_opens(small, tmp_path, name):
    closing, words, opening = GATES[name]
    closed = iso.run(cohorts.written(tmp_path, small.document | closing))
    assert closed.gate is not None
    assert closed.gate.startswith(words[0])
    assert [w for w in words if w not in closed.gate] == []
    assert any("Stopped at a gate" in line for line in closed.summary)
    assert closed.report is not None
    page = closed.report.read_text()
    assert closed.gate.split(":")[0] in page
    assert sum(closed.counts[s] for s in ("used", "held", "excluded", "ignored")) == closed.counts["files"]
    again = iso.run(tmp_path / "cohort.yaml")
    assert again.gate == closed.gate
    assert again.is_fresh
    opened = iso.run(cohorts.written(tmp_path, small.document | opening))
    assert opened.gate is None
    assert opened.store is not None


def test_no_files(small, tmp_path):
    (tmp_path / "empty").mkdir()
    document = small.document | {"sources": [{"path": str(tmp_path / "empty")}]}
    path = cohorts.written(tmp_path / "run", document)
    closed = iso.run(path)
    assert closed.gate.startswith("index: the sources hold no files")
    assert "sources[].path" in closed.gate
    assert closed.counts["files"] == 0
    (tmp_path / "empty" / "notes.txt").write_text("nothing here yet\n")
    no_image = iso.run(path)
    assert no_image.gate.startswith("index: no image was found among 1 files")
    assert "isocenter explain" in no_image.gate


def test_a_closed_gate_is_exit_code_one(small, tmp_path, capsys):
    path = cohorts.written(tmp_path, small.document | {"annotations": [NOBODY]})
    with pytest.raises(SystemExit) as left:
        main(["run", str(path)])
    assert left.value.code == 1
    assert "enrol: none of" in capsys.readouterr().out
