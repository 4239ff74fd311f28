"""Bare tables: columns, labels, names that are none, and one name at two sites."""

import pytest

import isocenter as iso
from isocenter.base.errors import ConfigError, RejectedError
from isocenter.pipeline.split_table import TableOptions, rows_of_table


@pytest.fixture
def table(tmp_path):
    def write(text, name="people.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_columns_are_found_by_their_names(table):
    path = table(
        "Patient ID,Image Index,Finding Labels,Institution\n7,a.png,Mass|Edema,x\n8,b.png,No Finding,y\n"
    )
    assert rows_of_table(path, TableOptions()) == [
        {"subject": "7", "site": "x", "case": "a.png", "partition": "", "labels": ["Mass", "Edema"]},
        {"subject": "8", "site": "y", "case": "b.png", "partition": "", "labels": []},
    ]


def test_columns_can_be_told(table):
    path = table("who\twhere\tmass\tgrade\n7\tx\t1\thigh\n8\ty\t0\t-1\n", "people.tsv")
    options = TableOptions(columns={"subject": "who", "site": "where"}, labels=("mass", "grade"))
    assert [r["labels"] for r in rows_of_table(path, options)] == [["mass", "high"], []]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("name,site\na,x\n", {}, "needs a column of subjects"),
        ("subject,site\n,x\n", {}, "row 2 of the table has no subject"),
        ("subject\na\n", {"labels": ("mas",)}, "no column 'mas'"),
        ("subject\na\n", {"columns": {"site": "centre"}}, "no column 'centre'"),
    ],
)
def test_what_cannot_be_read_is_told(table, text, options, said):
    with pytest.raises(ConfigError, match=said):
        rows_of_table(table(text), TableOptions(**options))


@pytest.mark.parametrize("name", ["ANONYMOUS", "test", "None", "???"])
def test_names_that_name_nobody_close_the_gate(table, name):
    path = table("subject,case\n" + "".join(f"p{n},{n}\n" for n in range(20)) + f"{name},98\n{name},99\n")
    with pytest.raises(RejectedError, match="2 rows name nobody"):
        iso.split(path)


def test_numbers_are_names(table):
    assert len(iso.split(table("subject\n" + "".join(f"{n}\n" for n in range(12)))).rows) == 12


def test_one_name_at_two_sites_is_two_people_until_a_table_says_otherwise(table):
    text = "subject,site\n" + "".join(f"{n:03},{site}\n" for n in range(30) for site in ("x", "y", "z"))
    path = table(text)
    done = iso.split(path)
    assert len(done.rows) == 90
    assert {r.subject for r in done.rows if r.subject.startswith("007")} == {"007@x", "007@y", "007@z"}
    assert done.certificate.groups == 90
    assert "split/one-name-at-two-sites" in {i.rule for i in done.issues}
    same = table("subject,alias\n007@x,007@y\n007@y,007@z\n", "same.csv")
    linked = iso.split(path, links=same)
    assert linked.certificate.groups == 88
    assert len({r.partition for r in linked.rows if r.subject.startswith("007")}) == 1


def test_who_was_placed_under_a_plain_name_keeps_it_when_a_namesake_comes(table):
    before = iso.split(table("subject,site\n" + "".join(f"{n:03},x\n" for n in range(30))))
    path = table("subject,site\n" + "".join(f"{n:03},{s}\n" for n in range(30) for s in "xy"), "more.csv")
    after = iso.split(path, previous=before)
    old = {r.subject: r.partition for r in before.rows}
    assert {r.subject: r.partition for r in after.rows if r.site == "x"} == old
    assert "007@y" in {r.subject for r in after.rows}


def test_all_cases_of_a_site_under_one_name_are_told(table):
    text = "subject,site,case\n" + "".join(f"p{n},x,{n}\n" for n in range(30))
    text += "".join(f"study42,y,k{n}\n" for n in range(12))
    assert "split/one-name-for-a-site" in {i.rule for i in iso.split(table(text)).issues}


@pytest.mark.parametrize("column", ["study_uid", "sha256", "family"])
def test_what_is_shared_keeps_together(table, column):
    rows = "".join(f"p{n},{'same' if n in (3, 17, 29) else n}\n" for n in range(40))
    options = {"groups": ["family"]} if column == "family" else {}
    for seed in range(6):
        done = iso.split(table(f"subject,{column}\n" + rows), seed=seed, **options)
        assert len({r.partition for r in done.rows if r.subject in ("p3", "p17", "p29")}) == 1
        assert done.certificate.groups == 38


def test_links_of_aliases_and_of_anything_else(table):
    path = table("subject\n" + "".join(f"p{n:02}\n" for n in range(40)))
    links = table("subject,alias,donor\np03,p17,\np17,p29,\np01,,d1\np02,,d1\nunknown,,d1\n", "links.csv")
    done = iso.split(path, links=links)
    groups = {r.group for r in done.rows}
    assert len(groups) == 37
    group = {r.subject: r.group for r in done.rows}
    assert group["p03"] == group["p17"] == group["p29"] != group["p01"] == group["p02"]
    with pytest.raises(ConfigError, match="no name in the column subject"):
        iso.split(path, links=table("subject,alias\nq1,q2\n", "wrong.csv"))
    with pytest.raises(ConfigError, match="needs the column subject and another one"):
        iso.split(path, links=table("subject\np01\n", "short.csv"))
    with pytest.raises(ConfigError, match="there is no file"):
        iso.split(path, links="nowhere.csv")


def test_time_decides(table):
    path = table(
        "subject,date\n" + "".join(f"p{n:02},2020-{1 + n % 12:02}-{1 + n // 12:02}\n" for n in range(60))
    )
    done = iso.split(path, strategy="temporal")
    last = {part: max(r.last for r in done.of(part)) for part in ("train", "val")}
    first = {part: min(r.first for r in done.of(part)) for part in ("val", "test")}
    assert last["train"] < first["val"]
    assert last["val"] < first["test"]
    assert [len(done.of(p)) for p in ("train", "val", "test")] == [42, 6, 12]
    with pytest.raises(ConfigError, match="not known when"):
        iso.split(table("subject\na\nb\n"), strategy="temporal")
