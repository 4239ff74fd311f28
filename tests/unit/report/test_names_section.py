from isocenter.model.name_rows import NameRow
from isocenter.report.blocks import Fold, Prose, Table
from isocenter.report.facts import ReportFacts
from isocenter.report.sections import names


def row(name, label="", count=1, code="", form="rtstruct", source=0):
    return NameRow(source=source, format=form, name=name, code=code, label=label, count=count)


def test_names_of_no_label_come_first_and_the_most_frequent_of_them():
    rows = (
        row("GTV", "lesion", 7),
        row("fat", count=2),
        row("*", count=9, code="SCT:1"),
        row("fat", count=4, source=1),
    )
    text, loose, fold = names.render(ReportFacts(names=rows))
    assert isinstance(text, Prose)
    assert "2 of 3 names stand for no label" in text.text
    assert isinstance(loose, Table)
    assert [(str(r[0]), r[1], r[3]) for r in loose.rows] == [("*", "SCT:1", "9"), ("fat", "", "6")]
    assert isinstance(fold, Fold)
    [table] = fold.blocks
    assert table.rows == (("lesion", "GTV", "", "rtstruct", "7"),)


def test_all_names_may_stand_for_labels():
    text, fold = names.render(ReportFacts(names=(row("GTV", "lesion"),)))
    assert text.text.endswith("Every name that was met stands for a label.")
    assert isinstance(fold, Fold)


def test_a_long_list_is_cut_and_says_so():
    rows = tuple(row(f"name {n}", count=n) for n in range(1, 131))
    _, table = names.render(ReportFacts(names=rows))
    assert len(table.rows) == 100
    assert table.rows[0][0] == "name 130"
    assert "of 130 names" in table.caption
