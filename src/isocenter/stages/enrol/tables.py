"""Tables: class labels, boxes, and centres with diameters, joined to the images they speak of."""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from isocenter.base.delimited import read_csv_rows
from isocenter.base.errors import ConfigError, FormatError
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import PlannedAnnotation
from isocenter.model.vocabulary import Vocabulary, scrub
from isocenter.stages.enrol.candidates import NO_SETS, side_of
from isocenter.stages.enrol.inputs import Inputs
from isocenter.stages.enrol.naming import MAX_NAME, Met
from isocenter.stages.enrol.options import AnnotationSource, TableShape

_POSITIVE = {"1", "1.0", "true", "yes", "y", "positive", "+"}
_NEGATIVE = {"0", "0.0", "false", "no", "n", "negative", "-"}
# Words for what is not known; anything else is told.
_UNKNOWN = {"", "?", "na", "n/a", "nan", "unknown"}
# States from the least to the most telling.
_WEIGHT = ("not_annotated", "absent", "marked")
_CORNERS = ("x0", "y0", "z0", "x1", "y1", "z1")
_CENTRE = ("x", "y", "z", "diameter_mm")


@dataclass(slots=True)
class _Marks:
    """What one rater's rows of a table say of one image: states by label and slice ("": the whole image), and boxes."""

    labels: dict[tuple[str, str], str] = field(default_factory=dict)
    boxes: list[tuple[str, tuple[float, ...]]] = field(default_factory=list)


@dataclass(slots=True)
class TableLink:
    """What came of one table: annotations with the stack they are on, issues, and how many rows were of use."""

    annotations: list[PlannedAnnotation] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    rows: int = 0
    used: int = 0
    met: Met = field(default_factory=Counter)


def link_table(
    source: AnnotationSource,
    number: int,
    inputs: Inputs,
    eligible: Iterable[str],
    vocabulary: Vocabulary,
    labels: Mapping[str, object],
    names: Pseudonyms,
    speakers: Mapping[str, str] = NO_SETS,
) -> TableLink:
    """Read a table once and join its rows to stacks that are in a case.

    Args:
        source: What the config says of the table.
        number: Its number in the config.
        inputs: The tables of index and screen.
        eligible: Stacks that it may speak of.
        vocabulary: The labels.
        labels: Their names.
        names: The workspace's pseudonyms.
        speakers: Of the volumes of one set in one case, the one that rows on the set go to.

    Raises:
        ConfigError: the table lacks a column that the config names.
    """
    try:
        out = TableLink()
        header, rows = read_csv_rows(inputs.base / source.path)
        _check_columns(source, number, header, labels)
        marks: dict[tuple[str, str], _Marks] = {}
        keys = _Keys(source, inputs, set(eligible), names, speakers)
        unmapped: set[str] = set()
        unread: Counter[str] = Counter()
        for row in rows:
            out.rows += 1
            found_stacks = keys(row)
            if found_stacks:
                unread.update(_unread(row, source, labels))
            for stack in found_stacks:
                out.used += 1
                rater = row.get(source.columns.get("rater", ""), "") or source.rater
                found = marks.setdefault((stack, rater), _Marks())
                strange = _mark(found, row, source, vocabulary, labels, where=keys.slice_of(row, stack))
                known = keys.identifiers(row, stack) if strange else set()
                unmapped |= {scrub(n, known) for n in strange}
            if found_stacks:
                for name, label in _names_in(row, source, vocabulary):
                    text = scrub(name, keys.identifiers(row, found_stacks[0]))[:MAX_NAME]
                    out.met[number, "table", text, "", label] += 1
    except FormatError as error:
        where = f" (row {out.rows} of the table)" if out.rows else ""
        raise ConfigError(f"annotations[{number}].path: {error}{where}") from None
    target = names.of("tab", number)
    out.issues += [because("enrol/unmapped-label", target=target, measured=n[:64]) for n in sorted(unmapped)]
    out.issues += [
        because("enrol/unknown-value", target=target, measured=f"{count} fields of {name}")
        for name, count in sorted(unread.items())
    ]
    if out.rows > out.used:
        missing = f"{out.rows - out.used} of {out.rows} rows"
        out.issues.append(because("enrol/no-image", target=target, measured=missing))
    for (stack, rater), found in sorted(marks.items()):
        searched = (source.label,) if source.label else tuple(labels)
        out.annotations.append(_planned(source, number, stack, rater, found, names, searched))
    return out


def _check_columns(
    source: AnnotationSource, number: int, header: tuple[str, ...], labels: Mapping[str, object]
) -> None:
    needed = {"key": source.columns.get("key", "")}
    if source.shape is TableShape.LABELS:
        per_label = [source.columns[n] for n in labels if n in source.columns]
        needed |= {"label": source.columns.get("label", "")} if not per_label else {n: n for n in per_label}
    else:
        parts = _CORNERS if source.shape is TableShape.BOXES else _CENTRE
        needed |= {p: source.columns.get(p, p) for p in parts}
    needed |= {n: source.columns[n] for n in ("site", "side", "rater") if n in source.columns}
    for ours, theirs in needed.items():
        if theirs not in header:
            raise ConfigError(
                f"annotations[{number}].columns.{ours}: no column {theirs!r} in {Path(source.path).name}"
                f"{_meant(theirs, header)}"
            )


def _meant(column: str, header: tuple[str, ...]) -> str:
    """A near name of a column; no other is shown, for without a header line they are a patient's row."""
    alike = {_letters(n): n for n in header}
    close = difflib.get_close_matches(_letters(column), [n for n in alike if n.isalpha()], n=1, cutoff=0.8)
    meant = alike.get(_letters(column)) or (alike[close[0]] if close else "")
    return f"; did you mean {meant!r}?" if meant else ""


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


class _Keys:
    """From a table row to the stacks it speaks of."""

    def __init__(
        self,
        source: AnnotationSource,
        inputs: Inputs,
        eligible: set[str],
        names: Pseudonyms,
        speakers: Mapping[str, str],
    ) -> None:
        self._speakers = speakers
        self._column = source.columns["key"]
        self._site = source.columns.get("site", "")
        self._side = source.columns.get("side", "")
        self._eligible = eligible
        self._names = names
        self._inputs = inputs
        self._is_subject = source.key == "subject"
        self._is_path = source.key == "path"
        self._is_instance = source.key == "instance"
        self._stacks = {
            "subject": inputs.stacks_of_subject,
            "series": inputs.stacks_of_series,
            "study": inputs.stacks_of_study,
            "instance": inputs.stacks_of_instance,
            "path": inputs.stacks_of_path,
        }[source.key]
        self._sites = sorted({s.site for s in inputs.stacks.values()})
        self._issuers = sorted({r.patient_id_issuer or "" for r in inputs.instances.values()} | {""})

    def __call__(self, row: Mapping[str, str]) -> list[str]:
        found = self._stacks_of(row)
        if not self._side:
            return found
        side = row[self._side].strip().upper()[:1]
        return [s for s in found if side and side_of(self._inputs.stacks[s]) in {side, "B"}]

    def slice_of(self, row: Mapping[str, str], stack: str) -> str:
        """The slice that a row speaks of by its object; "" where it speaks of the whole image."""
        if not self._is_instance or self._inputs.stacks[stack].shape[0] == 1:
            return ""
        name = self._names.of("sop", row[self._column].strip())
        return name if self._inputs.stacks[stack].instances.count(name) == 1 else ""

    def _stacks_of(self, row: Mapping[str, str]) -> list[str]:
        key = row[self._column].strip()
        site = row[self._site].strip() if self._site else ""
        if not self._is_subject:
            found = [s for s in self._stacks.get(key, ()) if s in self._eligible]
            found = [s for s in found if not site or self._inputs.stacks[s].site == site]
            found = list(dict.fromkeys(self._speakers.get(s, s) for s in found))
            return [] if self._is_path and len(found) > 1 else found  # two files of one name: which is meant?
        sites = [site] if self._site else self._sites
        people = [self._names.of("sub", issuer, key, site) for issuer in self._issuers for site in sites]
        known = [p for p in people if p in self._stacks]
        if len(known) > 1:  # one ID at two centres is two people: the table must say which
            return []
        return [s for p in known for s in self._stacks[p] if s in self._eligible]

    def identifiers(self, row: Mapping[str, str], stack: str) -> set[str]:
        """What the person of a row goes by."""
        known = self._inputs.identifiers.get(self._inputs.stacks[stack].subject, set())
        return known | {row[self._column]} if self._is_subject else known


def _mark(
    found: _Marks,
    row: Mapping[str, str],
    source: AnnotationSource,
    vocabulary: Vocabulary,
    labels: Mapping[str, object],
    *,
    where: str = "",
) -> list[str]:
    """Take in what a row says; returns the names in it that stand for no label."""
    if source.shape is TableShape.LABELS:
        states, strange = _labels_of(row, source, vocabulary, labels)
        for name, state in states.items():
            # several rows of one image: what one of them marks is there, whatever the others leave out
            before = found.labels.get((name, where), state)
            found.labels[name, where] = max(before, state, key=_WEIGHT.index)
        return strange
    parts = _CORNERS if source.shape is TableShape.BOXES else _CENTRE
    if not any(row[source.columns.get(p, p)].strip() for p in parts):
        return []  # a row without coordinates: somebody looked and found nothing
    text = source.label or row.get(source.columns.get("label", ""), "")
    label = vocabulary.label_of(text) if text else (next(iter(labels)) if len(labels) == 1 else None)
    if label is None:
        return [text]
    found.boxes.append((label, _box_of(row, source)))
    return []


def _names_in(
    row: Mapping[str, str], source: AnnotationSource, vocabulary: Vocabulary
) -> list[tuple[str, str]]:
    """Names in a row's column of labels, and what they stand for; "" where that is no label."""
    text = "" if source.label else row.get(source.columns.get("label", ""), "")
    is_several = source.shape is TableShape.LABELS
    names = [n.strip() for n in (text.split(source.separator) if is_several else [text])]
    return [(n, vocabulary.label_of(n) or "") for n in names if n]


def _labels_of(
    row: Mapping[str, str],
    source: AnnotationSource,
    vocabulary: Vocabulary,
    labels: Mapping[str, object],
) -> tuple[dict[str, str], list[str]]:
    """State of every label that a row speaks of (a label column speaks of all), and names of no label."""
    per_label = {n: source.columns[n] for n in labels if n in source.columns}
    if per_label:
        return {n: _state(row[c]) for n, c in per_label.items()}, []
    named = [t.strip() for t in row[source.columns["label"]].split(source.separator) if t.strip()]
    if not named:
        return {}, []
    mapped = {n: vocabulary.label_of(n) for n in named}
    states = {n: "marked" if n in mapped.values() else "absent" for n in labels}
    return states, [name for name, label in mapped.items() if label is None]


def _unread(row: Mapping[str, str], source: AnnotationSource, labels: Mapping[str, object]) -> list[str]:
    """Labels whose field in a row holds a word that is none of those for yes, no and unknown."""
    known = _POSITIVE | _NEGATIVE | _UNKNOWN
    columns = {n: source.columns[n] for n in labels if n in source.columns}
    is_labels = source.shape is TableShape.LABELS
    return [n for n, c in columns.items() if row[c].strip().lower() not in known] if is_labels else []


def _state(text: str) -> str:
    word = text.strip().lower()
    if word in _POSITIVE:
        return "marked"
    return "absent" if word in _NEGATIVE else "not_annotated"


def _box_of(row: Mapping[str, str], source: AnnotationSource) -> tuple[float, ...]:
    """Lower and higher corner in RAS+ millimetres."""
    parts = _CORNERS if source.shape is TableShape.BOXES else _CENTRE
    try:
        values = [float(row[source.columns.get(p, p)]) for p in parts]
    except ValueError:
        raise FormatError("file/corrupt", "a coordinate is no number") from None
    if not all(map(math.isfinite, values)):
        raise FormatError("file/corrupt", "a coordinate is not finite")
    if source.shape is TableShape.CENTRES:
        if values[3] <= 0:
            raise FormatError("file/corrupt", "a diameter is not positive")
        half = values[3] / 2
        values = [v - half for v in values[:3]] + [v + half for v in values[:3]]
    if source.world == "LPS":
        values = [-values[0], -values[1], values[2], -values[3], -values[4], values[5]]
    low = [min(a, b) for a, b in zip(values[:3], values[3:], strict=True)]
    high = [max(a, b) for a, b in zip(values[:3], values[3:], strict=True)]
    return (*low, *high)


def _planned(
    source: AnnotationSource,
    number: int,
    stack: str,
    rater: str,
    found: _Marks,
    names: Pseudonyms,
    searched: tuple[str, ...],
) -> PlannedAnnotation:
    is_labels = source.shape is TableShape.LABELS
    labels = tuple(n for n, _ in found.labels) if is_labels else tuple(b[0] for b in found.boxes)
    slices = tuple(where for _, where in found.labels)
    return PlannedAnnotation(
        id=names.of("ann", number, stack, rater),
        kind="labels" if is_labels else "boxes",
        format="table",
        rater=names.of("rat", rater) if rater else "",
        on=stack,
        labels=labels,
        states=tuple(found.labels.values()) if is_labels else tuple("marked" for _ in labels),
        boxes=() if is_labels else tuple(v for _, box in found.boxes for v in box),
        searched=() if is_labels else searched,
        slices=slices if is_labels and any(slices) else (),
    )
