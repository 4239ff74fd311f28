"""What the report takes over from the index: nothing that a header holds in the place of a known term."""

from isocenter.base import tables
from isocenter.model.rows import ValueCount
from isocenter.report.facts import _values


def test_modalities_that_are_no_terms_are_counted_as_other(tmp_path):
    path = tmp_path / "values.parquet"
    rows = [("CT", 7), ("SECRETNAME", 2), ("DOE^JANE", 3), ("ct", 1)]
    told = [ValueCount(attribute="modality", value=v, count=n) for v, n in rows]
    told.append(ValueCount(attribute="kvp", value="120", count=9))
    tables.write(path, ValueCount, told)
    found = {(v.attribute, v.value): v.count for v in _values(path)}
    assert found == {("modality", "CT"): 7, ("modality", "other"): 6, ("kvp", "120"): 9}


def test_nothing_is_other_where_all_are_terms(tmp_path):
    path = tmp_path / "values.parquet"
    rows = [ValueCount(attribute="modality", value=v, count=1) for v in ("CT", "MR")]
    tables.write(path, ValueCount, rows)
    assert _values(path) == tuple(rows)
