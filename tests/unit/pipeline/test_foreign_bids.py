"""BIDS trees are read as they are."""

import json

import nibabel as nib
import numpy as np
import pytest

from isocenter.base.errors import ConfigError
from isocenter.pipeline.audit import audit
from isocenter.pipeline.foreign import audited_splits
from isocenter.pipeline.foreign_bids import is_bids, read_bids
from isocenter.pipeline.foreign_table import TableWords

PEOPLE = (
    "participant_id\tsplit\tinstitution_id\tsex\nsub-1\ttrain\ta\tF\nsub-2\ttest\tb\tM\nsub-3\ttest\tb\tM\n"
)


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "participants.tsv").write_text(PEOPLE)
    for name in ("sub-1/anat/sub-1_T1w", "sub-2/ses-1/anat/sub-2_ses-1_T1w", "sub-9/anat/sub-9_T1w"):
        file = tmp_path / f"{name}.nii.gz"
        file.parent.mkdir(parents=True)
        file.touch()
    (tmp_path / "sub-1/anat/sub-1_T1w.json").write_text(
        json.dumps({"Manufacturer": "Siemens", "PatientName": "x"})
    )
    (tmp_path / "sub-2/ses-1/anat/sub-2_ses-1_T1w.json").write_text("{broken")
    (tmp_path / "sub-2/ses-1/sub-2_scans.tsv").write_text(
        "filename\tacq_time\nanat/sub-2_ses-1_T1w.nii.gz\t2020-05-06T01:02:03\nanat/x.nii.gz\tn/a\n"
    )
    return tmp_path


def test_participants_bring_their_images_sites_scanners_and_dates(tree):
    assert is_bids(tree)
    found = read_bids(tree, TableWords())
    (split,) = audited_splits(found, {}, (), is_independent=False, is_temporal=False)
    assert [(i.id, i.subject, i.partition, i.site, i.date, i.facts) for i in split.images] == [
        ("sub-1/anat/sub-1_T1w.nii.gz", "sub-1", "train", "a", "", (("manufacturer", "Siemens"),)),
        ("sub-2/ses-1/anat/sub-2_ses-1_T1w.nii.gz", "sub-2", "test", "b", "2020-05-06T01:02:03", ()),
        ("row 4", "sub-3", "test", "b", "", ()),
    ]
    assert found.notes == (
        "participants without an image: 1",
        "folders of subjects that participants.tsv does not name: 1",
    )


def test_a_tree_that_is_not_divided_is_refused(tree):
    (tree / "participants.tsv").write_text("participant_id\tsex\nsub-1\tF\n")
    with pytest.raises(ConfigError, match="needs the columns subject and partition"):
        read_bids(tree, TableWords())


def test_a_participant_that_is_a_path_leads_nowhere(tree):
    (tree / "participants.tsv").write_text("participant_id\tsplit\n../x\ttrain\nsub-2\ttest\n")
    assert "participants without an image: 1" in read_bids(tree, TableWords()).notes


@pytest.mark.parametrize("is_fetched", [True, False])
def test_images_that_are_links_are_images(tree, is_fetched):
    """As in a DataLad data set, where the files lie in .git/annex once they were fetched."""
    store = tree / ".git/annex/objects"
    store.mkdir(parents=True)
    for n, name in enumerate(("sub-1/anat/sub-1_T1w", "sub-2/ses-1/anat/sub-2_ses-1_T1w")):
        file, target = tree / f"{name}.nii.gz", store / f"MD5E-{n}.nii.gz"
        if is_fetched:
            values = np.random.default_rng(1).normal(size=(24, 24, 24)).astype(np.float32)
            nib.save(nib.Nifti1Image(values, np.eye(4)), target)
        file.unlink()
        file.symlink_to(target)
    found = audit(tree, jobs=1)
    unread = [i.measured for i in found.issues if i.rule == "audit/unread-images"]
    assert unread == (["file/not-there: 1"] if is_fetched else ["file/not-there: 3"])
    assert found.compared == (2 if is_fetched else 0)
    assert found.passed is not is_fetched  # the two are copies
