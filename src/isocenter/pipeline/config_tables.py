"""Guesses what a CSV table says: class labels, boxes or centres, about which subject, series or file."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from isocenter.base.documents import read_csv_rows
from isocenter.base.errors import FormatError
from isocenter.pipeline.config_survey import VOLUME_ENDINGS, Survey
from isocenter.pipeline.config_templates import groups_of

_IMAGE_ENDINGS = (*VOLUME_ENDINGS, ".dcm")
_MAX_ROWS = 20_000
_MAX_CLASSES = 40
_BLANKS = re.compile(r"[^a-z0-9]+")
_NOTHING = {"", "no finding", "normal", "none", "negative", "healthy", "no", "0", "n a", "nan"}
_LABEL = re.compile(r"(finding )?labels?|class( name)?|diagnosis|target|category|finding|pathology|disease")
_AXES = {
    "centres": {
        "x": r"(coord|centre|center|world)?_?x(_?mm)?",
        "y": r"(coord|centre|center|world)?_?y(_?mm)?",
        "z": r"(coord|centre|center|world)?_?z(_?mm)?",
        "diameter_mm": r".*diam.*",
    },
    "boxes": {f"{axis}{end}": rf"{axis}_?({word})(_?mm)?" for axis in "xyz" for end, word in ((0, "0|min|start|lo"), (1, "1|max|end|stop|hi"))},
}  # fmt: skip
_KEY_NAMES = (
    ("series", r".*series.*(uid|id).*|series"),
    ("study", r".*study.*(uid|id).*|study"),
    ("instance", r".*(sop|instance).*(uid|id).*|instance"),
    ("subject", r".*(patient|subject|participant|case).*|id"),
    ("path", r".*(file|image|path|scan|name).*"),
)


@dataclass(frozen=True, slots=True)
class TableGuess:
    """What a table seems to say.

    Args:
        path: The table.
        shape: "labels", "boxes" or "centres".
        key: Kind of its key, and `column`, the column that holds it.
        columns: Our names to its columns, besides the key.
        labels: Label to the names it goes by in the table.
        n_matched: How many of its rows name something that was seen in the folders.
    """

    path: Path
    shape: str
    key: str
    column: str
    columns: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    n_matched: int = 0


def guess_table(path: Path, surveys: list[Survey]) -> TableGuess | None:
    """What a table says, or None where it is no table of labels, boxes or centres."""
    try:
        header, rows = read_csv_rows(path)
        sample = list(islice(rows, _MAX_ROWS))
    except FormatError:
        return None
    if not sample:
        return None
    columns, shape = _axes(header)
    key, column, matched = _key(header, sample, surveys, set(columns.values()))
    if not column:
        return None
    rest = [c for c in header if c not in {column, *columns.values()}]
    named, labels = _classes(rest, sample)
    if shape and not labels:
        labels = {"finding": ""}
    if not labels:
        return None
    return TableGuess(path, shape or "labels", key, column, columns | named, labels, matched)


def plain(text: str) -> str:
    """A name as a key of a config: lower case, words joined by hyphens."""
    ascii_ = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _BLANKS.sub("-", ascii_.lower()).strip("-")


def _axes(header: tuple[str, ...]) -> tuple[dict[str, str], str]:
    """Columns of positions, and whether they are boxes or centres."""
    for shape, patterns in _AXES.items():
        found = {
            ours: next((c for c in header if re.fullmatch(pattern, c.strip().lower())), "")
            for ours, pattern in patterns.items()
        }
        if all(found.values()):
            return found, shape
    return {}, ""


def _key(
    header: tuple[str, ...], rows: list[dict[str, str]], surveys: list[Survey], taken: set[str]
) -> tuple[str, str, int]:
    """Kind of key, its column, and how many rows name something that was seen: by value, else by name."""
    known = _known_keys(surveys)
    best = ("", "", 0)
    for column in (c for c in header if c not in taken):
        values = Counter(r[column] for r in rows if r[column])
        for key, names in known.items():
            matched = sum(n for value, n in values.items() if value in names)
            if matched > best[2]:
                best = (key, column, matched)
    if best[2]:
        return best
    named = [
        (key, column, 0)
        for key, pattern in _KEY_NAMES
        for column in header
        if column not in taken and re.fullmatch(pattern, column.strip().lower())
    ]
    # A key that no two rows share says more than one that many do.
    return min(named, key=lambda k: len({r[k[1]] for r in rows}) < len(rows), default=best)


def _known_keys(surveys: list[Survey]) -> dict[str, set[str]]:
    """What could stand in a key column, by kind of key."""
    out: dict[str, set[str]] = {key: set() for key, _ in _KEY_NAMES}
    for instance in (s.instance for survey in surveys for s in survey.scans.values() if s.instance):
        out["series"].add(instance.series_uid or "")
        out["study"].add(instance.study_uid or "")
        out["instance"].add(instance.sop_instance_uid or "")
        out["subject"].add(instance.patient_id or "")
    for survey in surveys:
        out["subject"].update(*(group.subjects for group in groups_of(survey.volumes)))
        for path in survey.paths:
            name = path.rpartition("/")[2]
            stem, _, ending = name.partition(".")
            out["path"] |= {path, name, stem} if f".{ending}" in _IMAGE_ENDINGS else {path, name}
    return {key: names - {""} for key, names in out.items()}


def _classes(columns: list[str], rows: list[dict[str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Our names to columns, and the labels: one column of class names, or columns of 0 and 1."""
    for column in columns:
        if _LABEL.fullmatch(_BLANKS.sub(" ", column.lower()).strip()):
            names = Counter(n.strip() for r in rows for n in r[column].split("|"))
            found = {
                plain(n): n for n in sorted(names) if _BLANKS.sub(" ", n.lower()).strip() not in _NOTHING
            }
            found.pop("", None)
            if 0 < len(found) <= _MAX_CLASSES and not set(names) <= {"0", "1", ""}:
                return {"label": column}, found
    binary = [c for c in columns if {r[c] for r in rows} - {""} in ({"0", "1"}, {"0.0", "1.0"})]
    return {plain(c): c for c in binary[:_MAX_CLASSES]}, {plain(c): "" for c in binary[:_MAX_CLASSES]}
