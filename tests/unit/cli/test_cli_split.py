"""`isocenter split` of a bare table."""

import json

import pytest


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "people.csv"
    lines = [
        f"p{n:03},c{n % 11},{'mass|edema' if n % 4 == 0 else 'No Finding'},{'MF'[n % 2]}" for n in range(110)
    ]
    path.write_text("subject,site,labels,sex\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_table_is_divided_and_the_certificate_printed(say, table):
    said = say("split", str(table), "--strata", "sex", "--seed", "3")
    assert said.code == 0
    assert "Split default (site-holdout, seed 3)" in said.out
    assert (
        "Certificate: nobody, no group and no case in two partitions (110 subjects in 110 groups)" in said.out
    )
    assert "from centres that are nowhere else" in said.out
    document = json.loads(say("split", str(table), "--strata", "sex", "--seed", "3", "--json").out)
    assert document["certificate"]["subjects"] == 110
    assert {r["partition"] for r in document["rows"]} == {"train", "val", "test"}


def test_what_is_kept_is_kept_later(say, table, tmp_path):
    out = tmp_path / "out"
    assert say("split", str(table), "--out", str(out)).code == 0
    assert {p.name for p in out.iterdir()} == {"default.csv", "default.json", "splits_final.json"}
    first = json.loads((out / "default.json").read_text())["split"]["rows"]
    with table.open("a", encoding="utf-8") as file:
        file.writelines(f"q{n},c{n},mass,M\n" for n in range(12))
    document = json.loads(say("split", str(table), "--previous", str(out / "default.csv"), "--json").out)
    now = {r["subject"]: r["partition"] for r in document["rows"]}
    assert len(now) == 122
    assert all(now[r["subject"]] == r["partition"] for r in first)


def test_nested_folds_are_written_one_by_one(say, table, tmp_path):
    out = tmp_path / "out"
    words = ("--strategy", "nested-k-fold", "--folds", "3", "--inner-folds", "2", "--out", str(out))
    assert say("split", str(table), *words).code == 0
    assert {p.name for p in out.iterdir() if p.is_dir()} == {f"default-outer-{n}" for n in range(3)}


def test_names_that_are_none_close_the_gate(say, table):
    table.write_text(table.read_text() + "ANONYMOUS,c0,mass,M\n")
    said = say("split", str(table))
    assert said.code == 1
    assert "name nobody (ANONYMOUS)" in said.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--columns", "{site: nowhere}"), "no column 'nowhere'"),
        (("--strategy", "stratifed"), "did you mean"),
        (("--folds", "1"), "must be 2 or more"),
        (("--workspace", "w"), "are for a config"),
        (("--previous", "nothing.csv"), "there is no nothing.csv"),
    ],
)
def test_a_wrong_question_is_answered_with_2(say, table, words, hint):
    said = say("split", str(table), *words)
    assert said.code == 2
    assert hint in said.err


def test_flags_of_a_table_are_not_for_a_config(say):
    said = say("split", "cohort.yaml", "--negative", "No Finding")
    assert said.code == 2
    assert "for a CSV or TSV file" in said.err
