from isocenter.loading.framework import FRAMEWORKS


def test_frameworks_are_named_after_their_files():
    assert {"numpy", "torch"} <= set(FRAMEWORKS.names())
