"""Columns: the instances of a series as slices of sorted columns, without an object for each of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base import arrow, lean, tables
from isocenter.base.arrow import Coded
from isocenter.base.tables import Table

Rows = NDArray[np.intp]
Codes = NDArray[np.int32]

# Columns that are kept by their distinct values; most have one in a whole series.
_NAMES = (
    "source", "site", "format", "sop_class_uid", "series_uid", "study_uid", "frame_of_reference_uid",
    "transfer_syntax_uid", "patient_id", "patient_id_issuer", "patient_name", "birth_date", "identity_removed",
    "burned_in_annotation", "study_date", "modality", "image_type", "manufacturer", "model", "body_part",
    "convolution_kernel", "kvp", "echo_time_ms", "repetition_time_ms", "inversion_time_ms", "b_value",
    "contrast_agent", "field_strength_t", "acquisition_number", "temporal_position", "age", "sex", "weight_kg",
    "rows", "columns", "frames", "samples", "photometric", "bits_allocated", "bits_stored", "pixel_representation",
    "slice_thickness_mm", "gantry_tilt_deg", "rescale_slope", "rescale_intercept", "rescale_type", "has_modality_lut",
    "is_lossy", "has_pixels", "presentation_intent", "pet_units", "shape", "affine", "orientation_code",
    "affine_conflict_mm", "dtype", "unparsable", "overlong", "repeated", "lossy_ratio",
    "lossy_method", "pixel_spacing_mm", "orientation", "acquisition_time",
    "content_time", "trigger_time_ms", "gradient", "temporal_positions", "images_in_acquisition", "high_bit", "pixel_padding",
    "pixel_padding_limit", "pet",
)  # fmt: skip
_WIDTHS = {"pixel_spacing_mm": 2, "orientation": 6, "affine": 16, "gradient": 3}
_AT = {name: at for at, name in enumerate(_NAMES)}
# What else a table of instances must have.
_OTHERS = ("file_id", "sop_instance_uid", "instance_number", "position_mm", "pixel_offset", "pixel_bytes")
# Column of a table whose objects are frames: the number of the frame, empty for an object that is none.
FRAME = "frame"
# Values that say nothing.
NOTHING = (None, "", ())
# What is looked up for radiographs alone.
RADIOGRAPH_COLUMNS = (
    "imager_spacing_mm", "spacing_calibration", "magnification", "source_to_detector_mm", "source_to_patient_mm",
    "view_position", "view_code", "image_laterality", "laterality", "patient_orientation", "voi_centre", "voi_width",
    "voi_function", "has_voi_lut",
)  # fmt: skip
COLUMNS = (*_NAMES, *_OTHERS, *RADIOGRAPH_COLUMNS)


class Columns:
    """A table of instances, column by column; the rows of a series stand together, by UID and file id.

    Args:
        table: A table with `COLUMNS`, and any others that are asked for.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        marked, first = lean.one_valued(table), table.slice(0, 1)
        coded = [_coded(first if name in marked else table, name) for name in _NAMES]
        self.values: list[list[Any]] = [c.values for c in coded]
        # columns of several values: few, as a rule, and all others are one in every series
        self.varying = [at for at, values in enumerate(self.values) if len(values) > 1]
        self.varying_codes = np.zeros((len(self.varying), table.num_rows), np.int32)
        self.codes: list[Codes] = [np.zeros(table.num_rows, np.int32)] * len(_NAMES)
        for codes, at in zip(self.varying_codes, self.varying, strict=True):
            codes[:] = coded[at].codes
            self.codes[at] = codes
        # what all rows have, and None where they differ
        self.row = {n: v[0] if len(v) == 1 else None for n, v in zip(_NAMES, self.values, strict=True)}
        self.file_ids: list[str] = arrow.values(table, "file_id")
        self.uids: list[str | None] = arrow.values(table, "sop_instance_uid")
        self.instance_numbers = arrow.floats(table, "instance_number")
        self.numbers = np.nan_to_num(self.instance_numbers)
        self.positions_mm = arrow.vectors(table, "position_mm", 3)
        self._others: dict[str, list[Any]] = {}
        names = set(table.column_names)
        self.has_frames = FRAME in names
        self.has_keys = "series_key" in names
        # columns in which some row of the table says nothing
        nothing = frozenset[Any](NOTHING)
        self.lacking = frozenset(
            n for n, v in zip(_NAMES, self.values, strict=True) if not nothing.isdisjoint(v)
        )

    def other(self, name: str) -> list[Any]:
        """A column of the table that only some questions need."""
        if name not in self._others:
            self._others[name] = arrow.values(self._table, name)
        return self._others[name]


class Members:
    """The instances of one series: rows `start` to `stop` of a table; rows are counted from its first.

    Args:
        columns: The table.
        start: Its first row.
        stop: The row after its last.
    """

    def __init__(self, columns: Columns, start: int, stop: int) -> None:
        self.columns = columns
        self.start = start
        self.stop = stop
        varying = columns.varying_codes[:, start:stop]
        is_one = np.ones(len(_NAMES), np.bool_)
        is_one[columns.varying] = (varying == varying[:, :1]).all(axis=1)
        self._is_one: list[bool] = is_one.tolist()
        self.frames: list[int | None] | None = self.other(FRAME) if columns.has_frames else None

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def file_ids(self) -> list[str]:
        """File of each row."""
        return self.columns.file_ids[self.start : self.stop]

    @property
    def uids(self) -> list[str | None]:
        """SOP Instance UID of each row."""
        return self.columns.uids[self.start : self.stop]

    @property
    def paths(self) -> list[str]:
        """Path of each row's file."""
        return self.other("path")

    def other(self, name: str) -> list[Any]:
        """Each row's value in a column that only some questions need."""
        return self.columns.other(name)[self.start : self.stop]

    def other_at(self, name: str, row: int) -> Any:
        """One row's value in a column that only some questions need."""
        return self.columns.other(name)[self.start + row]

    @property
    def series_key(self) -> str:
        """What makes them one series, beside centre and format."""
        columns = self.columns
        key: str = (
            columns.other("series_key")[self.start]
            if columns.has_keys
            else self.value("series_uid") or columns.file_ids[self.start]
        )
        return key

    def frame(self, row: int) -> int | None:
        """Number of the frame that a row is, None where it is a whole object."""
        return None if self.frames is None else self.frames[row]

    @property
    def instance_numbers(self) -> NDArray[np.float64]:
        """Instance Number of each row, NaN where it has none, (N,)."""
        return self.columns.instance_numbers[self.start : self.stop]

    @property
    def numbers(self) -> NDArray[np.float64]:
        """Instance Number of each row, 0 where it has none, (N,)."""
        return self.columns.numbers[self.start : self.stop]

    @property
    def positions_mm(self) -> NDArray[np.float64]:
        """Position of each row, NaN where it has none, (N, 3)."""
        return self.columns.positions_mm[self.start : self.stop]

    def row(self, at: int) -> dict[str, Any]:
        """All that is coded of one row, by name."""
        columns = self.columns
        codes = columns.varying_codes[:, self.start + at].tolist()
        own = {_NAMES[n]: columns.values[n][c] for n, c in zip(columns.varying, codes, strict=True)}
        return columns.row | own

    def value(self, name: str, at: int = 0) -> Any:
        """One value of one row."""
        column = _AT[name]
        values = self.columns.values[column]
        return values[0] if len(values) == 1 else values[self.columns.codes[column][self.start + at]]

    def is_one(self, name: str) -> bool:
        """Whether all rows have the same value."""
        return self._is_one[_AT[name]]

    def codes(self, name: str) -> Codes:
        """Codes of a column, (N,): equal where its values are."""
        return self.columns.codes[_AT[name]][self.start : self.stop]

    def values(self, name: str) -> list[Any]:
        """The values that the codes of a column stand for."""
        return self.columns.values[_AT[name]]

    def ranked(self, names: Sequence[str], rows: Rows) -> NDArray[np.int64]:
        """Numbers, (N,), of the values of some columns together: 0 for the lowest that occur in some rows."""
        out = np.zeros(len(rows), np.int64)
        for name in names:
            if self.is_one(name):
                continue
            found, inverse = np.unique(self.codes(name)[rows], return_inverse=True)
            values = self.values(name)
            order = sorted(range(len(found)), key=lambda n: _ordered(values[found[n]]))
            rank = np.empty(len(found), np.int64)
            rank[order] = np.arange(len(found))
            out = np.unique(out * len(found) + rank[inverse], return_inverse=True)[1]
        return out

    def distinct(self, name: str, rows: Rows | None = None) -> list[Any]:
        """The values that some rows have, each once; of all rows unless said otherwise."""
        if self.is_one(name):
            return [self.value(name)]
        values, codes = self.values(name), self.codes(name) if rows is None else self.codes(name)[rows]
        return [values[c] for c in np.unique(codes).tolist()]

    def recoded(self, name: str, function: Callable[[Any], Hashable]) -> Codes:
        """Codes, (N,), of what a function makes of the values."""
        found, inverse = np.unique(self.codes(name), return_inverse=True)
        values, known = self.columns.values[_AT[name]], dict[Hashable, int]()
        codes = [known.setdefault(function(values[c]), len(known)) for c in found.tolist()]
        return np.array(codes, dtype=np.int32)[inverse]

    def tested(self, name: str, test: Callable[[Any], bool]) -> NDArray[np.bool_]:
        """Whether each row's value passes a test, (N,)."""
        found, inverse = np.unique(self.codes(name), return_inverse=True)
        values = self.columns.values[_AT[name]]
        return np.array([test(values[c]) for c in found.tolist()], dtype=np.bool_)[inverse]

    def together(self, names: Iterable[str]) -> list[tuple[Any, ...]]:
        """The combinations of values that occur in some columns, each once."""
        names = list(names)
        varying = [n for n in names if not self.is_one(n)]
        if not varying:
            return [tuple(self.value(n) for n in names)]
        found = np.unique(np.stack([self.codes(n) for n in varying]), axis=1).T.tolist()
        shared = {n: self.value(n) for n in names}
        own = [{n: self.values(n)[c] for n, c in zip(varying, each, strict=True)} for each in found]
        return [tuple((shared | each).values()) for each in own]


def _ordered(value: Any) -> tuple[bool, Any]:
    """What values are sorted by: nothing comes first."""
    return (value is not None, 0 if value is None else value)


def split_rows(rows: Rows, columns: Sequence[Codes]) -> list[Rows]:
    """Rows that agree in some columns, in the order in which their groups first occur."""
    groups = np.zeros(len(rows), dtype=np.int64)
    for codes in columns:
        own = codes[rows].astype(np.int64)
        groups = np.unique(groups * (int(own.max()) + 1) + own, return_inverse=True)[1]
    by_group = np.argsort(groups, kind="stable")
    parts = np.split(rows[by_group], np.flatnonzero(np.diff(groups[by_group])) + 1)
    starts = np.unique(groups, return_index=True)[1]
    return [parts[n] for n in np.argsort(starts)]


def series_in(answer: Iterable[Table]) -> Iterator[Members]:
    """The series of an answer that has the column `series_key` and is sorted by site, format and it."""
    pending: list[Table] = []
    key: tuple[Any, ...] | None = None
    for table in answer:
        starts, stop = _starts(table)
        if pending:
            end = starts[1] if len(starts) > 1 else stop
            if _key(table, 0) == key:
                pending.append(_part(table, 0, end))
                starts = starts[1:]
            if starts:
                yield _joined(pending)
                pending = []
        if starts:
            columns = Columns(table)
            yield from (Members(columns, *edges) for edges in pairwise(starts))
            pending = [_part(table, starts[-1], stop)]
            key = _key(table, stop - 1)
    if pending:
        yield _joined(pending)


def _joined(parts: list[Table]) -> Members:
    # what is one value in each of them need not be one in all
    columns = Columns(tables.joined([lean.plain(p) for p in parts]))
    return Members(columns, 0, len(columns.file_ids))


def _part(table: Table, start: int, stop: int) -> Table:
    return tables.taken(table, np.arange(start, stop))


def _starts(table: Table) -> tuple[list[int], int]:
    """Where the series of a table begin, and how many rows it has."""
    codes = np.stack([arrow.coded(table, n).codes for n in ("site", "format", "series_key")])
    changes = np.flatnonzero((codes[:, 1:] != codes[:, :-1]).any(axis=0)) + 1
    return [0, *changes.tolist()], codes.shape[1]


def _key(table: Table, row: int) -> tuple[Any, ...]:
    one = _part(table, row, row + 1)
    return tuple(arrow.values(one, n)[0] for n in ("site", "format", "series_key"))


def _coded(table: Table, name: str) -> Coded:
    width = _WIDTHS.get(name)
    return arrow.coded(table, name) if width is None else _coded_vectors(arrow.vectors(table, name, width))


def _coded_vectors(vectors: NDArray[np.float64]) -> Coded:
    """Vectors (N, width) by their distinct values, bit by bit: neighbours are mostly equal, so runs are looked up."""
    bits = np.ascontiguousarray(vectors).view(np.int64)
    starts = np.flatnonzero(np.append(True, (bits[1:] != bits[:-1]).any(axis=1)))
    known: dict[tuple[int, ...], int] = {}
    codes = [known.setdefault(tuple(b), len(known)) for b in bits[starts].tolist()]
    values = np.array(list(known), dtype=np.int64).view(np.float64).tolist()
    lengths = np.diff(np.append(starts, len(vectors)))
    return Coded(
        np.repeat(np.array(codes, dtype=np.int32), lengths),
        [() if np.isnan(v).all() else tuple(v) for v in values],
    )
