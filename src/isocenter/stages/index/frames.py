"""Frames: an object whose frames have places of their own is taken as those frames, one row for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from isocenter.base import arrow, tables
from isocenter.base.database import Database
from isocenter.stages.index.columns import FRAME
from isocenter.stages.index.geometry import PROJECTIONS
from isocenter.stages.index.used import quoted

# Rows of a table that objects with thousands of frames are made into.
_ROWS = 65_536
# A dose grid or a segmentation is no image; projections are images of their own.
_NO_SLICES = quoted({*PROJECTIONS, "RTDOSE", "SEG"})
_TUPLES = ("position_mm", "orientation", "pixel_spacing_mm", "image_type", "gradient")
_VALUES = (
    "slice_thickness_mm", "rescale_slope", "rescale_intercept", "rescale_type", "temporal_position", "acquisition_time",
    "acquisition_number", "trigger_time_ms", "echo_time_ms", "repetition_time_ms", "inversion_time_ms", "b_value",
    "convolution_kernel", "kvp",
)  # fmt: skip
_JOINED = f"""
    given g LEFT JOIN frames f ON f.file_id = g.file_id AND coalesce(g.modality, '') NOT IN ({_NO_SLICES})
"""
# A frame's own value goes before that of its object; a tile has the size of its window.
_OWN = ", ".join(
    [
        *(f"CASE WHEN len(f.{n}) > 0 THEN f.{n} ELSE g.{n} END AS {n}" for n in _TUPLES),
        *(f"coalesce(f.{n}, g.{n}) AS {n}" for n in _VALUES),
        *(
            f'CASE WHEN len(f."window") = 4 THEN f."window"[{at}] ELSE g."{n}" END AS "{n}"'
            for at, n in ((3, "rows"), (4, "columns"))
        ),
        "list_sort(list_distinct(list_concat(g.unparsable, coalesce(f.unparsable, [])))) AS unparsable",
    ]
)
_EXPLODED = f"""
    SELECT g.* REPLACE ({_OWN}), f.frame AS {FRAME} FROM {_JOINED}
    ORDER BY g.site, g.format, g.series_key, coalesce(g.sop_instance_uid, ''), g.file_id, f.frame
"""


def with_frames(database: Database, answer: Iterable[tables.Table]) -> Iterator[tables.Table]:
    """Tables of instances with a row for each frame of those that have any, in the same order.

    Args:
        database: With the view frames.
        answer: Instances with the column `series_key`, sorted by site, format, it, UID and file.
    """
    if not next(database.rows("SELECT count(*) FROM (SELECT 1 FROM frames LIMIT 1)"))[0]:
        yield from answer
        return
    for table in answer:
        database.put("given", table)
        counts = Counter(dict(database.rows(f"SELECT g.file_id, count(f.frame) FROM {_JOINED} GROUP BY ALL")))
        for part in _cut(table, counts):
            if part is not table:
                database.put("given", part)
            yield tables.joined(list(database.tables(_EXPLODED, size=_ROWS)))


def _cut(table: tables.Table, counts: Counter[str]) -> Iterator[tables.Table]:
    """Parts of a table that make a bounded number of rows each, but for a single object."""
    sizes = [max(1, counts[f]) for f in arrow.values(table, "file_id")]
    pieces = np.cumsum(sizes) // _ROWS
    if pieces[-1] == pieces[0]:
        yield table
        return
    for rows in np.split(np.arange(len(sizes)), np.flatnonzero(np.diff(pieces)) + 1):
        yield tables.taken(table, rows)
