"""Columns of one text; Arrow's memory is another only as long as an index is made."""

import pyarrow as pa
import pytest

from isocenter.base import arrow


def test_one_text_many_times():
    assert arrow.plain_values(arrow.repeated("a", 3)) == ["a", "a", "a"]
    assert arrow.plain_values(arrow.repeated("a", 0)) == []


def test_the_allocator_of_the_process_is_changed_for_a_while_only():
    before = pa.default_memory_pool().backend_name
    with arrow.kept_memory():
        assert pa.default_memory_pool().backend_name == "system"
        with arrow.kept_memory():
            pass
        assert pa.default_memory_pool().backend_name == "system"
        made = pa.array(range(1000))
    assert pa.default_memory_pool().backend_name == before
    assert made[999].as_py() == 999
    with pytest.raises(ValueError, match="lost"), arrow.kept_memory():
        raise ValueError("lost")
    assert pa.default_memory_pool().backend_name == before
