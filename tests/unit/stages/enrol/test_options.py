import pytest

from isocenter.stages.enrol.options import StoreOptions


@pytest.mark.parametrize("sizes", [(1, 2), (0, 1, 1), (1, 1, 1, 1)])
@pytest.mark.parametrize("name", ["chunk", "patch"])
def test_chunk_and_patch_are_three_sizes(name, sizes):
    with pytest.raises(ValueError, match=f"{name} needs three sizes"):
        StoreOptions(**{name: sizes})
    assert StoreOptions(**{name: (1, 2, 3)}) != StoreOptions()
