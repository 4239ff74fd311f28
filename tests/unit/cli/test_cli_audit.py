"""`isocenter audit` on a table: lines, JSON, page and exit code."""

import json

import pytest

TABLE = "subject,partition,site,labels,digest\n" + "".join(
    f"s{n},{'test' if n % 5 == 0 else 'train'},c{n % 5},{'x' if n % 2 else ''},d{n}\n" for n in range(100)
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "split.csv"
    path.write_text(TABLE)
    return path


def leaking(path):
    path.write_text(TABLE + "s1,test,c0,,d1\n")
    return path


def test_a_clean_split_passes(say, table):
    said = say("audit", table)
    assert said.code == 0
    assert said.out.splitlines()[-1] == "passed"
    assert "table  test              20 subjects, 1 sites, 20 images" in said.out


def test_a_split_of_which_no_image_was_seen_does_not_just_pass(say, table):
    table.write_text("path,subject,partition\na.nii,p,train\nb.nii,q,test\n")
    said = say("audit", table)
    assert said.code == 0
    assert said.out.splitlines()[-1] == "passed by names alone: none of the images could be compared"


def test_a_leaking_split_fails_and_says_who_and_where(say, table):
    said = say("audit", leaking(table))
    assert said.code == 1
    assert "split/subject-in-two-partitions" in said.out
    assert "s1 in test and train" in said.out
    assert said.out.splitlines()[-1].startswith("FAILED")


def test_the_whole_is_one_json_document(say, table):
    said = say("audit", leaking(table), "--json")
    found = json.loads(said.out)
    assert said.code == 1
    assert found["passed"] is False
    assert {i["rule"] for i in found["issues"] if i["severity"] == "reject"} == {
        "split/same-pixels",
        "split/subject-in-two-partitions",
    }
    assert found["counts"][0] == {
        "split": "table", "partition": "test", "subjects": 21, "sites": 1, "images": 21, "left_out": 0,
    }  # fmt: skip


def test_a_page_is_written_that_tells_the_same(say, table, tmp_path):
    page = tmp_path / "audit.html"
    assert say("audit", leaking(table), "--report", page).code == 1
    text = page.read_text(encoding="utf-8")
    assert "Leak audit" in text
    assert "split/subject-in-two-partitions" in text
    assert "Provenance" not in text


def test_a_rule_is_left_out_with_a_reason_only(say, table):
    words = (
        "--ignore",
        "split/subject-in-two-partitions=s1 are twins",
        "--ignore",
        "split/same-pixels=phantoms",
    )
    assert say("audit", leaking(table), *words).code == 0
    assert say("audit", table, "--ignore", "split/same-pixels").code == 2
    assert say("audit", table, "--ignore", "split/same-pixls=x").code == 2


def test_claims_layouts_and_columns_are_flags(say, tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("nr\two\tsite\n1\ttrain\ta\n2\ttest\ta\n")
    columns = ("--columns", "{subject: nr, partition: wo}")
    assert say("audit", path, *columns).code == 0
    assert say("audit", path, *columns, "--independent").code == 1
    assert say("audit", path).code == 2
    assert say("audit", path, *columns, "--layout", "tables").code == 2
    assert say("audit", tmp_path / "nothing").code == 2


def test_many_issues_are_counted_not_printed(say, tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"a{n},train,d{n}\nb{n},test,d{n}\n" for n in range(9)]
    path.write_text("subject,partition,digest\n" + "".join(rows))
    said = say("audit", path)
    assert "split/same-pixels: 9 issues" in said.out
    assert "and 6 more: --json has all of them" in said.out


def test_a_foreign_augmentation_that_breaks_the_contract_fails_with_its_line(say, tmp_path):
    policy = tmp_path / "policy.py"
    policy.write_text("import torchio as tio\ntio.RandomNoise(std=0.005)\ntio.RandomAffine(scales=0.2)\n")
    said = say("audit", "--augmentation", str(policy))
    assert said.code == 1
    assert said.out.splitlines()[0].startswith("policy.py:3  reject  RandomAffine(scales)")
    told = json.loads(say("audit", "--augmentation", str(policy), "--json").out)
    assert (told["passed"], len(told["issues"])) == (False, 1)
    policy.write_text("import torchio as tio\ntio.RandomNoise(std=0.005)\n")
    said = say("audit", "--augmentation", str(policy))
    assert (said.code, said.out.splitlines()[-1]) == (0, "passed")


def test_a_foreign_augmentation_that_is_not_understood_has_not_passed(say, tmp_path):
    policy = tmp_path / "policy.py"
    policy.write_text("import torchio as tio\ntio.RandomNoise(**options)\ntio.RandomFlip()\n")
    said = say("audit", "--augmentation", str(policy))
    assert (said.code, said.out.splitlines()[-1]) == (1, "NOT PASSED: 1 not understood; 1 to be looked at")
    assert json.loads(say("audit", "--augmentation", str(policy), "--json").out)["passed"] is False
    policy.write_text("import torchio as tio\ntio.RandomNoise(**options)\ntio.RandomAffine()\n")
    said = say("audit", "--augmentation", str(policy))
    assert said.out.splitlines()[-1] == "FAILED: 1 breaks the contract of augmentation; 1 not understood"
    policy.write_text("import torchio as tio\ntio.RandomNoise(std=0.005)\ntio.RandomGamma()\n")
    said = say("audit", "--augmentation", str(policy))
    assert (said.code, said.out.splitlines()[-1]) == (0, "passed; 1 to be looked at")
