"""What the tables of a workspace tell the auditor of its cases."""

import pytest

from isocenter.base import tables
from isocenter.base.progress import silent
from isocenter.base.workspace import Workspace
from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.descriptor_rows import Pair
from isocenter.model.rows import CaseRow, Instance, LabelState, PlannedCase, PlannedChannel, Stack
from isocenter.model.split import Split, SplitRow
from isocenter.pipeline.audited_store import _is_training, audited_store, descriptors_of, of_cases
from isocenter.rules.catalogue.split.study_in_two_partitions import study_in_two_partitions
from isocenter.stores.splits import write_split
from isocenter.testing.rules import a_stack, issues_of

ATTRIBUTES = (
    Attribute(name="manufacturer", value="ACME"),
    Attribute(name="age", value="60"),
    Attribute(name="kvp", value="120", state=AttributeState.WITHHELD),
)


def packed(name, subject):
    return CaseRow(
        id=name, subject=subject, site="a", timepoint="", shard=0, digest="", verdict="keep", channels=("ct",),
        shape=(5, 32, 32), spacing_mm=(2.5, 0.8, 0.8), labels=(LabelState(label="t", state="positive"),), raters=(),
        attributes=ATTRIBUTES, statistics=(), pixel_digest=f"pixels of {name}",
    )  # fmt: skip


def planned(name, subject, verdict="keep", reason="", **more):
    return PlannedCase(
        id=name, subject=subject, site="a", timepoint="", shard=0, digest="", verdict=verdict, reason=reason,
        bytes_estimated=0, annotations=(),
        channels=tuple(PlannedChannel(name=c, stack=f"stack of {s}") for c, s in (("ct", name), *more.items())),
    )  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    place = Workspace(tmp_path)
    store = place.store
    store.mkdir()
    tables.write(store / "cases.parquet", CaseRow, [packed("k1", "p"), packed("k2", "q")])
    rows = (
        SplitRow(subject="p", partition="train", cases=("k1",)),
        SplitRow(subject="q", partition="test", cases=("k2",)),
    )
    write_split(
        store, "default", Split(strategy="temporal", seed=0, fractions={"train": 0.5, "test": 0.5}, rows=rows)
    )
    cases = [planned("k1", "p"), planned("k2", "q"), planned("k3", "q", "reject", "geometry/missing-slices")]
    tables.write(place.stage("enrol") / "cases.parquet", PlannedCase, cases)
    stacks = [
        a_stack(id=f"stack of {n}", study=f"study of {n}", files=(f"file of {n}",))
        for n in ("k1", "k2", "k9")
    ]
    tables.write(place.stage("index") / "stacks.parquet", Stack, stacks)
    dates = {"file of k1": "20200105", "file of k2": "2020"}
    instances = [
        Instance(file_id=f, source=0, site="a", format="dicom", study_date=d) for f, d in dates.items()
    ]
    tables.write(place.stage("index") / "instances.parquet", Instance, instances)
    return place


def audited(workspace, place, **claims):
    claims = {"is_independent": False, "is_temporal": False, **claims}
    (found,) = audited_store(workspace.store, place, [], ["default"], **claims)
    return found


def test_the_index_tells_studies_and_dates_and_the_plan_what_was_left_out(workspace):
    found = audited(workspace, workspace)
    assert [(i.id, i.partition, i.studies, i.volumes, i.date, i.left_out) for i in found.images] == [
        ("k1", "train", ("study of k1",), ("stack of k1",), "2020-01-05", ""),
        ("k2", "test", ("study of k2",), ("stack of k2",), "", ""),
        ("k3", "test", (), (), "", "geometry/missing-slices"),
    ]
    assert found.is_temporal  # by its strategy
    assert found.id == "default"


def test_the_study_of_a_second_channel_is_seen_in_two_partitions(workspace):
    cases = [planned("k1", "p", pet="k9"), planned("k2", "q")]
    tables.write(workspace.stage("enrol") / "cases.parquet", PlannedCase, cases)
    stacks = [a_stack(id=f"stack of {n}", study=s) for n, s in (("k1", "1"), ("k9", "2"), ("k2", "2"))]
    tables.write(workspace.stage("index") / "stacks.parquet", Stack, stacks)
    found = audited(workspace, workspace)
    assert [i.studies for i in found.images] == [("1", "2"), ("2",)]
    assert len(issues_of(study_in_two_partitions, found)) == 1


@pytest.mark.parametrize(
    ("partition", "fold"), [("reserve", 0), ("", 0), ("test", 0), ("fold-0", 0), ("val", None)]
)
def test_what_is_not_used_is_not_trained_on(partition, fold):
    assert not _is_training(partition, fold)
    assert _is_training("fold-1", 0)


def test_a_store_alone_tells_what_is_in_it(workspace):
    found = audited(workspace, None, is_independent=True)
    assert [(i.id, i.studies, i.digest, i.labels) for i in found.images] == [
        ("k1", (), "pixels of k1", ("t",)),
        ("k2", (), "pixels of k2", ("t",)),
    ]
    facts = dict(found.images[0].facts)
    assert (facts["manufacturer"], facts["slices"], facts["row_spacing_mm"]) == ("ACME", "5", "0.8")
    assert not {"age", "kvp"} & set(facts)
    assert found.is_independent


def test_pairs_of_channels_are_pairs_of_cases_the_surest_first():
    found = of_cases(
        [
            Pair(a="k2 ct", b="k1 ct", score=0.9, kind="near-duplicate"),
            Pair(a="k1 pet", b="k2 pet", score=1.0, kind="same-pixels"),
            Pair(a="k1 ct", b="k1 pet", score=0.9, kind="near-duplicate"),
            Pair(a="k1 ct", b="k3 ct", score=0.8, kind="cropped"),
        ]
    )
    assert found == [
        Pair(a="k1", b="k2", score=1.0, kind="same-pixels"),
        Pair(a="k1", b="k3", score=0.8, kind="cropped"),
    ]


def test_what_holds_no_pixels_has_no_descriptors(workspace):
    assert descriptors_of(workspace.store, workspace, silent) == {}
