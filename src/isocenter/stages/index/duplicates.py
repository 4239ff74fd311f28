"""Objects found twice: the same one (one copy is used), two that claim one name (none is), or the same pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from isocenter.base import tables
from isocenter.base.database import Database
from isocenter.base.digests import digest_of_file
from isocenter.base.files import located
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.stages.index.columns import Members
from isocenter.stages.index.twins import DUPLICATE_PIXELS, digest_of_pixels
from isocenter.stages.index.used import REFUSED, SERIES_KEY, used_images

COPY = "index/duplicate-object"
# So many files of names that occur twice are judged at once.
_AT_ONCE = 4096
# What objects of one name and equal pixels must share to be one: else the pixels mean something else.
_SAME_OBJECT = (
    "series_uid", "study_uid", "patient_id", "sop_class_uid", "transfer_syntax_uid", "frame_of_reference_uid",
    "modality", "rows", "columns", "frames", "samples", "photometric", "bits_allocated", "bits_stored",
    "pixel_representation", "pixel_spacing_mm", "orientation", "position_mm", "rescale_slope", "rescale_intercept",
    "rescale_type", "has_modality_lut", "pixel_padding", "pixel_padding_limit", "echo_time_ms", "b_value",
    "temporal_position", "acquisition_number", "pet_units",
)  # fmt: skip
_OBJECTS = f"""
    SELECT i.sop_instance_uid AS uid, i.file_id FROM instances i
    WHERE i.kind <> '{REFUSED}' AND i.sop_instance_uid <> ''
    UNION ALL
    SELECT a.sop_instance_uid AS uid, a.file_id FROM annotations a WHERE a.sop_instance_uid <> ''
"""
# hashes are grouped, not the UIDs: of ten million they fit in memory
_TWINS = f"""
    SELECT DISTINCT o.uid, o.file_id, f.source, f.path, f.content_digest
    FROM ({_OBJECTS}) AS o JOIN files f ON f.file_id = o.file_id
    WHERE hash(o.uid) IN (SELECT hash(uid) FROM ({_OBJECTS}) AS x GROUP BY hash(uid) HAVING count(*) > 1)
    ORDER BY o.uid, f.source, f.path
"""
# Series as one text: its parts hold no such character.
_SERIES = f"concat_ws(chr(31), i.site, i.format, {SERIES_KEY})"


class _Twin(NamedTuple):
    """One of several files that hold an object of the same name."""

    uid: str
    file_id: str
    source: int
    path: str
    content_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A file that must not be used, and whether that is because it is a copy."""

    file_id: str
    is_copy: bool


def find_duplicates(database: Database, roots: Sequence[Path]) -> Iterator[Issue]:
    """Issues on the files that must not be used; contents are read only where one UID occurs twice.

    Args:
        database: With the views files, instances and annotations.
        roots: Folder of each source.
    """
    rows = (_Twin(*row) for row in database.rows(_TWINS))
    twins = (list(found) for _, found in groupby(rows, key=lambda t: t.uid))
    for some in _together(t for t in twins if len(t) > 1):
        yield from _judge(database, some, roots)


def _together(twins: Iterable[list[_Twin]]) -> Iterator[list[list[_Twin]]]:
    """Files of many names at a time: a question goes through all instances, however few it is about."""
    pending: list[list[_Twin]] = []
    count = 0
    for found in twins:
        pending.append(found)
        count += len(found)
        if count >= _AT_ONCE:
            yield pending
            pending, count = [], 0
    if pending:
        yield pending


def _judge(database: Database, found: Sequence[list[_Twin]], roots: Sequence[Path]) -> Iterator[Issue]:
    contents = [_contents(twins, roots) for twins in found]
    known = _known(
        database, [t for twins, c in zip(found, contents, strict=True) if len(c) > 1 for t in twins]
    )
    for twins, each in zip(found, contents, strict=True):
        if len(each) == 1:
            for twin in twins[1:]:
                yield because(COPY, target=twin.file_id, measured=f"{len(twins)} copies", expected="1")
        elif each and _are_one_image([known.get(t.file_id) for t in twins], twins, roots):
            for twin in twins[1:]:
                yield because(
                    DUPLICATE_PIXELS,
                    target=twin.file_id,
                    measured=f"{len(twins)} files of one name",
                    expected="1",
                )
        else:
            measured = f"{len(each)} different contents" if each else "unreadable"
            for twin in twins:
                yield because(
                    "index/conflicting-object", target=twin.file_id, measured=measured, expected="1 content"
                )


def _contents(twins: Sequence[_Twin], roots: Sequence[Path]) -> set[str]:
    """The different contents that files have; none where one of them cannot be read."""
    try:
        return {t.content_digest or digest_of_file(located(roots[t.source], t.path)) for t in twins}
    except OSError:
        return set()


def _known(database: Database, twins: Sequence[_Twin]) -> dict[str, list[Any]]:
    """What the headers of images say that makes them one image or several, by file."""
    if not twins:
        return {}
    told = ", ".join(f'"{n}"' for n in _SAME_OBJECT)
    question = f"""
        SELECT file_id, pixel_offset, pixel_bytes, {told} FROM instances
        WHERE file_id IN (SELECT unnest(?::VARCHAR[])) AND kind = 'dicom-image'
    """
    return {f: rest for f, *rest in database.rows(question, [t.file_id for t in twins])}


def _are_one_image(known: Sequence[list[Any] | None], twins: Sequence[_Twin], roots: Sequence[Path]) -> bool:
    """Whether objects of one name differ in nothing that matters: not in pixels, place, scale or series."""
    told = [k for k in known if k is not None]
    if len(told) < len(twins) or len({repr(rest[2:]) for rest in told}) > 1:
        return False
    digests = {
        digest_of_pixels(located(roots[t.source], t.path), offset, length)
        for t, (offset, length, *_) in zip(twins, told, strict=True)
    }
    return len(digests) == 1 and "" not in digests


def drop(database: Database, issues: Sequence[Issue]) -> None:
    """Make the table of dropped files from the issues on them."""
    rows = [Dropped(file_id=i.target, is_copy=i.rule in {COPY, DUPLICATE_PIXELS}) for i in issues]
    database.put("dropped", tables.table_of_rows(Dropped, rows))


def shared_pixels() -> str:
    """A question for the pixels that occur more than once, and the first and last series that they occur in."""
    images = used_images(
        f"f.pixel_digest, i.rows AS height, i.columns AS width, {_SERIES} AS series",
        joined="JOIN files f ON f.file_id = i.file_id",
    )
    return f"""
        SELECT pixel_digest, height, width, min(series) AS lowest, max(series) AS highest
        FROM ({images}) AS images WHERE pixel_digest <> ''
        GROUP BY pixel_digest, height, width HAVING count(*) > 1
    """


def has_pixel_digests(database: Database) -> bool:
    """Whether pixels were compared at all."""
    return bool(next(database.rows("SELECT count(*) FROM files WHERE pixel_digest <> ''"))[0])


def same_pixels(
    members: Members, rows: Sequence[int], stack: str, key: tuple[str, str, str], names: Pseudonyms
) -> list[Issue]:
    """Whether the pixels of a stack's images occur under another UID as well, in this series or elsewhere."""
    lowest, highest = (members.other(n) for n in ("lowest", "highest"))
    own, shared = "\x1f".join(key), [n for n in rows if lowest[n] is not None]
    if not shared:
        return []
    others = sorted(
        {names.of("ser", *s.split("\x1f")) for n in shared for s in (lowest[n], highest[n]) if s != own}
    )
    where = f"also in {others[0]}" if others else "within the series"
    more = f" and {len(others) - 1} more series" if len(others) > 1 else ""
    measured = f"{len(shared)} of {len(rows)} images, {where}{more}"
    return [because("index/same-pixels", target=stack, measured=measured, expected="0 images")]
