"""Real tables of people: 267 subjects of 43 centres, and 30,805 patients with 14 labels."""

import gzip
import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import isocenter as iso
from isocenter.base.delimited import read_csv_rows
from isocenter.pipeline.split_files import read_exported, write_exports
from isocenter.pipeline.split_table import TableOptions

DATA = Path(os.environ.get("ISOCENTER_REAL_DATA", ""))
SPINE = DATA / "csv_multicentre_spine-generic/participants.tsv"
CHEST = DATA / "csv_labels_NIH_CXR14/Data_Entry_2017_v2020.csv.gz"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not os.environ.get("ISOCENTER_REAL_DATA") or not SPINE.is_file(), reason="no real data"
    ),
]

SPINE_TABLE = TableOptions(columns={"site": "institution_id"}, labels=("pathology",), negative=("HC",))


@pytest.fixture(scope="module")
def spine():
    return iso.split(SPINE, table=SPINE_TABLE, strata=["sex"])


@pytest.fixture(scope="module")
def chest():
    return iso.split(CHEST)


def raw(path, key):
    """The table by subject, read again."""
    _, rows = read_csv_rows(path)
    out = defaultdict(list)
    for row in rows:
        out[row[key]].append(row)
    return out


def test_a_fifth_of_the_test_subjects_come_from_centres_of_their_own(spine):
    people = raw(SPINE, "participant_id")
    assert (len(people), len({r[0]["institution_id"] for r in people.values()})) == (267, 43)
    place = {r.subject: r.partition for r in spine.rows}
    assert set(place) == set(people)
    centres = defaultdict(set)
    for subject, (row,) in people.items():
        centres[row["institution_id"]].add(place[subject])
    test = [s for s in people if place[s] == "test"]
    alone = [s for s in test if centres[people[s][0]["institution_id"]] == {"test"}]
    assert spine.strategy == "site-holdout"
    assert len(alone) >= 0.2 * len(test)
    assert {r.subject for r in spine.rows if r.is_external} == set(alone)
    assert Counter(place.values()) == {"train": 187, "val": 27, "test": 53}


def test_sexes_and_labels_are_as_frequent_in_every_part(spine):
    people = raw(SPINE, "participant_id")
    women = sum(r[0]["sex"] == "F" for r in people.values()) / 267
    for part in ("train", "val", "test"):
        inside = [people[r.subject][0]["sex"] for r in spine.of(part)]
        assert abs(inside.count("F") - women * len(inside)) <= 1
    assert spine.certificate.holds
    assert spine.certificate.optimum.is_best


def test_patients_with_many_images_and_labels_are_divided_as_evenly_as_whole_people_allow(chest):
    people = raw(CHEST, "Patient ID")
    place = {r.subject: r.partition for r in chest.rows}
    assert len(people) == 30805
    assert set(place) == set(people)
    assert sum(len(r.cases) for r in chest.rows) == sum(map(len, people.values())) == 112120
    labels = defaultdict(Counter)
    for subject, rows in people.items():
        for label in {x for r in rows for x in r["Finding Labels"].split("|")} - {"No Finding"}:
            labels[label][place[subject]] += 1
    assert len(labels) == 14
    for counts in labels.values():
        for part, fraction in (("train", 0.7), ("val", 0.1), ("test", 0.2)):
            assert abs(counts[part] - fraction * counts.total()) < 1
    assert chest.certificate.optimum.proof == "integers"


@pytest.mark.parametrize("path", [SPINE, CHEST], ids=["spine", "chest"])
def test_nobody_moves_when_a_tenth_of_the_subjects_come_later(path, tmp_path):
    key, table = ("participant_id", SPINE_TABLE) if path == SPINE else ("Patient ID", TableOptions())
    names = sorted(raw(path, key))
    later = set(names[::10])
    with (
        gzip.open(path, "rt", encoding="utf-8-sig") if path == CHEST else path.open(encoding="utf-8") as file
    ):
        text = file.read()
    header, *lines = text.splitlines()
    separator = "\t" if path == SPINE else ","
    column = header.split(separator).index(key)
    first = tmp_path / f"first{'.tsv' if path == SPINE else '.csv'}"
    kept = [line for line in lines if line.split(separator)[column] not in later]
    first.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    before = iso.split(first, table=table)
    write_exports(tmp_path / "out", before)
    for name in ("default.csv", "default.json"):
        after = iso.split(path, table=table, previous=read_exported(tmp_path / "out" / name))
        old = {r.subject: r.partition for r in before.rows}
        now = {r.subject: r.partition for r in after.rows}
        assert len(old) == len(names) - len(later)
        assert {s: p for s, p in now.items() if s in old} == old
        assert set(now) == set(names)
        sizes = Counter(now.values())
        assert all(
            abs(sizes[p] / len(now) - f) < 0.02 for p, f in (("train", 0.7), ("val", 0.1), ("test", 0.2))
        )


def test_folds_of_patients_are_alike(chest):
    done = iso.split(CHEST, strategy="k-fold", folds=5, fractions={"train": 1.0})
    sizes = Counter(r.partition for r in done.rows)
    assert sorted(sizes.values()) == [6161] * 5
    assert all(d.off < 1 for d in done.certificate.deviations)
