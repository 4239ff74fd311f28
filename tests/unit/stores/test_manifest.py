import json
from dataclasses import replace

import pytest

from isocenter.base.digests import digest_of
from isocenter.base.errors import StoreCorrupt, StoreError, StoreNotFound
from isocenter.stages.build.options import Standardise
from isocenter.stores.manifest import read_manifest, unseal, write_manifest
from tests.contracts.packed import build, make_case


def test_it_comes_back_typed(store_root):
    manifest = read_manifest(store_root)
    write_manifest(store_root, manifest)
    assert read_manifest(store_root) == manifest
    assert manifest.task.labels["tumour"].aliases == ("gtv*",)
    assert manifest.windows["ct"][0].width == 1500.0
    assert manifest.hu_range == (-1024, 3071)
    said = Standardise(spacing=(2.0, 0.6, 0.6), hu_range=None, antialias=False).conventions()
    write_manifest(store_root, replace(manifest, standardise=said))
    assert read_manifest(store_root).standardise == said
    assert [f.name for f in manifest.files] == ["cases.parquet", "shards/00000.h5", "shards/00001.h5"]


def test_a_changed_value_breaks_the_seal(store_root):
    path = store_root / "manifest.json"
    path.write_text(path.read_text().replace('"cohort"', '"another"'))
    with pytest.raises(StoreCorrupt, match="not what was sealed"):
        read_manifest(store_root)
    assert read_manifest(store_root, verify=False).name == "another"


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"manifest": {}, "seal": ""}', "\x00"])
def test_what_is_no_manifest_is_corrupt(store_root, text):
    (store_root / "manifest.json").write_text(text)
    with pytest.raises(StoreCorrupt):
        read_manifest(store_root)


def test_wrong_types_are_corrupt_even_without_a_seal(store_root):
    path = store_root / "manifest.json"
    document = json.loads(path.read_text())
    for key, value in {"shards": "2", "files": 3, "task": {"task": "cooking"}, "extra": 1}.items():
        changed = {**document, "manifest": {**document["manifest"], key: value}}
        path.write_text(json.dumps(changed))
        with pytest.raises(StoreCorrupt):
            read_manifest(store_root, verify=False)


def test_a_file_outside_the_store_is_refused(store_root):
    manifest = read_manifest(store_root)
    outside = replace(manifest.files[1], name="../../etc/passwd")
    write_manifest(store_root, replace(manifest, files=(outside,)))
    with pytest.raises(StoreCorrupt, match="no file of a store"):
        read_manifest(store_root)


def test_another_layout_is_named(store_root):
    write_manifest(store_root, replace(read_manifest(store_root), layout=99))
    with pytest.raises(StoreError, match="layout 99"):
        read_manifest(store_root)


def test_an_unsealed_store_is_not_found(store_root):
    unseal(store_root)
    unseal(store_root)
    with pytest.raises(StoreNotFound, match="interrupted"):
        read_manifest(store_root)


def test_channels_keep_the_order_of_the_config(tmp_path):
    """Sorted by name they would be ct, mr, pet; images of cases have them as they were named."""
    root = build(tmp_path / "s", [make_case(0, channels=("pet", "ct", "mr"))], shards=1)
    manifest = read_manifest(root)
    assert manifest.channel_order == tuple(manifest.task.channels) == ("pet", "ct", "mr")
    write_manifest(root, manifest)
    assert tuple(read_manifest(root).task.channels) == ("pet", "ct", "mr")


def rewritten(root, change):
    document = json.loads((root / "manifest.json").read_text())
    change(document["manifest"])
    (root / "manifest.json").write_text(
        json.dumps({**document, "seal": digest_of(document["manifest"])}, sort_keys=True)
    )


def test_a_manifest_that_names_no_order_has_that_of_the_names(tmp_path):
    root = build(tmp_path / "s", [make_case(0, channels=("pet", "ct"))], shards=1)
    rewritten(root, lambda plain: plain.pop("channel_order"))
    assert tuple(read_manifest(root).task.channels) == ("ct", "pet")


@pytest.mark.parametrize("order", [["ct"], ["ct", "pet", "pet"], ["ct", "mr"], 3, [1, 2]])
def test_an_order_of_other_channels_is_corrupt(tmp_path, order):
    root = build(tmp_path / "s", [make_case(0, channels=("pet", "ct"))], shards=1)
    rewritten(root, lambda plain: plain.update(channel_order=order))
    with pytest.raises(StoreCorrupt, match="cannot be understood"):
        read_manifest(root)
