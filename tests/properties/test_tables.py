"""Tables: rows come back as they were, and the same rows are the same bytes."""

import enum
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.base import tables


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    name: str
    values: tuple[float, ...] = ()
    colour: Colour = Colour.RED


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    text: str
    number: int | None
    share: float | None
    is_set: bool
    data: bytes
    names: tuple[str, ...]
    inner: Inner
    inners: tuple[Inner, ...] = ()


TEXT = st.text(max_size=8)  # without lone surrogates, which no table can hold
WHOLE = st.integers(-(2**63), 2**63 - 1)
REAL = st.floats(allow_nan=False)
INNERS = st.builds(
    Inner, name=TEXT, values=st.lists(REAL, max_size=3).map(tuple), colour=st.sampled_from(Colour)
)
ROWS = st.lists(
    st.builds(
        Outer,
        text=TEXT,
        number=st.none() | WHOLE,
        share=st.none() | REAL,
        is_set=st.booleans(),
        data=st.binary(max_size=5),
        names=st.lists(TEXT, max_size=3).map(tuple),
        inner=INNERS,
        inners=st.lists(INNERS, max_size=2).map(tuple),
    ),
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_rows_come_back_as_they_were(rows):
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder) / "one.parquet", Path(folder) / "other.parquet"
        tables.write(one, Outer, rows)
        back = list(tables.read(one, Outer))
        assert back == rows
        assert all(isinstance(r.inner.colour, Colour) for r in back)
        assert tables.count(one) == len(rows)
        tables.write(other, Outer, iter(rows))
        assert one.read_bytes() == other.read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(codec=None, categories=["Cs", "Ll"])), max_size=4))
def test_text_that_no_encoding_allows_is_escaped_never_fatal(texts):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        tables.write(path, Inner, [Inner(name=t) for t in texts])
        found = [r.name for r in tables.read(path, Inner)]
        assert found == [t.encode("utf-8", "backslashreplace").decode() for t in texts]
        assert len(set(found)) == len(set(texts))
