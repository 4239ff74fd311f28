import json

import pytest

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.fitted import (
    Fitted,
    FittedChannel,
    digest_of_cases,
    fitted_names,
    name_of,
    read_fitted,
    write_fitted,
)
from isocenter.stores.manifest import read_manifest
from isocenter.stores.verification import verify
from tests.contracts.packed import build, make_case

CHANNEL = FittedChannel(
    cases=2,
    count=30,
    mean=1.5,
    std=0.25,
    low=-1.0,
    high=4.0,
    error=0.0,
    standard=(0.0, 40.0, 100.0),
    without_scale=0,
    units=("stored",),
    foregrounds=("mean",),
)


def some(fold: int | None = None) -> Fitted:
    digest = digest_of_cases([("b", "2"), ("a", "1")])
    return Fitted(split="default", fold=fold, cases=2, digest=digest, channels={"mr": CHANNEL})


def test_what_is_written_comes_back_and_is_the_same_bytes(tmp_path):
    for fold in (None, 3):
        assert read_fitted(tmp_path, "default", fold) is None
        write_fitted(tmp_path, some(fold))
        first = (tmp_path / name_of("default", fold)).read_bytes()
        write_fitted(tmp_path, some(fold))
        assert (tmp_path / name_of("default", fold)).read_bytes() == first
        assert read_fitted(tmp_path, "default", fold) == some(fold)
    assert sorted(p.name for p in (tmp_path / "fitted").iterdir()) == ["default.fold-3.json", "default.json"]


def test_a_changed_file_is_a_problem_of_the_store(tmp_path):
    root = build(tmp_path / "s", [make_case(n) for n in range(4)])
    for fold in (None, 0):
        write_fitted(root, some(fold))
    assert fitted_names(root) == (("default", 0), ("default", None))
    assert verify(root, read_manifest(root)) == []
    for fold in (None, 0):
        path = root / name_of("default", fold)
        path.write_text(path.read_text().replace("1.5", "1.6"))
    problems = verify(root, read_manifest(root))
    assert [p.shard for p in problems] == ["fitted/default.fold-0.json", "fitted/default.json"]
    assert {p.what.partition(" ")[2] for p in problems} == {"is not what was written"}


def test_a_list_of_cases_has_one_digest_in_any_order():
    assert digest_of_cases([("a", "1"), ("b", "2")]) == digest_of_cases([("b", "2"), ("a", "1")])
    assert digest_of_cases([("a", "1")]) != digest_of_cases([("a", "2")])


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["fitted"]["channels"]["mr"].update(mean=2.0),
        lambda d: d["fitted"].update(split="other"),
        lambda d: d.pop("seal"),
        lambda d: d["fitted"].pop("cases"),
    ],
)
def test_a_changed_file_is_refused(tmp_path, change):
    write_fitted(tmp_path, some())
    path = tmp_path / name_of("default", None)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(StoreCorrupt, match=r"fitted/default\.json"):
        read_fitted(tmp_path, "default", None)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"fitted": [], "seal": ""}'])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    write_fitted(tmp_path, some())
    (tmp_path / name_of("default", None)).write_text(text)
    with pytest.raises(StoreCorrupt):
        read_fitted(tmp_path, "default", None)
