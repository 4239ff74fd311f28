"""The public audit: a leaking split of any origin fails, ours passes."""

import json
import random

import nibabel as nib
import numpy as np
import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.base.errors import ConfigError, StoreNotFound
from isocenter.model.issue import Severity
from isocenter.model.rows import CaseRow
from isocenter.pipeline.audit import audit, ignoring
from isocenter.pipeline.split import split
from isocenter.stores.fitted import Fitted, digest_of_cases, write_fitted
from isocenter.stores.splits import write_split


def case(number, pixels=None):
    return CaseRow(
        id=f"k{number:02}", subject=f"s{number // 2:02}", site=f"c{number // 2 % 9}", timepoint="", shard=0, digest="",
        verdict="keep", channels=("ct",), shape=(1, 1, 1), spacing_mm=(1.0, 1.0, 1.0), labels=(), raters=(),
        attributes=(), statistics=(), pixel_digest=pixels or f"p{number}",
    )  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "store").mkdir()
    tables.write(tmp_path / "store" / "cases.parquet", CaseRow, [case(n) for n in range(80)])
    write_split(tmp_path / "store", "default", split(tmp_path))
    return tmp_path


def rules(found):
    return {i.rule for i in found.issues}


def test_it_is_the_public_name():
    assert iso.audit is audit


def test_our_split_passes_in_memory_and_in_the_store(workspace):
    assert audit(split(workspace)).passed
    for path in (workspace, workspace / "store", str(workspace)):
        found = audit(path)
        assert (found.passed, found.issues, found.splits) == (True, (), ("default",))


def test_splits_of_a_store_are_chosen_by_name(workspace):
    write_split(workspace / "store", "other", split(workspace, seed=7))
    assert audit(workspace).splits == ("default", "other")
    assert audit(workspace, splits="other").splits == ("other",)
    assert audit(workspace, splits=["default"]).splits == ("default",)
    with pytest.raises(ConfigError, match="did you mean 'other'"):
        audit(workspace, splits="othr")


def test_equal_images_that_came_in_later_are_found(workspace):
    done = split(workspace)
    pair = done.of("train")[0].cases[0], done.of("test")[0].cases[0]
    cases = [case(n, "twin" if f"k{n:02}" in pair else None) for n in range(80)]
    tables.write(workspace / "store" / "cases.parquet", CaseRow, cases)
    found = audit(workspace)
    assert not found.passed
    assert rules(found) == {"split/same-pixels"}
    assert audit(split(workspace)).passed  # made anew it keeps the two together
    write_split(workspace / "store", "default", split(workspace))
    assert audit(workspace).passed


def test_a_split_by_slices_fails(tmp_path):
    """The commonest mistake: slices or scans are dealt out at random, not subjects."""
    lot = random.Random(0)
    lines = [f"s{n // 5},{lot.choice(['train', 'train', 'test'])}" for n in range(100)]
    path = tmp_path / "slices.csv"
    path.write_text("\n".join(["subject,partition", *lines]))
    found = audit(path)
    assert not found.passed
    assert "split/subject-in-two-partitions" in rules(found)


def test_a_table_by_subjects_passes_and_tells_the_prevalences(tmp_path):
    lines = [f"s{n},{'test' if n % 5 == 0 else 'train'},{'x' if n % 2 else ''},c{n % 5}" for n in range(100)]
    path = tmp_path / "subjects.csv"
    path.write_text("\n".join(["subject,partition,labels,site", *lines]))
    found = audit(path)
    assert found.passed
    assert found.issues == ()
    assert [(p.partition, p.positive, p.subjects) for p in found.table] == [
        ("test", 10, 20),
        ("train", 40, 80),
    ]


def test_a_table_of_seen_centres_and_drifting_labels_is_told(tmp_path):
    lines = [
        f"s{n},{'test' if n % 5 == 0 else 'train'},{'x' if n % 5 == 0 else ''},c{n % 3}" for n in range(100)
    ]
    path = tmp_path / "subjects.csv"
    path.write_text("\n".join(["subject,partition,labels,site", *lines]))
    assert {"split/too-few-external-subjects", "split/drifting-prevalence"} <= rules(audit(path))


def test_equal_digests_in_a_table_fail(tmp_path):
    path = tmp_path / "subjects.csv"
    path.write_text("subject,partition,digest\np,train,x\nq,test,x\n")
    assert rules(audit(path)) == {"split/same-pixels"}


def test_nnunet_folds_leak_where_cases_are_no_subjects(tmp_path):
    cases = [f"s{n // 2}_{n % 2}" for n in range(20)]
    content = [{"train": cases[k + 4 :] + cases[:k], "val": cases[k : k + 4]} for k in (1, 6)]
    (tmp_path / "splits_final.json").write_text(json.dumps(content))
    assert audit(tmp_path).passed
    found = audit(tmp_path / "splits_final.json", subject="{subject}_*")
    assert found.splits == ("fold-0", "fold-1")
    assert {i.target for i in found.issues if i.rule == "split/subject-in-two-partitions"} == {"fold-0"}
    assert audit(tmp_path, splits="fold-1", subject="{subject}_*").passed


def test_an_empty_fold_fails(tmp_path):
    (tmp_path / "splits_final.json").write_text(json.dumps([{"train": ["p"], "val": []}]))
    assert rules(audit(tmp_path)) == {"split/empty-partition"}


def test_bad_calls_are_told(tmp_path):
    with pytest.raises(ConfigError, match="there is no nothing"):
        audit(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="did you mean 'nnunet'"):
        audit(tmp_path, layout="nnunett")
    with pytest.raises(StoreNotFound):
        audit(tmp_path)
    (tmp_path / "splits_final.json").write_text("[]")
    with pytest.raises(ConfigError, match="no split to check"):
        audit(tmp_path)


def test_a_store_tells_what_was_fitted_on_other_cases(workspace):
    """As it is where the split was made anew and the old numbers stayed."""
    store = workspace / "store"
    train = [c for r in split(workspace).of("train") for c in r.cases]
    cases = [(f"k{n:02}", "") for n in range(80)]
    for on, fails in (([c for c in cases if c[0] in train], False), (cases, True)):
        made = Fitted(split="default", fold=None, cases=len(on), digest=digest_of_cases(on), channels={})
        write_fitted(store, made)
        found = audit(workspace)
        assert (rules(found) == {"split/statistics-beyond-training"}) is fails
        assert found.passed is not fails


def test_what_is_claimed_of_the_test_part_is_looked_at(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("subject,partition,site,date\np,train,a,2020-05-01\nq,test,a,2020-04-01\n")
    assert audit(path).passed
    assert "split/shared-site" in rules(audit(path, independent=True))
    assert "split/early-test-part" in rules(audit(path, temporal=True))


def test_rules_can_be_left_out_with_a_reason(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("subject,partition,digest\np,train,x\nq,test,x\n")
    rest = ignoring(path, {"split/same-pixels": "test images are phantoms"})
    assert audit(path, rules=rest).passed
    with pytest.raises(ConfigError, match="did you mean 'split/same-pixels'"):
        ignoring(path, {"split/same-pixel": "x"})


def test_images_that_cannot_be_read_are_told(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"nothing")
    path = tmp_path / "t.csv"
    path.write_text("path,subject,partition\na.nii,p,train\nb.nii,q,test\n")
    found = audit(path, jobs=1)
    (issue,) = found.issues
    assert (issue.rule, issue.severity) == ("audit/unread-images", Severity.REVIEW)
    assert issue.measured == "file/not-an-image: 1, file/not-there: 1"


def test_the_canary_says_when_it_cannot_sing(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("subject,partition\np,train\nq,test\n")
    assert "audit/no-canary" in rules(audit(path, canary=True))
    with pytest.raises(ConfigError, match="needs the pixels"):
        audit(path, canary=True, pixels=False)


def test_images_that_are_all_gone_are_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("path,subject,partition\na.nii,p,train\nb.nii,q,test\n")
    found = audit(path, jobs=1)
    assert [(i.rule, i.measured) for i in found.issues] == [("audit/unread-images", "file/not-there: 2")]
    assert found.compared == 0
    quiet = audit(path, jobs=1, pixels=False)
    assert (quiet.issues, quiet.compared) == ((), None)


def test_masks_that_cannot_be_read_are_told_apart(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"nothing")
    entries = {
        "training": [{"image": "a.nii", "label": "no.nii"}],
        "testing": [{"image": "b.nii", "label": "no.nii"}],
    }
    (tmp_path / "list.json").write_text(json.dumps(entries))
    values = np.random.default_rng(1).normal(size=(24, 24, 24)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.eye(4)), tmp_path / "b.nii")
    told = {i.rule: i.measured for i in audit(tmp_path / "list.json", jobs=1).issues}
    assert told["audit/unread-images"] == "file/not-an-image: 1"
    assert told["audit/unread-masks"] == "file/not-there: 1"


def test_what_is_claimed_of_a_split_in_memory_is_checked():
    rows = [{"subject": f"s{n:02}", "site": f"c{n % 3}"} for n in range(60)]
    made = split(rows, strategy="stratified")
    assert "split/shared-site" not in {i.rule for i in audit(made).issues if i.severity is Severity.REJECT}
    assert not audit(made, independent=True).passed


@pytest.mark.parametrize(
    "option", [{"canary": True}, {"layout": "table"}, {"splits": "x"}, {"images": "x"}, {"seeds": 3}]
)
def test_options_that_a_split_in_memory_cannot_obey_are_refused(option):
    with pytest.raises(ConfigError, match=next(iter(option))):
        audit(split([{"subject": str(n)} for n in range(9)]), **option)
