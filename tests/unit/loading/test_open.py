import pytest

import isocenter
from isocenter.base.errors import StoreNotFound
from isocenter.loading.open import open as open_store


def test_a_store_or_the_workspace_around_it(store):
    assert len(open_store(store.path)) == 6
    assert len(open_store(store.path.parent, verify="read")) == 6
    assert len(isocenter.open(str(store.path), cache_bytes=0)) == 6


def test_nothing_there(tmp_path):
    with pytest.raises(StoreNotFound):
        open_store(tmp_path)
